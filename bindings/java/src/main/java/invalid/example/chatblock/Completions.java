package invalid.example.chatblock;

import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** The calls of one client that wait for an answer, and the thread that takes the answers from the library. */
final class Completions {
    /** Of a write that an earlier process recorded: nobody here waits for it. */
    private static final long REPLAYED = 0;

    private final long client;
    private final Gate gate;
    private final ConcurrentMap<Long, Call> calls = new ConcurrentHashMap<>();
    private final AtomicLong tags = new AtomicLong(REPLAYED);
    private final Queue<Result> replayed = new ConcurrentLinkedQueue<>();
    private volatile Consumer<Result> onReplayed;
    private Thread thread;

    Completions(long client, Gate gate) {
        this.client = client;
        this.gate = gate;
    }

    /** Registers a call, before it is handed over. */
    Call expect(ChatblockClient caller) {
        start();
        Call call = new Call(caller, tags.incrementAndGet());
        calls.put(call.tag, call);
        return call;
    }

    /** The library did not accept the call. */
    void refused(Call call, Result why) {
        calls.remove(call.tag);
        call.completeExceptionally(new ChatblockException(why));
    }

    void onReplayed(Consumer<Result> handler) {
        onReplayed = handler;
        handReplayed();
        start();
    }

    /** Ends all calls that wait: there will be no answers any more. */
    void fail(Status status, String why) {
        for (Long tag : calls.keySet()) {
            Call call = calls.remove(tag);
            if (call != null) {
                call.completeExceptionally(ChatblockException.of(why, status));
            }
        }
    }

    boolean isOwnThread() {
        return Thread.currentThread() == thread();
    }

    private synchronized Thread thread() {
        return thread;
    }

    private synchronized void start() {
        if (thread == null || !thread.isAlive()) {
            thread = new Thread(this::run, "chatblock-completions");
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** Polls until the gate is shut and its wake-up was found, with everything before it. */
    private void run() {
        int door = gate.enter();
        if (door < 0) {
            return;
        }
        try {
            boolean more = true;
            while (more) {
                more = takeNext();
            }
        } catch (RuntimeException | Error e) {
            fail(Status.ERR_PANIC, "the thread that takes the answers ended: " + e);
            throw e;
        } finally {
            gate.leave(door);
        }
    }

    private boolean takeNext() {
        long result = Library.chatblock_client_poll(client, -1);
        if (result != 0) {
            deliver(result);
            return true;
        }
        if (gate.isShut()) {
            return false;
        }
        Status state = Status.of(Library.chatblock_client_flush(client, 0));
        if (state == Status.ERR_PANIC || state == Status.ERR_FORKED) {
            fail(state, "the client is unusable");
            return false;
        }
        return true;
    }

    private void deliver(long pointer) {
        long tag = Library.chatblock_result_tag(pointer);
        if (tag == REPLAYED) {
            replayed.add(Results.read(pointer));
            handReplayed();
            return;
        }
        Call call = calls.remove(tag);
        try {
            call.complete(Results.take(pointer));
        } catch (ChatblockException | OutOfMemoryError e) {
            call.completeExceptionally(e);
        }
    }

    private void handReplayed() {
        Consumer<Result> handler = onReplayed;
        if (handler == null) {
            return;
        }
        for (Result result = replayed.poll(); result != null; result = replayed.poll()) {
            try {
                handler.accept(result);
            } catch (RuntimeException e) {
                // The thread serves all calls of the client: a handler that fails is reported and does not end it.
                Thread current = Thread.currentThread();
                current.getUncaughtExceptionHandler().uncaughtException(current, e);
            }
        }
    }
}
