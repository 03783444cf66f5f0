using System;
using System.Collections.Generic;
using System.Linq;

namespace Chatblock.Tests
{
    internal static class HotPath
    {
        [Test]
        private static void AskingAllocatesNothing()
        {
            using (var client = new Client("{}"))
            {
                client.Add("ann", new[] { "bob" });
                Ask(client, 1000);
                int before = GC.CollectionCount(0);
                Ask(client, 1000000);
                Assert.Equal(before, GC.CollectionCount(0), "collections:");
            }
        }

        private static void Ask(Client client, int times)
        {
            for (int i = 0; i < times; i++)
            {
                if (client.IsBlocked("ann", "bob") != Answer.Yes)
                {
                    throw new InvalidOperationException("ann blocks bob");
                }
            }
        }

        [Test]
        private static void AQuestionAboutAnInvalidAccountIsRefused()
        {
            using (var client = new Client("{}"))
            {
                foreach (string bad in new[] { "", new string('x', 33), new string('x', 5000) })
                {
                    Assert.Fails(Status.Argument, () => client.IsBlocked(bad, "bob"));
                    Assert.Fails(Status.Argument, () => client.IsBlocked("ann", bad));
                    Assert.Fails(Status.Argument, () => client.IsBlockedMany(new[] { "ann", bad }, "bob"));
                    Assert.Fails(Status.Argument, () => client.BlockedPairs(new[] { "ann", bad }));
                }
            }
        }

        [Test]
        private static void AllPairsAreFoundAlsoWhenThereAreMoreThanExpected()
        {
            List<string> accounts = Enumerable.Range(0, 20).Select(i => "p" + i).ToList();
            using (var client = new Client("{}"))
            {
                foreach (string account in accounts)
                {
                    client.Add(account, accounts.Where(other => other != account));
                }
                Assert.Sequence(
                    Enumerable.Range(0, 400).Where(i => i / 20 != i % 20),
                    client.BlockedPairs(accounts).Pairs.Select(pair => 20 * pair.Owner + pair.Blocked).OrderBy(i => i));
            }
        }
    }
}
