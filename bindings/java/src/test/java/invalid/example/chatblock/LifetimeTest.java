package invalid.example.chatblock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Threads, closing, and clients that nobody closes. */
@Timeout(60)
class LifetimeTest {
    private static final int THREADS = 64;

    @TempDir
    Path folder;

    @Test
    void sixtyFourThreadsShareAClient() throws Exception {
        try (ChatblockClient client = ChatblockClient.open("{}")) {
            inThreads(thread -> {
                String owner = "owner-" + thread;
                for (int i = 0; i < 100; i++) {
                    String peer = "peer-" + i;
                    assertEquals(Answer.NO, client.isBlocked(owner, peer));
                    Result result = i % 2 == 0
                            ? client.add(owner, List.of(peer))
                            : client.addAsync(owner, List.of(peer)).get(10, TimeUnit.SECONDS);
                    assertEquals(peer, result.items().get(0).account());
                    assertEquals(Answer.YES, client.isBlocked(owner, peer));
                }
                return client.get(owner, 0, 1000).items().size();
            }).forEach(size -> assertEquals(100, size));
        }
    }

    @Test
    void closingWhileThreadsCallEndsThemAll() throws Exception {
        for (int round = 0; round < 20; round++) {
            String file = round + ".db";
            ChatblockClient client = ChatblockClient.open(Map.of("path", folder.resolve(file).toString()));
            List<Status> ends = inThreads(thread -> {
                if (thread == 0) {
                    Thread.sleep(5);
                    client.close();
                }
                return callUntilClosed(client, "owner-" + thread);
            });
            assertEquals(THREADS, ends.stream().filter(Status.ERR_CLOSED::equals).count());
            openSoon(file).close();
        }
    }

