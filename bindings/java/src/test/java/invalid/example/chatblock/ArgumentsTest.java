package invalid.example.chatblock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What goes into the library. */
class ArgumentsTest {
    private final ChatblockClient client = ChatblockClient.open(Map.of("account_charset", "utf8"));

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void textsOfAllWidthsGoThroughUnchanged() {
        List<String> accounts = List.of("a", "é", "߿", "ࠀ", "中文", "\uFFFD", "𐀀", "🐉", "\uDBFF\uDFFD", "aé中🐉\"\\'");
        client.add("中🐉", accounts);
        assertEquals(accounts, client.get("中🐉", 0, 100).items().stream().map(Item::account).toList());
        for (String account : accounts) {
            assertEquals(Answer.YES, client.isBlocked("中🐉", account), account);
        }
    }

    @Test
    void aTextWithANulIsRefusedEverywhere() {
        refusedEverywhere("bo\0b", "NUL");
    }

    @Test
    void anUnpairedSurrogateIsRefusedEverywhere() {
        for (String text : List.of("\uD83D", "\uDC09", "a\uD83Db", "\uDC09\uD83D", "\uD83D\uD83D\uDC09")) {
            refusedEverywhere(text, "surrogate");
        }
    }

    private void refusedEverywhere(String bad, String why) {
        List<String> list = List.of("bob", bad);
        List<String> good = List.of("bob");
        List<Executable> calls = List.of(
                () -> ChatblockClient.open(bad),
                () -> client.add(bad, good),
                () -> client.add("ann", list),
                () -> client.delete("ann", list),
                () -> client.check("ann", list, CheckType.BOTH),
                () -> client.get(bad, 0, 1),
                () -> client.call(bad, "{}"),
                () -> client.call("black_list_get", bad),
                () -> client.addAsync("ann", list),
                () -> client.deleteAsync(bad, good),
                () -> client.checkAsync("ann", list, CheckType.SINGLE),
                () -> client.getAsync(bad, 0, 1),
                () -> client.callAsync("black_list_get", bad),
                () -> client.isBlocked(bad, "bob"),
                () -> client.isBlocked("ann", bad),
                () -> client.isBlockedMany(list, "bob"),
                () -> client.isBlockedMany(good, bad),
                () -> client.blockedPairs(list),
                () -> client.watch(list),
                () -> client.unwatch(list),
                () -> client.applyWebhook(bad, ""),
                () -> UserSig.generate(1, bad, "ann", 1),
                () -> UserSig.generate(1, "key", bad, 1),
                () -> UserSig.verify(1, "key", "ann", bad));
        for (Executable call : calls) {
            String message = assertThrows(IllegalArgumentException.class, call).getMessage();
            assertTrue(message.contains(why), message);
        }
    }

    @Test
    void theMessageNamesTheElementOfAList() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> client.add("ann", List.of("bob", "c\0")));
        assertEquals("targets[1] contains a NUL at index 1", e.getMessage());
    }

    @Test
    void nullIsRefused() {
        assertThrows(NullPointerException.class, () -> client.add(null, List.of("bob")));
        assertThrows(NullPointerException.class, () -> client.add("ann", Arrays.asList("bob", null)));
        assertThrows(NullPointerException.class, () -> client.isBlocked("ann", null));
        assertThrows(NullPointerException.class, () -> ChatblockClient.open((String) null));
    }

    @Test
    void numbersThatDoNotFitAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> client.get("ann", -1, 10));
        assertThrows(IllegalArgumentException.class, () -> client.get("ann", 1L << 32, 10));
        assertThrows(IllegalArgumentException.class, () -> UserSig.generate(-1, "key", "ann", 1));
        assertThrows(IllegalArgumentException.class, () -> UserSig.generate(1, "key", "ann", 1L << 32));
    }

    @Test
    void aListOfAHundredThousandGoesThrough() {
        List<String> accounts = IntStream.range(0, 100_000).mapToObj(i -> "player-" + i).toList();
        List<Item> items = client.check("ann", accounts, CheckType.SINGLE).items();
        assertEquals(accounts, items.stream().map(Item::account).toList());
        assertEquals(accounts.size(), client.isBlockedMany(accounts, "bob").size());
    }

    @Test
    void theConfigurationIsTakenAsTextOrAsMaps() {
        Map<String, Object> config = Map.of("log", Map.of("to", "off", "colour", 1));
        for (Executable open : List.<Executable>of(
                () -> ChatblockClient.open(config),
                () -> ChatblockClient.open("{\"log\":{\"to\":\"off\",\"colour\":1}}"))) {
            ChatblockException e = assertThrows(ChatblockException.class, open);
            assertEquals(Status.ERR_CONFIG, e.status());
            assertTrue(e.getMessage().contains("colour"), e.getMessage());
        }
    }

    @Test
    void aSecretIsNotRepeatedInAMessage() {
        String secret = "synthetic-secret-0001";
        ChatblockException e = assertThrows(
                ChatblockException.class,
                () -> ChatblockClient.open(Map.of("backend", "remote", "sdkappid", 0, "secret_key", secret)));
        assertTrue(!e.toString().contains(secret) && !e.result().toString().contains(secret));
    }
}
