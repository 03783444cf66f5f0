package invalid.example.chatblock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.ToNumberPolicy;
import com.google.gson.reflect.TypeToken;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The steps that every host language goes through. */
class ScenarioTest {
    private ChatblockClient client;

    @Test
    void everyStepOfTheScenarioAnswersAsExpected() throws Exception {
        String text = Files.readString(Path.of(System.getProperty("chatblock.scenario")));
        JsonArray steps = JsonParser.parseString(text).getAsJsonObject().getAsJsonArray("steps");
        int number = 0;
        for (JsonElement element : steps) {
            number++;
            JsonObject step = element.getAsJsonObject();
            try {
                take(step, step.has("expect") ? step.getAsJsonObject("expect") : new JsonObject());
            } catch (Throwable e) {
                throw new AssertionError("step " + number + " " + step + ": " + e.getMessage(), e);
            }
        }
        System.out.println("scenario: " + number + " steps");
    }

    private void take(JsonObject step, JsonObject expect) throws Exception {
        String action = step.get("do").getAsString();
        switch (action) {
            case "version" ->
                assertTrue(ChatblockClient.version().startsWith(expect.get("starts_with").getAsString()));
            case "open" -> client = ChatblockClient.open(config(step));
            case "open_fails" -> Outcome.failure(() -> ChatblockClient.open(config(step))).matches(expect);
            case "add", "delete", "check", "get", "call" -> Outcome.of(() -> ask(action, step)).matches(expect);
            case "is_blocked" -> isBlocked(step, expect);
            case "is_blocked_many" -> {
                List<Answer> answers = client.isBlockedMany(texts(step, "owners"), string(step, "peer"));
                assertEquals(texts(expect, "answers"), answers.stream().map(Enum::name).toList());
            }
            case "blocked_pairs" -> blockedPairs(step, expect);
            case "watch" -> client.watch(texts(step, "owners"));
            case "unwatch" -> client.unwatch(texts(step, "owners"));
            case "async" -> async(step, expect);
            case "flush" -> client.flush(Duration.ofSeconds(10));
            case "sync_fails" -> Outcome.failure(() -> client.sync(Duration.ofSeconds(1))).matches(expect);
            case "backup_fails" -> Outcome.failure(() -> client.backup(Path.of("no-copy.db"))).matches(expect);
            case "backup" -> backup(step, expect);
            case "cancel" ->
                assertEquals(expect.get("cancelled").getAsInt(), client.cancel(step.get("tag").getAsLong()));
            case "stats" -> stats(expect);
            case "usersig" -> usersig(step);
            case "usersig_fails" ->
                Outcome.failure(() -> UserSig.verify(
                        step.get("sdkappid").getAsLong(),
                        string(step, "key"),
                        string(step, "identifier"),
                        string(step, "usersig"))).matches(expect);
            case "webhook" -> {
                Outcome refused = Outcome.failure(
                        () -> client.applyWebhook(string(step, "query"), string(step, "body")));
                refused.matches(expect);
                assertTrue(JsonParser.parseString(refused.result().json()).isJsonObject());
            }
            case "bad_value" -> badValue(step);
            case "many_results" -> manyResults(step);
            case "submit_and_close" -> submitAndClose(step);
            case "after_close" -> afterClose();
            default -> throw new AssertionError("unknown step");
        }
    }

