package invalid.example.chatblock;

import com.google.gson.Gson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The service's protocol in a process of its own: {@code chatblock serve}. */
final class Service implements AutoCloseable {
    private static final String LISTENING = "listening on ";

    private final Process process;
    final String url;

    /** Serves on a free port, or on that of an earlier one. */
    Service(Path folder, String listen, Map<String, ?> more) throws IOException {
        Map<String, Object> config = app();
        config.put("backend", "embedded");
        config.putAll(more);
        Path file = folder.resolve("serve.json");
        Files.writeString(file, new Gson().toJson(config));
        process = new ProcessBuilder(
                        System.getenv("CHATBLOCK_PREFIX") + "/bin/chatblock",
                        "serve", "--config", file.toString(), "--listen", listen)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line = process.inputReader(StandardCharsets.UTF_8).readLine();
        if (line == null || !line.startsWith(LISTENING)) {
            close();
            throw new IOException("serve said " + line);
        }
        url = line.substring(LISTENING.length());
    }

    String listen() {
        return url.substring("http://".length());
    }

    /** A configuration for clients of it. */
    static Map<String, Object> remote(String url) {
        Map<String, Object> config = app();
        config.put("backend", "remote");
        config.put("base_url", url);
        return config;
    }

    private static Map<String, Object> app() {
        Map<String, Object> app = new HashMap<>();
        app.put("sdkappid", 1400000001);
        app.put("secret_key", "synthetic-key-for-tests-0001");
        return app;
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
