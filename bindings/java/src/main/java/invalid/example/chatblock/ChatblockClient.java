// SPDX-License-Identifier: MIT OR Apache-2.0

package invalid.example.chatblock;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParser;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Blocklists: of the cloud service, or of the engine inside this process. Opened once, shared by any number of threads,
 * closed once; a client that is dropped is closed by the garbage collector.
 *
 * <p>A call that was not done throws {@link ChatblockException}; {@link Status#PARTIAL} is done: read the items. A closed
 * client throws it with {@link Status#ERR_CLOSED}. Texts with a NUL or an unpaired surrogate are refused with
 * {@link IllegalArgumentException}, null with {@link NullPointerException}, before anything else happens.
 *
 * <p>A call that waits does so outside the library: it does not pin the carrier of a virtual thread, and
 * {@link Thread#interrupt} ends it with {@code ERR_CANCELLED} (it was not sent) or {@code ERR_TIMEOUT} (it was, and goes
 * on); the thread stays interrupted. Only {@link #open}, {@link #backup} and {@link #close} wait inside the library.
 *
 * <p>Calls without waiting give a {@link CompletableFuture}, which fails with the same exception. It is completed on one
 * daemon thread of the client: what depends on it and takes long, or waits for other calls, belongs on another one
 * ({@code thenApplyAsync} and the like); a call that waits throws {@link IllegalStateException} there. Cancelling the
 * future cancels the call when it was not sent yet; one that was sent goes on, and its write may happen.
 */
public final class ChatblockClient implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();
    private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
    private static final Duration CLOSING = Duration.ofSeconds(2);
    private static final Set<String> WRITES = Set.of("black_list_add", "black_list_delete");
    /** How soon the end of a flush, a close meanwhile and an interrupt are noticed. */
    private static final long LONGEST_PAUSE_MS = 10;

    private final Handle handle;
    /** Whether there is an outbox: a write then ends when it is on disk for "call_ms". */
    private final boolean isRecorded;
    private final Cleaner.Cleanable dropped;

    private ChatblockClient(Handle handle) {
        this.handle = handle;
        dropped = CLEANER.register(this, handle::abandon);
        isRecorded = JsonParser.parseString(stats()).getAsJsonObject().has("outbox");
    }

    /**
     * Opens a client. May wait while a durable store is read.
     *
     * @param config the configuration as one JSON object; "{}" is the engine inside this process, in memory;
     *               docs/configuration.md of the library lists the keys
     * @return the client
     * @throws ChatblockException {@code ERR_CONFIG} names the key or file, {@code ERR_STORAGE} the store
     */
    public static ChatblockClient open(String config) {
        return new ChatblockClient(Handle.open(config));
    }

    /**
     * Opens a client.
     *
     * @param config the same as nested maps, texts, numbers and booleans
     * @return the client
     * @throws ChatblockException as {@link #open(String)}
     */
    public static ChatblockClient open(Map<String, ?> config) {
        return open(GSON.toJson(config));
    }

    /**
     * The version of the library that is running.
     *
     * @return for example "0.1.0"
     */
    public static String version() {
        return Library.chatblock_version();
    }

    /**
     * Blocks accounts: the owner no longer wants to hear them. Waits for the answer, up to "call_ms" from when it is sent.
     *
     * @param owner the owner of the list, 1 to 32 bytes
     * @param targets  1 to 100,000 accounts; more than 1000 go out in parts
     * @return what became of each; one that is blocked already is {@link Status#UNCHANGED}
     */
    public Result add(String owner, Collection<String> targets) {
        return answered(true, isRecorded
                ? RecordedWrites.make(handle, Library::chatblock_blocklist_add, owner, Arguments.copy("targets", targets))
                : addAsync(owner, targets));
    }

    /**
     * Unblocks accounts. Waits for the answer, up to "call_ms" from when it is sent.
     *
     * @param owner the owner of the list, 1 to 32 bytes
     * @param targets  1 to 100,000 accounts
     * @return what became of each; one that is not blocked is {@link Status#UNCHANGED}
     */
    public Result delete(String owner, Collection<String> targets) {
        return answered(true, isRecorded
                ? RecordedWrites.make(handle, Library::chatblock_blocklist_delete, owner, Arguments.copy("targets", targets))
                : deleteAsync(owner, targets));
    }

    /**
     * Reads one page of a list, oldest entry first. Waits for the answer, up to "call_ms" from when it is sent.
     *
     * @param owner the owner of the list, 1 to 32 bytes
     * @param startIndex  offset of the first entry: 0, then {@link Result#nextIndex} until that is 0
     * @param limit  size of the page, 1 to 1000
     * @return one item per entry, with its time
     */
    public Result get(String owner, long startIndex, int limit) {
        return answered(false, getAsync(owner, startIndex, limit));
    }

    /**
     * Asks who blocks whom. Waits for the answer, up to "call_ms" from when it is sent.
     *
     * @param owner the owner A, 1 to 32 bytes
     * @param targets  1 to 100,000 accounts, each one B
     * @param type        which directions to look at
     * @return one item per account with its relation; a failed one has {@link Relation#NONE}
     */
    public Result check(String owner, Collection<String> targets, CheckType type) {
        return answered(false, checkAsync(owner, targets, type));
    }

    /**
     * Makes one call with the service's own request JSON. Waits for the answer, up to "call_ms" from when it is sent.
     *
     * @param command     "black_list_add", "black_list_delete", "black_list_get" or "black_list_check"
     * @param requestJson the request object of that command; at most 1000 accounts
     * @return as the typed method of that command
     */
    public Result call(String command, String requestJson) {
        boolean isWrite = WRITES.contains(command);
        return answered(isWrite, isWrite && isRecorded
                ? RecordedWrites.call(handle, command, requestJson)
                : callAsync(command, requestJson));
    }

    /**
     * {@link #add} without waiting. Writes of one owner keep their order.
     *
     * @param owner the owner of the list, 1 to 32 bytes
     * @param targets  1 to 100,000 accounts
     * @return the answer to come; fails at once when the call was not accepted ({@code ERR_BUSY}: the queue is full)
     */
    public CompletableFuture<Result> addAsync(String owner, Collection<String> targets) {
        return writeAsync(Library::chatblock_blocklist_add_async, owner, targets);
    }

    /**
     * {@link #delete} without waiting.
     *
     * @param owner the owner of the list, 1 to 32 bytes
     * @param targets  1 to 100,000 accounts
     * @return as {@link #addAsync}
     */
    public CompletableFuture<Result> deleteAsync(String owner, Collection<String> targets) {
        return writeAsync(Library::chatblock_blocklist_delete_async, owner, targets);
    }

    /**
     * {@link #get} without waiting. It sees every write of the owner that was accepted before.
     *
     * @param owner the owner of the list, 1 to 32 bytes
     * @param startIndex  offset of the first entry
     * @param limit  size of the page, 1 to 1000
     * @return as {@link #addAsync}
     */
    public CompletableFuture<Result> getAsync(String owner, long startIndex, int limit) {
        int start = Arguments.unsigned("startIndex", startIndex);
        Arguments arguments = Arguments.of(Arguments.room("owner", owner) + Arguments.ERROR_ROOM);
        long from = arguments.text("owner", owner);
        return submit(arguments, (client, tag, error) ->
                Library.chatblock_blocklist_get_async(client, from, start, limit, tag, error));
    }

    /**
     * {@link #check} without waiting. It sees every write of the owner that was accepted before.
     *
     * @param owner the owner A, 1 to 32 bytes
     * @param targets  1 to 100,000 accounts, each one B
     * @param type        which directions to look at
     * @return as {@link #addAsync}
     */
    public CompletableFuture<Result> checkAsync(String owner, Collection<String> targets, CheckType type) {
        int number = Arguments.present("type", type).number;
        return writeAsync(
                (client, from, to, count, tag, error) ->
                        Library.chatblock_blocklist_check_async(client, from, to, count, number, tag, error),
                owner,
                targets);
    }

    /**
     * {@link #call} without waiting.
     *
     * @param command     "black_list_add", "black_list_delete", "black_list_get" or "black_list_check"
     * @param requestJson the request object of that command; at most 1000 accounts
     * @return as {@link #addAsync}
     */
    public CompletableFuture<Result> callAsync(String command, String requestJson) {
        Arguments arguments =
                Arguments.of(Arguments.room("command", command) + Arguments.room("requestJson", requestJson) + Arguments.ERROR_ROOM);
        long name = arguments.text("command", command);
        long request = arguments.text("requestJson", requestJson);
        return submit(arguments, (client, tag, error) ->
                Library.chatblock_client_submit(client, name, request, tag, error));
    }

    /**
     * Learns what became of writes that an earlier process recorded ("outbox.path") and the service refused; those that
     * succeed say nothing.
     *
     * @param handler takes each refusal once, also those of before, on the thread that completes futures. It keeps the
     *                client from being collected when it refers to it
     */
    public void onReplayed(Consumer<Result> handler) {
        int door = handle.enter();
        try {
            handle.completions.onReplayed(Objects.requireNonNull(handler, "handler"));
        } finally {
            handle.leave(door);
        }
    }

    /** Waits without limit until everything accepted before is on disk; see {@link #sync(Duration)}. */
    public void sync() {
        await("sync", Library::chatblock_client_sync, Long.MAX_VALUE);
    }

    /**
     * Waits until everything accepted before is on disk.
     *
     * @param timeout how long to wait; zero only looks
     * @throws ChatblockException {@code ERR_TIMEOUT} when work is left, which goes on; {@code ERR_STORAGE};
     *                            {@code ERR_UNSUPPORTED} without "path" or "outbox.path"
     */
    public void sync(Duration timeout) {
        await("sync", Library::chatblock_client_sync, millis(timeout));
    }

    /** Waits without limit until everything accepted before is answered. */
    public void flush() {
        await("flush", Library::chatblock_client_flush, Long.MAX_VALUE);
    }

    /**
     * Waits until everything accepted before is answered; the futures complete soon after.
     *
     * @param timeout how long to wait; zero only looks
     * @throws ChatblockException {@code ERR_TIMEOUT} when work is left, which goes on
     */
    public void flush(Duration timeout) {
        await("flush", Library::chatblock_client_flush, millis(timeout));
    }

    /**
     * The hot path: does the owner block the peer? Answered from memory; sends, allocates and locks nothing.
     *
     * @param owner whose list is asked about, 1 to 32 bytes
     * @param peer  who may be on it, likewise
     * @return {@link Answer#UNKNOWN} never means "no": on the remote backend, {@link #watch} the owner first
     */
    public Answer isBlocked(String owner, String peer) {
        Arguments arguments = Arguments.of(Arguments.room("owner", owner) + Arguments.room("peer", peer));
        long ownerText = arguments.text("owner", owner);
        long peerText = arguments.text("peer", peer);
        int door = handle.enter();
        try {
            return Answer.of(Library.chatblock_client_is_blocked(handle.address, ownerText, peerText));
        } finally {
            handle.leave(door);
        }
    }

    /**
     * Who may hear this player: which of these owners block the peer? Faster than one by one.
     *
     * @param owners whose lists are asked about
     * @param peer   who may be on them
     * @return one answer per owner, in their order
     * @throws ChatblockException {@code ERR_ARGUMENT} also when one of the owners is empty or too long
     */
    public List<Answer> isBlockedMany(Collection<String> owners, String peer) {
        String[] texts = Arguments.copy("owners", owners);
        Arguments arguments = Arguments.of(Arguments.room(texts) + Arguments.room("peer", peer) + texts.length + 8);
        long list = arguments.texts("owners", texts);
        long peerText = arguments.text("peer", peer);
        int out = arguments.offset(texts.length);
        number("is_blocked_many", arguments, client -> Library.chatblock_client_is_blocked_many(
                client, list, texts.length, peerText, arguments.at(out)));
        Answer[] answers = new Answer[texts.length];
        for (int i = 0; i < answers.length; i++) {
            answers[i] = Answer.of(arguments.memory().get(out + i));
        }
        return List.of(answers);
    }

    /**
     * May these share a match: which of these accounts block which?
     *
     * @param accounts 1 to 10,000 accounts: each is asked about each
     * @return the pairs, in order of owners
     */
    public BlockedPairs blockedPairs(Collection<String> accounts) {
        String[] texts = Arguments.copy("accounts", accounts);
        int capacity = 4 * texts.length;
        while (true) {
            Arguments arguments = Arguments.of(Arguments.room(texts) + 8L * capacity + 24);
            long list = arguments.texts("accounts", texts);
            int pairs = arguments.offset(8L * capacity);
            int unknown = arguments.offset(8);
            int room = capacity;
            int found = number("blocked_pairs", arguments, client -> Library.chatblock_client_blocked_pairs(
                    client, list, texts.length, arguments.at(pairs), room, arguments.at(unknown)));
            if (found <= capacity) {
                return pairs(arguments, pairs, found, unknown);
            }
            capacity = found;
        }
    }

    /**
     * Knows these owners from now on, such as players who log in: their lists are read in the background, again and
     * again. Returns at once.
     *
     * @param owners 1 to 100,000 accounts
     */
    public void watch(Collection<String> owners) {
        owners("watch", Library::chatblock_client_watch, owners);
    }

    /**
     * Lets go of owners, such as players who log out. Returns at once.
     *
     * @param owners 1 to 100,000 accounts; one that is not watched does no harm
     */
    public void unwatch(Collection<String> owners) {
        owners("unwatch", Library::chatblock_client_unwatch, owners);
    }

    /**
     * Takes a webhook of the service: verifies it, and learns what it says. Never waits.
     *
     * @param query the query string that the HTTP server received, after the question mark
     * @param body  the body it received
     * @return a result whose JSON is to be sent back as the body, with HTTP status 200
     * @throws ChatblockException when nothing was learned; {@code result().json()} is to be sent back just the same
     */
    public Result applyWebhook(String query, byte[] body) {
        Arguments arguments = Arguments.of(Arguments.room("query", query) + Arguments.present("body", body).length + 8);
        long text = arguments.text("query", query);
        int bytes = arguments.offset(body.length);
        arguments.memory().position(bytes).put(body).clear();
        return inside(arguments, client -> Library.chatblock_client_apply_webhook(
                client, text, arguments.at(bytes), body.length));
    }

    /**
     * Takes a webhook of the service whose body is at hand as text.
     *
     * @param query as above
     * @param body  as above
     * @return as above
     */
    public Result applyWebhook(String query, String body) {
        return applyWebhook(query, Arguments.present("body", body).getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Copies the durable store ("path") or the outbox ("outbox.path") to a new file while the client goes on. Waits until the
     * copy is on disk, and {@link #close} waits for it.
     *
     * @param path a new file; what is there already is never replaced
     * @throws ChatblockException when there is no copy: {@code ERR_UNSUPPORTED} where nothing is on disk,
     *                            {@code ERR_STORAGE}, {@code ERR_ARGUMENT}, {@code ERR_BUSY}
     */
    public void backup(Path path) {
        String name = Arguments.present("path", path).toString();
        Arguments arguments = Arguments.of(Arguments.room("name", name));
        long text = arguments.text("path", name);
        inside(arguments, client -> Library.chatblock_client_backup(client, text));
    }

    /**
     * Statistics of the client, taken at one moment. docs/statistics.md of the library lists the keys.
     *
     * @return one JSON object, without secrets and accounts
     */
    public String stats() {
        return inside(null, Library::chatblock_client_stats).json();
    }

    /** Closes the client and waits up to 2 seconds; see {@link #close(Duration)}. */
    @Override
    public void close() {
        close(CLOSING);
    }

    /**
     * Closes the client: new calls are refused from now on, and what was accepted and is not done is dropped; its futures,
     * and calls that wait, fail with {@code ERR_CLOSED}. To let it finish, {@link #flush} before. With an
     * outbox, writes are recorded first and go out when it is opened again. Closing again does nothing.
     *
     * @param timeout how long to wait for calls inside and for threads that are still on the network; what is left then
     *                ends by itself
     * @return true when nothing was dropped and nothing is left
     */
    public boolean close(Duration timeout) {
        boolean clean = handle.close(millis(timeout));
        dropped.clean();
        return clean;
    }

    /** How many calls with this tag were cancelled; none on a closed client. */
    int cancel(long tag) {
        try {
            return number("cancel", null, client -> Library.chatblock_client_cancel(client, tag));
        } catch (ChatblockException e) {
            if (e.status() == Status.ERR_CLOSED) {
                return 0;
            }
            throw e;
        }
    }

    private interface Question {
        long ask(long client);
    }

    private interface Order {
        int give(long client);
    }

    private interface ListOrder {
        int give(long client, long owners, long count);
    }

    private interface Submission {
        int hand(long client, long tag, long error);
    }

    private interface ListSubmission {
        int hand(long client, long from, long to, long count, long tag, long error);
    }

    private interface Wait {
        int await(long client, int timeoutMs);
    }

    /** Makes a call that answers with a result; its arguments live until then. */
    private Result inside(Arguments arguments, Question question) {
        int door = handle.enter();
        try {
            return Results.take(question.ask(handle.address));
        } finally {
            handle.leave(door);
            Reference.reachabilityFence(arguments);
        }
    }

    /** Makes a call that answers with a number; its arguments live until then. */
    private int number(String name, Arguments arguments, Order order) {
        int door = handle.enter();
        try {
            int number = order.give(handle.address);
            if (number < 0) {
                throw ChatblockException.of(name + " was refused", number);
            }
            return number;
        } finally {
            handle.leave(door);
            Reference.reachabilityFence(arguments);
        }
    }

    private void owners(String name, ListOrder order, Collection<String> owners) {
        String[] texts = Arguments.copy("owners", owners);
        Arguments arguments = Arguments.of(Arguments.room(texts));
        long list = arguments.texts("owners", texts);
        number(name, arguments, client -> order.give(client, list, texts.length));
    }

    private CompletableFuture<Result> writeAsync(
            ListSubmission submission, String owner, Collection<String> targets) {
        String[] texts = Arguments.copy("targets", targets);
        Arguments arguments =
                Arguments.of(Arguments.room("owner", owner) + Arguments.room(texts) + Arguments.ERROR_ROOM);
        long from = arguments.text("owner", owner);
        long to = arguments.texts("targets", texts);
        return submit(arguments, (client, tag, error) ->
                submission.hand(client, from, to, texts.length, tag, error));
    }

    private CompletableFuture<Result> submit(Arguments arguments, Submission submission) {
        int error = arguments.offset(8);
        int door;
        try {
            door = handle.enter();
        } catch (ChatblockException e) {
            return CompletableFuture.failedFuture(e);
        }
        try {
            Call call = handle.completions.expect(this);
            if (submission.hand(handle.address, call.tag, arguments.at(error)) < 0) {
                handle.completions.refused(call, Results.read(arguments.memory().getLong(error)));
            }
            return call;
        } finally {
            handle.leave(door);
            Reference.reachabilityFence(arguments);
        }
    }

    /**
     * Waits for an answer. Not inside the library: that would pin the carrier of a virtual thread, and an interrupt
     * would not end it.
     */
    private Result answered(boolean isWrite, CompletableFuture<Result> call) {
        if (call instanceof Call && handle.completions.isOwnThread()) {
            call.cancel(false);
            throw new IllegalStateException("a call that waits, on the thread that completes futures: it would wait for"
                    + " itself; use the method whose name ends in Async, or thenApplyAsync and the like");
        }
        try {
            return call.get();
        } catch (ExecutionException e) {
            throw (RuntimeException) e.getCause();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted(isWrite, call instanceof Call && cancel(((Call) call).tag) > 0);
        }
    }

    private static ChatblockException interrupted(boolean isWrite, boolean isUnsent) {
        if (isUnsent) {
            return ChatblockException.of("interrupted before it was sent; nothing happened", Status.ERR_CANCELLED);
        }
        String doubt = isWrite ? "; a write may have happened" : "";
        return ChatblockException.of("interrupted while it was under way" + doubt, Status.ERR_TIMEOUT);
    }

    /** Looks again and again, and sleeps outside the library: neither a carrier is pinned nor an interrupt ignored. */
    private void await(String name, Wait wait, long timeoutMs) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        for (long pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            try {
                number(name, null, client -> wait.await(client, 0));
                return;
            } catch (ChatblockException e) {
                if (e.status() != Status.ERR_TIMEOUT || left <= 0) {
                    throw e;
                }
            }
            try {
                Thread.sleep(Math.min(pause, left));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw ChatblockException.of(name + " was interrupted; work is left and goes on", Status.ERR_TIMEOUT);
            }
        }
    }

    private static BlockedPairs pairs(Arguments arguments, int pairs, int found, int unknown) {
        List<BlockedPairs.Pair> list = new ArrayList<>(found);
        for (int i = 0; i < found; i++) {
            int at = pairs + 8 * i;
            list.add(new BlockedPairs.Pair(arguments.memory().getInt(at), arguments.memory().getInt(at + 4)));
        }
        return new BlockedPairs(List.copyOf(list), arguments.memory().getLong(unknown));
    }

    private static long millis(Duration timeout) {
        if (Arguments.present("timeout", timeout).isNegative()) {
            throw new IllegalArgumentException("timeout is negative");
        }
        return timeout.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) > 0 ? Integer.MAX_VALUE : timeout.toMillis();
    }
}
