package invalid.example.chatblock;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Map;

/** A service that takes connections and never answers. */
final class Silence implements AutoCloseable {
    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

    Silence() throws IOException {
    }

    /** A client whose calls end without an answer after so many milliseconds. */
    ChatblockClient client(int callMs) {
        return ChatblockClient.open(Map.of(
                "backend", "remote",
                "sdkappid", 1400000001,
                "secret_key", "synthetic-key-for-tests-0001",
                "base_url", "http://127.0.0.1:" + socket.getLocalPort(),
                "attempt_ms", callMs,
                "call_ms", callMs));
    }

    /** The same with an outbox. */
    ChatblockClient client(int callMs, Path outbox) {
        return ChatblockClient.open(Map.of(
                "backend", "remote",
                "sdkappid", 1400000001,
                "secret_key", "synthetic-key-for-tests-0001",
                "base_url", "http://127.0.0.1:" + socket.getLocalPort(),
                "outbox", Map.of("path", outbox.toString()),
                "attempt_ms", callMs,
                "call_ms", callMs));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
