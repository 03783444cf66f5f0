package invalid.example.chatblock;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the README shows is run. */
class ReadmeTest {
    private final List<String> refused = new ArrayList<>();
    private final List<String> again = new ArrayList<>();

    private void block(ChatblockClient client, List<String> players) {
        try {
            for (Item item : client.add("ann", players).items()) {
                if (item.status() == Status.ERR_SERVICE) {
                    refused.add(item.account());
                }
            }
        } catch (ChatblockException e) {
            if (e.retryable()) {
                again.addAll(players);
            }
        }
    }

    @Test
    void theReadmeTellsRefusedAccountsFromThoseToTryAgain() {
        try (ChatblockClient client = ChatblockClient.open("{}")) {
            block(client, List.of("bob", "ann"));
        }
        assertEquals(List.of("ann"), refused);
        assertEquals(List.of(), again);
    }
}
