package invalid.example.chatblock;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.stream.IntStream;

/** How long a question takes; {@code run bench} prints it. */
final class Bench {
    private static final int OWNERS = 64;
    private static final int ROUNDS = 5;

    private Bench() {
    }

    public static void main(String[] arguments) {
        List<String> owners = IntStream.range(0, OWNERS).mapToObj(i -> "player-00000" + i).toList();
        try (ChatblockClient client = ChatblockClient.open("{}")) {
            for (int i = 0; i < OWNERS; i += 2) {
                client.add(owners.get(i), List.of("speaker-0000001"));
            }
            System.out.printf("one %.1f%n", best(2_000_000, times -> one(client, owners, times)));
            System.out.printf("many %.1f%n", best(2_000_000, times -> many(client, owners, times)));
        }
    }

    private interface Questions {
        int ask(int times);
    }

    /** Nanoseconds of this thread per question, in the best of some rounds; the first ones warm up. */
    private static double best(int times, Questions questions) {
        double best = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long begin = cpuTime();
            int blocked = questions.ask(times);
            best = Math.min(best, (double) (cpuTime() - begin) / times);
            if (blocked != times / 2) {
                throw new AssertionError(blocked + " of " + times + " are blocked");
            }
        }
        return best;
    }

    private static long cpuTime() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static int one(ChatblockClient client, List<String> owners, int times) {
        int blocked = 0;
        for (int i = 0; i < times; i++) {
            if (client.isBlocked(owners.get(i % OWNERS), "speaker-0000001") == Answer.YES) {
                blocked++;
            }
        }
        return blocked;
    }

    private static int many(ChatblockClient client, List<String> owners, int times) {
        int blocked = 0;
        for (int i = 0; i < times; i += OWNERS) {
            for (Answer answer : client.isBlockedMany(owners, "speaker-0000001")) {
                if (answer == Answer.YES) {
                    blocked++;
                }
            }
        }
        return blocked;
    }
}
