using System;
class Example {
    static void Main() {
        using (var client = new Chatblock.Client("{}")) {
            var result = client.Add("ann", new[] { "bob" });
            Console.WriteLine(result.Json);
            Console.WriteLine(client.IsBlocked("ann", "bob"));
        }
    }
}
