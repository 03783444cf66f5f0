import invalid.example.chatblock.ChatblockClient;
import java.util.List;
public class Example {
    public static void main(String[] args) {
        try (ChatblockClient client = ChatblockClient.open("{}")) {
            System.out.println(client.add("ann", List.of("bob")).json());
            System.out.println(client.isBlocked("ann", "bob"));
        }
    }
}
