package invalid.example.chatblock;

import java.util.concurrent.TimeUnit;

/**
 * The client of the library, with the gate that keeps it alive while a call is inside. It does not know its
 * {@link ChatblockClient}, so that one that was dropped can be found by the garbage collector.
 */
final class Handle {
    final long address;
    final Completions completions;
    private final Gate gate = new Gate();

    private Handle(long address) {
        this.address = address;
        completions = new Completions(address, gate);
    }

    static Handle open(String config) {
        Arguments arguments = Arguments.ofSecret(Arguments.room("config", config) + 16);
        try {
            int error = arguments.offset(8);
            long text = arguments.text("config", config);
            long client = Library.chatblock_client_open(text, arguments.at(error));
            if (client == 0) {
                throw new ChatblockException(Results.read(arguments.memory().getLong(error)));
            }
            return new Handle(client);
        } finally {
            arguments.wipe();
        }
    }

    /** Every call stands between this and {@link #leave}. */
    int enter() {
        int door = gate.enter();
        if (door < 0) {
            throw ChatblockException.of("the client is closed", Status.ERR_CLOSED);
        }
        return door;
    }

    void leave(int door) {
        gate.leave(door);
    }

    /** Closes what its owner dropped, without waiting. */
    void abandon() {
        close(0);
    }

    /** True when nothing was left undone; also when it is closed already. */
    boolean close(long timeoutMs) {
        if (!gate.shut()) {
            return true;
        }
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        Library.chatblock_client_wakeup(address);
        if (!completions.isOwnThread() && gate.awaitEmpty(deadline)) {
            return free(Math.max(0, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
        }
        gate.whenEmpty(() -> free(0));
        return false;
    }

    private boolean free(long timeoutMs) {
        int status = Library.chatblock_client_close(address, (int) Math.min(timeoutMs, Integer.MAX_VALUE));
        completions.fail(Status.ERR_CLOSED, "the client was closed; the call has no answer");
        return Status.of(status) == Status.OK;
    }
}
