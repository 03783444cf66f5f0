package invalid.example.chatblock;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Lets calls in until it is shut, and knows when the last one has left. Its counter is spread over several cache lines,
 * so that threads on the hot path do not wait for each other.
 */
final class Gate {
    private static final int DOORS = 16;
    /** Counters of 64 bytes distance. */
    private static final int STRIDE = 16;

    private final AtomicIntegerArray inside = new AtomicIntegerArray((DOORS + 1) * STRIDE);
    private volatile boolean shut;
    private Runnable whenEmpty;

    /** Takes a call in; the door that is given must be handed to {@link #leave}. Negative when the gate is shut. */
    int enter() {
        int door = ((int) Thread.currentThread().getId() % DOORS + 1) * STRIDE;
        inside.getAndIncrement(door);
        // Counted first, asked after: whoever shuts the gate sees either this count or a call that turns back.
        if (shut) {
            leave(door);
            return -1;
        }
        return door;
    }

    void leave(int door) {
        inside.getAndDecrement(door);
        if (shut) {
            leftLate();
        }
    }

    /** Refuses calls from now on. False when it was shut before. */
    synchronized boolean shut() {
        boolean first = !shut;
        shut = true;
        return first;
    }

    boolean isShut() {
        return shut;
    }

    /** After {@link #shut}: waits until nobody is inside. False when time ran out, or the thread was interrupted. */
    synchronized boolean awaitEmpty(long deadlineNanos) {
        while (!isEmpty()) {
            long millis = (deadlineNanos - System.nanoTime()) / 1_000_000;
            if (millis <= 0) {
                return false;
            }
            try {
                wait(millis);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    /** After {@link #shut}: runs the last task once nobody is inside, on the thread that leaves last. */
    void whenEmpty(Runnable last) {
        synchronized (this) {
            whenEmpty = last;
        }
        leftLate();
    }

    private void leftLate() {
        Runnable last = null;
        synchronized (this) {
            notifyAll();
            if (isEmpty()) {
                last = whenEmpty;
                whenEmpty = null;
            }
        }
        if (last != null) {
            last.run();
        }
    }

    private boolean isEmpty() {
        for (int door = STRIDE; door < inside.length(); door += STRIDE) {
            if (inside.get(door) != 0) {
                return false;
            }
        }
        return true;
    }
}
