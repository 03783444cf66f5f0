package invalid.example.chatblock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class HotPathTest {
    private final ChatblockClient client = ChatblockClient.open("{}");

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void askingAllocatesNothing() {
        client.add("ann", List.of("bob"));
        ask(100_000);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        ask(100_000);
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        // What the measurement itself takes; one byte per question would be more.
        assertTrue(bytes < 100_000, bytes + " bytes");
    }

    private void ask(int times) {
        for (int i = 0; i < times; i++) {
            assertEquals(Answer.YES, client.isBlocked("ann", "bob"));
        }
    }

    @Test
    void aQuestionAboutAnInvalidAccountIsRefused() {
        for (String bad : List.of("", "x".repeat(33), "x".repeat(5000))) {
            refused(() -> client.isBlocked(bad, "bob"));
            refused(() -> client.isBlocked("ann", bad));
            refused(() -> client.isBlockedMany(List.of("ann", bad), "bob"));
            refused(() -> client.blockedPairs(List.of("ann", bad)));
        }
    }

    private static void refused(Executable question) {
        assertEquals(Status.ERR_ARGUMENT, assertThrows(ChatblockException.class, question).status());
    }

    @Test
    void allPairsAreFoundAlsoWhenThereAreMoreThanExpected() {
        List<String> accounts = IntStream.range(0, 20).mapToObj(i -> "p" + i).toList();
        Set<BlockedPairs.Pair> wanted = IntStream.range(0, 400)
                .filter(i -> i / 20 != i % 20)
                .mapToObj(i -> new BlockedPairs.Pair(i / 20, i % 20))
                .collect(Collectors.toSet());
        for (String account : accounts) {
            client.add(account, accounts.stream().filter(other -> !other.equals(account)).toList());
        }
        List<BlockedPairs.Pair> found = client.blockedPairs(accounts).pairs();
        assertEquals(wanted.size(), found.size());
        assertEquals(wanted, Set.copyOf(found));
    }
}