    private void backup(JsonObject step, JsonObject expect) throws Exception {
        Path folder = Files.createTempDirectory("chatblock-");
        Path copy = folder.resolve("copy.db");
        try {
            Map<String, Object> config = Map.of("backend", "embedded", "path", folder.resolve("lists.db").toString());
            try (ChatblockClient store = ChatblockClient.open(config)) {
                store.add(string(step, "from"), texts(step, "to"));
                store.backup(copy);
                Outcome.failure(() -> store.backup(copy)).matches(expect);
            }
            try (ChatblockClient copied = ChatblockClient.open(Map.of("backend", "embedded", "path", copy.toString()))) {
                List<Item> items = copied.get(string(step, "from"), 0, 100).items();
                assertEquals(texts(step, "to"), items.stream().map(Item::account).toList());
            }
        } finally {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    private Result ask(String action, JsonObject step) {
        return switch (action) {
            case "add" -> client.add(string(step, "from"), texts(step, "to"));
            case "delete" -> client.delete(string(step, "from"), texts(step, "to"));
            case "check" ->
                client.check(string(step, "from"), texts(step, "to"), CheckType.valueOf(string(step, "type")));
            case "get" ->
                client.get(string(step, "from"), step.get("start").getAsLong(), step.get("max").getAsInt());
            default -> client.call(string(step, "command"), string(step, "request"));
        };
    }

    private void isBlocked(JsonObject step, JsonObject expect) {
        Supplier<Answer> question = () -> client.isBlocked(string(step, "owner"), string(step, "peer"));
        if (expect.has("answer")) {
            assertEquals(string(expect, "answer"), question.get().name());
        } else {
            Outcome.failure(question::get).matches(expect);
        }
    }

    /** Values other than null are refused by the compiler. */
    private void badValue(JsonObject step) {
        if (!step.get("value").isJsonNull()) {
            return;
        }
        String argument = string(step, "argument");
        Map<String, List<String>> lists = new HashMap<>();
        for (String name : List.of("targets", "owners", "accounts")) {
            lists.put(name, new ArrayList<>(List.of("bob", "cem")));
        }
        Map<String, String> texts = new HashMap<>(Map.of("owner", "ann", "peer", "bob"));
        String name = argument;
        if (step.has("index")) {
            lists.get(argument).set(step.get("index").getAsInt(), null);
            name += "[" + step.get("index").getAsInt() + "]";
        } else {
            lists.remove(argument);
            texts.remove(argument);
        }
        Executable call = switch (string(step, "function")) {
            case "add" -> () -> client.add(texts.get("owner"), lists.get("targets"));
            case "delete" -> () -> client.delete(texts.get("owner"), lists.get("targets"));
            case "check" -> () -> client.check(texts.get("owner"), lists.get("targets"), CheckType.BOTH);
            case "is_blocked" -> () -> client.isBlocked(texts.get("owner"), texts.get("peer"));
            case "is_blocked_many" -> () -> client.isBlockedMany(lists.get("owners"), texts.get("peer"));
            case "blocked_pairs" -> () -> client.blockedPairs(lists.get("accounts"));
            case "watch" -> () -> client.watch(lists.get("owners"));
            default -> throw new AssertionError("unknown function");
        };
        assertEquals(name + " is null", assertThrows(NullPointerException.class, call).getMessage());
    }

    private void blockedPairs(JsonObject step, JsonObject expect) {
        BlockedPairs found = client.blockedPairs(texts(step, "accounts"));
        Set<BlockedPairs.Pair> wanted = new HashSet<>();
        for (JsonElement pair : expect.getAsJsonArray("pairs")) {
            JsonArray indices = pair.getAsJsonArray();
            wanted.add(new BlockedPairs.Pair(indices.get(0).getAsInt(), indices.get(1).getAsInt()));
        }
        assertEquals(wanted, new HashSet<>(found.pairs()));
        assertEquals(wanted.size(), found.pairs().size());
        assertEquals(expect.get("unknown").getAsLong(), found.unknown());
    }

    private void async(JsonObject step, JsonObject expect) throws Exception {
        String from = string(step, "from");
        List<CompletableFuture<Result>> calls = submit(from, step.get("count").getAsInt());
        for (int i = 0; i < calls.size(); i++) {
            Result result = calls.get(i).get(30, TimeUnit.SECONDS);
            assertEquals(string(expect, "status"), result.status().name());
            assertEquals(List.of("t" + i), result.items().stream().map(Item::account).toList());
        }
        int listed = 0;
        long next = 0;
        do {
            Result page = client.get(from, next, 300);
            listed += page.items().size();
            next = page.nextIndex();
        } while (next != 0);
        assertEquals(expect.get("listed").getAsInt(), listed);
    }

    private List<CompletableFuture<Result>> submit(String from, int count) {
        List<CompletableFuture<Result>> calls = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            calls.add(client.addAsync(from, List.of("t" + i)));
        }
        return calls;
    }

    private void stats(JsonObject expect) {
        JsonObject stats = JsonParser.parseString(client.stats()).getAsJsonObject();
        for (Map.Entry<String, JsonElement> wanted : expect.getAsJsonObject("has").entrySet()) {
            JsonElement found = stats;
            for (String name : wanted.getKey().split("\\.")) {
                found = found.getAsJsonObject().get(name);
            }
            assertEquals(wanted.getValue(), found, wanted.getKey());
        }
    }

    private static void usersig(JsonObject step) {
        long app = step.get("sdkappid").getAsLong();
        String usersig = UserSig.generate(
                app, string(step, "key"), string(step, "identifier"), step.get("expire").getAsLong());
        UserSig.verify(app, string(step, "key"), string(step, "identifier"), usersig);
    }

    private void manyResults(JsonObject step) throws Exception {
        String from = string(step, "from");
        drop(from, 1000);
        long before = Memory.residentMib();
        drop(from, step.get("count").getAsInt());
        long growth = Memory.residentMib() - before;
        assertTrue(growth < step.get("max_growth_mib").getAsLong(), "grew by " + growth + " MiB");
    }

    private void drop(String from, int count) {
        for (int i = 0; i < count; i++) {
            client.check(from, List.of("bob"), CheckType.BOTH);
        }
    }

    private void submitAndClose(JsonObject step) throws Exception {
        List<CompletableFuture<Result>> calls = submit(string(step, "from"), step.get("count").getAsInt());
        client.close();
        for (CompletableFuture<Result> call : calls) {
            try {
                assertEquals(Status.OK, call.get(10, TimeUnit.SECONDS).status());
            } catch (ExecutionException e) {
                assertEquals(Status.ERR_CLOSED, ((ChatblockException) e.getCause()).status());
            }
        }
    }

    private void afterClose() {
        List<String> bob = List.of("bob");
        List<Executable> calls = List.of(
                () -> client.add("ann", bob),
                () -> client.delete("ann", bob),
                () -> client.check("ann", bob, CheckType.BOTH),
                () -> client.get("ann", 0, 10),
                () -> client.call("black_list_get", "{}"),
                () -> cause(client.addAsync("ann", bob)),
                () -> cause(client.deleteAsync("ann", bob)),
                () -> cause(client.checkAsync("ann", bob, CheckType.BOTH)),
                () -> cause(client.getAsync("ann", 0, 10)),
                () -> cause(client.callAsync("black_list_get", "{}")),
                () -> client.isBlocked("ann", "bob"),
                () -> client.isBlockedMany(bob, "ann"),
                () -> client.blockedPairs(bob),
                () -> client.watch(bob),
                () -> client.unwatch(bob),
                () -> client.flush(),
                () -> client.sync(),
                () -> client.backup(Path.of("copy.db")),
                () -> client.onReplayed(result -> { }),
                () -> client.applyWebhook("", ""),
                () -> client.stats());
        for (Executable call : calls) {
            assertEquals(Status.ERR_CLOSED, assertThrows(ChatblockException.class, call).status());
        }
        assertTrue(client.close(Duration.ZERO));
    }

    private static void cause(CompletableFuture<Result> call) throws Throwable {
        throw assertThrows(ExecutionException.class, () -> call.get(10, TimeUnit.SECONDS)).getCause();
    }

    private static Map<String, Object> config(JsonObject step) {
        Gson gson = new GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();
        return gson.fromJson(step.get("config"), new TypeToken<Map<String, Object>>() { }.getType());
    }

    private static String string(JsonObject object, String name) {
        return object.get(name).getAsString();
    }

    private static List<String> texts(JsonObject object, String name) {
        List<String> texts = new ArrayList<>();
        object.getAsJsonArray(name).forEach(text -> texts.add(text.getAsString()));
        return texts;
    }
}
