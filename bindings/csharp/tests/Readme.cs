using System.Collections.Generic;
using System.Threading.Tasks;

namespace Chatblock.Tests
{
    /// <summary>What the README shows is run.</summary>
    internal static class Readme
    {
        private static readonly List<string> Refused = new List<string>();
        private static readonly List<string> Again = new List<string>();

        private static async Task Block(Client client, string[] players)
        {
            try
            {
                foreach (Item item in (await client.AddAsync("ann", players)).Items)
                {
                    if (item.Status == Status.Service)
                    {
                        Refused.Add(item.Account);
                    }
                }
            }
            catch (ChatblockException e) when (e.Retryable)
            {
                Again.AddRange(players);
            }
        }

        [Test]
        private static void TheReadmeTellsRefusedAccountsFromThoseToTryAgain()
        {
            using (var client = new Client("{}"))
            {
                Block(client, new[] { "bob", "ann" }).Wait();
            }
            Assert.Sequence(new[] { "ann" }, Refused);
            Assert.Sequence(new string[0], Again);
        }
    }
}
