package invalid.example.chatblock;

import java.lang.ref.Reference;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongFunction;

/**
 * Writes of a client with an outbox that somebody waits for. Only the waiting function of the library ends after
 * "call_ms" and says that a write is on disk ({@code ERR_QUEUED}); it runs on a platform thread of its own, because its
 * caller may be a virtual one.
 */
final class RecordedWrites {
    private static final ExecutorService THREADS = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "chatblock-write");
        thread.setDaemon(true);
        return thread;
    });

    /** Addresses of an owner, of its targets and their number; gives a result of the library. */
    interface Write {
        long ask(long client, long owner, long targets, long count);
    }

    private RecordedWrites() {
    }

    static CompletableFuture<Result> make(Handle handle, Write write, String owner, String[] targets) {
        long room = Arguments.room("owner", owner) + Arguments.room(targets);
        return make(handle, room, arguments -> {
            long from = arguments.text("owner", owner);
            long to = arguments.texts("targets", targets);
            return client -> write.ask(client, from, to, targets.length);
        });
    }

    static CompletableFuture<Result> call(Handle handle, String command, String requestJson) {
        long room = Arguments.room("command", command) + Arguments.room("requestJson", requestJson);
        return make(handle, room, arguments -> {
            long name = arguments.text("command", command);
            long request = arguments.text("requestJson", requestJson);
            return client -> Library.chatblock_client_call(client, name, request);
        });
    }

    /** Makes a question of arguments that live until it is answered. */
    private interface Question {
        LongFunction<Long> of(Arguments arguments);
    }

    private static CompletableFuture<Result> make(Handle handle, long room, Question question) {
        return CompletableFuture.supplyAsync(() -> {
            Arguments arguments = Arguments.of(room);
            LongFunction<Long> ask = question.of(arguments);
            int door = handle.enter();
            try {
                return Results.take(ask.apply(handle.address));
            } finally {
                handle.leave(door);
                Reference.reachabilityFence(arguments);
            }
        }, THREADS);
    }
}