    private static Status callUntilClosed(ChatblockClient client, String owner) throws Exception {
        List<CompletableFuture<Result>> calls = new ArrayList<>();
        Status end = null;
        for (int i = 0; end == null; i++) {
            try {
                client.isBlocked(owner, "bob");
                client.add(owner, List.of("bob"));
                client.delete(owner, List.of("bob"));
                calls.add(client.addAsync(owner, List.of("cat")));
                client.stats();
            } catch (ChatblockException e) {
                end = e.status();
            }
        }
        for (CompletableFuture<Result> call : calls) {
            try {
                call.get(10, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                assertEquals(Status.ERR_CLOSED, ((ChatblockException) e.getCause()).status());
            }
        }
        return end;
    }

    private interface Work<T> {
        T of(int thread) throws Exception;
    }

    private static <T> List<T> inThreads(Work<T> work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Callable<T>> tasks = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int thread = i;
                tasks.add(() -> work.of(thread));
            }
            List<T> ends = new ArrayList<>();
            for (Future<T> future : threads.invokeAll(tasks)) {
                ends.add(future.get());
            }
            return ends;
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void closingDoesNotWaitLongerThanItWasTold() throws Exception {
        try (Silence silence = new Silence()) {
            ChatblockClient client = silence.client(3000);
            CompletableFuture<Result> blocking =
                    CompletableFuture.supplyAsync(() -> client.add("ann", List.of("bob")));
            CompletableFuture<Result> async = client.addAsync("eve", List.of("bob"));
            assertThrows(TimeoutException.class, () -> blocking.get(300, TimeUnit.MILLISECONDS));

            long begin = System.nanoTime();
            assertFalse(client.close(Duration.ofMillis(200)));
            assertTrue(System.nanoTime() - begin < TimeUnit.MILLISECONDS.toNanos(2000));
            assertEquals(Status.ERR_CLOSED, status(() -> client.isBlocked("ann", "bob")));

            assertEquals(Status.ERR_CLOSED, status(() -> rethrow(blocking)));
            Status end = status(() -> rethrow(async));
            assertTrue(end == Status.ERR_CLOSED || end == Status.ERR_TIMEOUT, end.name());
        }
    }

    /** A virtual thread that waits inside the library would pin its carrier, and an interrupt would not reach it. */
    @Test
    void callsThatWaitDoSoOutsideTheLibraryAndAnInterruptEndsThem() throws Exception {
        Path outbox = folder.resolve("interrupted.db");
        try (Silence silence = new Silence();
                ChatblockClient client = silence.client(60_000);
                ChatblockClient recorded = silence.client(60_000, outbox)) {
            recorded.addAsync("ann", List.of("bob"));
            for (Consumer<ChatblockClient> call : CALLS_THAT_WAIT) {
                for (ChatblockClient one : List.of(client, recorded)) {
                    isInterrupted(() -> call.accept(one));
                }
            }
        }
    }

    private static final List<Consumer<ChatblockClient>> CALLS_THAT_WAIT = List.of(
            client -> client.add("ann", List.of("bob")),
            client -> client.delete("ann", List.of("bob")),
            client -> client.get("ann", 0, 1),
            client -> client.check("ann", List.of("bob"), CheckType.BOTH),
            client -> client.call("black_list_add", "{\"From_Account\":\"ann\",\"To_Account\":[\"bob\"]}"),
            ChatblockClient::flush);

    private static void isInterrupted(Runnable call) throws Exception {
        CompletableFuture<String> end = new CompletableFuture<>();
        Thread caller = new Thread(() -> {
            try {
                call.run();
                end.complete("answered");
            } catch (ChatblockException e) {
                boolean isStillInterrupted = Thread.currentThread().isInterrupted();
                end.complete(isStillInterrupted ? e.getMessage() : "the interrupt was swallowed");
            }
        });
        caller.start();
        for (StackTraceElement frame : stackOnceItWaits(caller, end)) {
            assertFalse(frame.isNativeMethod() && frame.getClassName().endsWith(".Library"), frame.toString());
        }
        caller.interrupt();
        String message = end.get(20, TimeUnit.SECONDS);
        assertTrue(message.contains("interrupted"), message);
    }

    /** State and stack of one moment: a caller that polls waits now and is inside the library a moment later. */
    private static StackTraceElement[] stackOnceItWaits(Thread caller, CompletableFuture<String> end) throws Exception {
        long begin = System.nanoTime();
        while (true) {
            ThreadInfo now = ManagementFactory.getThreadMXBean().getThreadInfo(caller.getId(), Integer.MAX_VALUE);
            assertFalse(end.isDone(), () -> end.join());
            Thread.State state = now == null ? Thread.State.NEW : now.getThreadState();
            if (state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING) {
                return now.getStackTrace();
            }
            assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(20), () -> "never waits in Java: " + now);
            Thread.sleep(1);
        }
    }

    @Test
    void aReadThatWasInterruptedDoesNotSpeakOfWrites() throws Exception {
        try (Silence silence = new Silence(); ChatblockClient client = silence.client(60_000)) {
            Thread.currentThread().interrupt();
            ChatblockException e = assertThrows(ChatblockException.class, () -> client.get("ann", 0, 1));
            assertTrue(Thread.interrupted());
            assertTrue(e.status() == Status.ERR_CANCELLED || e.status() == Status.ERR_TIMEOUT, e.getMessage());
            assertFalse(e.getMessage().contains("may have happened"), e.getMessage());
        }
    }

