package invalid.example.chatblock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The memory of this process. */
final class Memory {
    private Memory() {
    }

    /** Resident MiB. The heap is touched in whole at the start (see pom.xml), so this grows by native memory only. */
    static long residentMib() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
            }
        }
        throw new IOException("no VmRSS");
    }
}
