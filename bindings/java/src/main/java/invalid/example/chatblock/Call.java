package invalid.example.chatblock;

import java.util.concurrent.CompletableFuture;

/** A call that was handed over and not answered yet. */
final class Call extends CompletableFuture<Result> {
    final long tag;
    /** A client is not closed as dropped while somebody waits for an answer of it. */
    private final ChatblockClient client;

    Call(ChatblockClient client, long tag) {
        this.client = client;
        this.tag = tag;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        if (cancelled) {
            client.cancel(tag);
        }
        return cancelled;
    }
}