    @Test
    void aCallThatWaitsIsRefusedOnTheThreadThatCompletesFutures() throws Exception {
        try (ChatblockClient client = ChatblockClient.open("{}")) {
            for (int round = 0; round < 20; round++) {
                client.addAsync("ann", List.of("bob")).thenAccept(result -> {
                    // A future that is complete already runs what depends on it on the thread of this test.
                    if (Thread.currentThread().getName().equals("chatblock-completions")) {
                        assertThrows(IllegalStateException.class, () -> client.get("ann", 0, 1));
                    } else {
                        client.get("ann", 0, 1);
                    }
                }).get(20, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void closingEndsAFlushWithoutLimit() throws Exception {
        try (Silence silence = new Silence()) {
            ChatblockClient client = silence.client(60_000);
            client.addAsync("ann", List.of("bob"));
            CompletableFuture<Void> flush = CompletableFuture.runAsync(client::flush);
            assertThrows(TimeoutException.class, () -> flush.get(300, TimeUnit.MILLISECONDS));
            client.close(Duration.ofMillis(500));
            assertEquals(Status.ERR_CLOSED, status(() -> rethrow(flush)));
        }
    }

    @Test
    void aFlushThatRunsOutOfTimeSaysSo() throws Exception {
        try (Silence silence = new Silence(); ChatblockClient client = silence.client(60_000)) {
            client.addAsync("ann", List.of("bob"));
            assertEquals(Status.ERR_TIMEOUT, status(() -> client.flush(Duration.ofMillis(250))));
        }
    }

    @Test
    void cancellingAFutureCancelsTheCall() throws Exception {
        try (Silence silence = new Silence(); ChatblockClient client = silence.client(60_000)) {
            client.addAsync("ann", List.of("bob"));
            CompletableFuture<Result> waiting = client.deleteAsync("ann", List.of("cat"));
            assertTrue(waiting.cancel(false));
            assertTrue(waiting.isCancelled());
            assertTrue(client.stats().contains("\"cancelled\":1"), client.stats());
        }
    }

    @Test
    void closingFromACompletionDoesNotHang() throws Exception {
        ChatblockClient client = ChatblockClient.open(Map.of("path", folder.resolve("own.db").toString()));
        client.addAsync("ann", List.of("bob")).thenAccept(result -> client.close()).get(10, TimeUnit.SECONDS);
        openSoon("own.db").close();
    }

    @Test
    void resultsThatNobodyKeepsLeaveNothingBehind() throws Exception {
        try (ChatblockClient client = ChatblockClient.open("{}")) {
            drop(client, 5_000);
            long before = Memory.residentMib();
            drop(client, 50_000);
            long growth = Memory.residentMib() - before;
            assertTrue(growth < 16, "grew by " + growth + " MiB");
        }
    }

    private static void drop(ChatblockClient client, int count) throws Exception {
        for (int i = 0; i < count; i += 2) {
            client.check("ann", List.of("bob"), CheckType.BOTH);
            client.checkAsync("ann", List.of("bob"), CheckType.BOTH).get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void aDroppedClientIsClosed() throws Exception {
        ChatblockClient.open(Map.of("path", folder.resolve("a.db").toString())).add("ann", List.of("bob"));
        openSoon("a.db").close();
    }

    @Test
    void aDroppedClientIsClosedAlsoAfterCallsWithoutWaiting() throws Exception {
        ChatblockClient.open(Map.of("path", folder.resolve("b.db").toString()))
                .addAsync("ann", List.of("bob"))
                .get(10, TimeUnit.SECONDS);
        openSoon("b.db").close();
    }

    @Test
    void aClientIsNotCollectedWhileACallWaits() throws Exception {
        try (Silence silence = new Silence()) {
            CompletableFuture<Result> call = silence.client(1500).addAsync("ann", List.of("bob"));
            for (int i = 0; i < 10; i++) {
                System.gc();
                Thread.sleep(50);
            }
            assertEquals(Status.ERR_TIMEOUT, status(() -> rethrow(call)));
        }
    }

    /** A durable store has one client at a time: opening it shows that the other one is closed. */
    private ChatblockClient openSoon(String file) throws InterruptedException {
        while (true) {
            System.gc();
            try {
                return ChatblockClient.open(Map.of("path", folder.resolve(file).toString()));
            } catch (ChatblockException e) {
                assertEquals(Status.ERR_STORAGE, e.status());
                Thread.sleep(50);
            }
        }
    }

    private static Status status(Executable call) {
        return assertThrows(ChatblockException.class, call).status();
    }

    private static void rethrow(CompletableFuture<?> call) throws Throwable {
        throw assertThrows(ExecutionException.class, () -> call.get(20, TimeUnit.SECONDS)).getCause();
    }
}
