package invalid.example.chatblock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The remote backend, against the library's own server. */
@Timeout(60)
class RemoteTest {
    @TempDir
    Path folder;

    @Test
    void callsGoOverHttp() throws Exception {
        try (Service service = new Service(folder, "127.0.0.1:0", Map.of());
                ChatblockClient client = ChatblockClient.open(Service.remote(service.url))) {
            assertEquals(Status.OK, client.add("ann", List.of("bob")).status());
            assertEquals(Status.UNCHANGED, client.add("ann", List.of("bob")).items().get(0).status());
            Result list = client.getAsync("ann", 0, 10).get(10, TimeUnit.SECONDS);
            assertEquals(List.of("bob"), list.items().stream().map(Item::account).toList());
            Result relation = client.checkAsync("bob", List.of("ann"), CheckType.BOTH).get(10, TimeUnit.SECONDS);
            assertEquals(Relation.B_WITH_A, relation.items().get(0).relation());
        }
    }

    @Test
    void anOwnerIsUnknownUntilItIsWatched() throws Exception {
        try (Service service = new Service(folder, "127.0.0.1:0", Map.of());
                ChatblockClient client = ChatblockClient.open(Service.remote(service.url))) {
            client.add("ann", List.of("bob"));
            assertEquals(Answer.UNKNOWN, client.isBlocked("ann", "bob"));
            assertEquals(List.of(Answer.UNKNOWN), client.isBlockedMany(List.of("ann"), "bob"));
            assertEquals(new BlockedPairs(List.of(), 2), client.blockedPairs(List.of("ann", "bob")));
            client.watch(List.of("ann"));
            while (client.isBlocked("ann", "bob") == Answer.UNKNOWN) {
                Thread.sleep(5);
            }
            assertEquals(Answer.YES, client.isBlocked("ann", "bob"));
            assertEquals(Answer.NO, client.isBlocked("ann", "cat"));
            BlockedPairs pairs = client.blockedPairs(List.of("ann", "bob"));
            assertEquals(new BlockedPairs(List.of(new BlockedPairs.Pair(0, 1)), 1), pairs);
        }
    }

    @Test
    void aServiceThatIsGoneIsANetworkError() throws Exception {
        Map<String, Object> config = Service.remote("http://127.0.0.1:1");
        config.put("call_ms", 500);
        try (ChatblockClient client = ChatblockClient.open(config)) {
            ChatblockException e = assertThrows(ChatblockException.class, () -> client.add("ann", List.of("bob")));
            assertEquals(Status.ERR_CONNECT, e.status());
            assertTrue(e.retryable());
            assertEquals("ann", e.result().owner());
            assertEquals(List.of("bob"), e.result().items().stream().map(Item::account).toList());
        }
    }

    @Test
    void aWriteThatIsOnDiskAndNotAnsweredIsQueued() throws Exception {
        Map<String, Object> config = Service.remote("http://127.0.0.1:1");
        config.put("call_ms", 3000);
        config.put("outbox", Map.of("path", folder.resolve("outbox.db").toString()));
        try (ChatblockClient client = ChatblockClient.open(config)) {
            ChatblockException e = assertThrows(ChatblockException.class, () -> client.add("ann", List.of("bob")));
            assertEquals(Status.ERR_QUEUED, e.status());
            assertFalse(e.retryable());
        }
    }

    @Test
    void aWebhookIsAppliedOrRefusedAndAnsweredInBothCases() {
        Map<String, Object> config = Service.remote("http://127.0.0.1:1");
        config.put("webhook", Map.of("unsigned", true));
        String query = "SdkAppid=1400000001&CallbackCommand=Sns.CallbackBlackListAdd&contenttype=json";
        String body = "{\"CallbackCommand\":\"Sns.CallbackBlackListAdd\","
                + "\"PairList\":[{\"From_Account\":\"ann\",\"To_Account\":\"bob\"}]}";
        try (ChatblockClient client = ChatblockClient.open(config)) {
            Result applied = client.applyWebhook(query, body);
            assertTrue(JsonParser.parseString(applied.json()).isJsonObject());
            ChatblockException refused =
                    assertThrows(ChatblockException.class, () -> client.applyWebhook(query, "\0{"));
            assertEquals(Status.ERR_REQUEST, refused.status());
            assertTrue(JsonParser.parseString(refused.result().json()).isJsonObject());
        }
    }

    @Test
    void aRefusedWriteOfAnEarlierClientIsHandedOver() throws Exception {
        String listen;
        try (Service service = new Service(folder, "127.0.0.1:0", Map.of())) {
            listen = service.listen();
        }
        Map<String, Object> config = Service.remote("http://" + listen);
        config.put("outbox", Map.of("path", folder.resolve("outbox.db").toString()));
        try (ChatblockClient earlier = ChatblockClient.open(config)) {
            earlier.addAsync("ann", List.of("bob"));
            earlier.sync();
        }
        BlockingQueue<Result> replayed = new LinkedBlockingQueue<>();
        BlockingQueue<Throwable> reported = new LinkedBlockingQueue<>();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> reported.add(e));
        try (Service service = new Service(folder, listen, Map.of("accounts", "imported"));
                ChatblockClient client = ChatblockClient.open(config)) {
            client.onReplayed(result -> {
                replayed.add(result);
                throw new IllegalStateException("a handler that fails");
            });
            Result refused = replayed.poll(20, TimeUnit.SECONDS);
            assertEquals(Status.ERR_SERVICE, refused.status());
            assertEquals("black_list_add", refused.command());
            assertEquals("ann", refused.owner());
            assertEquals(List.of("bob"), refused.items().stream().map(Item::account).toList());
            assertEquals("a handler that fails", reported.poll(10, TimeUnit.SECONDS).getMessage());
            // It did not end the thread that serves the futures.
            assertEquals(0, client.getAsync("ann", 0, 1).handle((list, e) -> 0).get(10, TimeUnit.SECONDS));
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(null);
        }
    }
}
