package invalid.example.chatblock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.function.Executable;

/** What a call answered or threw, to be compared with what the scenario expects. */
record Outcome(Result result, boolean thrown) {
    private static final JsonPrimitive ANY = new JsonPrimitive("<any>");

    static Outcome of(Supplier<Result> call) {
        try {
            return new Outcome(call.get(), false);
        } catch (ChatblockException e) {
            return thrown(e);
        }
    }

    static Outcome failure(Executable call) {
        return thrown(assertThrows(ChatblockException.class, call));
    }

    private static Outcome thrown(ChatblockException e) {
        assertEquals(e.result().status(), e.status());
        assertEquals(e.result().serviceCode(), e.serviceCode());
        assertEquals(e.result().retryable(), e.retryable());
        assertTrue(e.getMessage().contains(e.result().message()));
        return new Outcome(e.result(), true);
    }

    void matches(JsonObject expect) {
        for (String name : expect.keySet()) {
            JsonElement wanted = expect.get(name);
            switch (name) {
                case "status" -> {
                    assertEquals(wanted.getAsString(), result.status().name(), result.message());
                    assertEquals(wanted.getAsString().startsWith("ERR_"), thrown);
                }
                case "service_code" -> assertEquals(wanted.getAsInt(), result.serviceCode());
                case "retryable" -> assertEquals(wanted.getAsBoolean(), result.retryable());
                case "message_has" ->
                    assertTrue(result.message().contains(wanted.getAsString()), result.message());
                case "command" -> assertEquals(wanted.getAsString(), result.command());
                case "from" -> assertEquals(wanted.getAsString(), result.owner());
                case "next_index" -> assertEquals(wanted.getAsLong(), result.nextIndex());
                case "items" -> items(wanted.getAsJsonArray());
                case "timed" -> timed();
                case "json" -> {
                    JsonElement found = JsonParser.parseString(result.json());
                    assertTrue(equal(wanted, found), () -> "expected " + wanted + ", came " + found);
                }
                default -> throw new AssertionError("unknown expectation " + name);
            }
        }
    }

    private void items(JsonArray wanted) {
        List<List<Object>> found = result.items().stream()
                .map(item -> List.<Object>of(item.account(), item.status().name(), item.code(), item.relation().name()))
                .toList();
        List<List<Object>> expected = wanted.asList().stream()
                .map(JsonElement::getAsJsonArray)
                .map(item -> List.<Object>of(
                        item.get(0).getAsString(),
                        item.get(1).getAsString(),
                        item.get(2).getAsInt(),
                        item.get(3).getAsString()))
                .toList();
        assertEquals(expected, found);
    }

    private void timed() {
        long now = Instant.now().getEpochSecond();
        for (Item item : result.items()) {
            assertTrue(Math.abs(now - item.time()) <= 60, item::toString);
        }
    }

    private static boolean equal(JsonElement wanted, JsonElement found) {
        if (wanted.equals(ANY)) {
            return found != null;
        }
        if (found == null) {
            return false;
        }
        if (wanted.isJsonObject() && found.isJsonObject()) {
            JsonObject left = wanted.getAsJsonObject();
            JsonObject right = found.getAsJsonObject();
            return left.keySet().equals(right.keySet())
                    && left.keySet().stream().allMatch(name -> equal(left.get(name), right.get(name)));
        }
        if (wanted.isJsonArray() && found.isJsonArray()) {
            JsonArray left = wanted.getAsJsonArray();
            JsonArray right = found.getAsJsonArray();
            boolean same = left.size() == right.size();
            for (int i = 0; same && i < left.size(); i++) {
                same = equal(left.get(i), right.get(i));
            }
            return same;
        }
        return wanted.equals(found);
    }
}
