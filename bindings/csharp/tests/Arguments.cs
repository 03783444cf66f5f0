using System;
using System.Collections.Generic;
using System.Linq;

namespace Chatblock.Tests
{
    /// <summary>What goes into the library.</summary>
    internal static class Arguments
    {
        private static Client Open()
        {
            return new Client(new Dictionary<string, object> { { "account_charset", "utf8" } });
        }

        [Test]
        private static void TextsOfAllWidthsGoThroughUnchanged()
        {
            string[] accounts = { "a", "é", "\u07FF", "\u0800", "中文", "\uFFFD", "\U00010000", "🐉", "aé中🐉\"\\'" };
            using (Client client = Open())
            {
                client.Add("中🐉", accounts);
                Assert.Sequence(accounts, client.Get("中🐉", 0, 100).Items.Select(item => item.Account));
                foreach (string account in accounts)
                {
                    Assert.Equal(Answer.Yes, client.IsBlocked("中🐉", account), account);
                }
            }
        }

        [Test]
        private static void ATextWithANulIsRefusedEverywhere()
        {
            RefusedEverywhere("bo\0b", "NUL");
        }

        [Test]
        private static void AnUnpairedSurrogateIsRefusedEverywhere()
        {
            foreach (string text in new[] { "\uD83D", "\uDC09", "a\uD83Db", "\uDC09\uD83D", "\uD83D\uD83D\uDC09" })
            {
                RefusedEverywhere(text, "surrogate");
            }
        }

        private static void RefusedEverywhere(string bad, string why)
        {
            string[] list = { "bob", bad };
            string[] good = { "bob" };
            using (Client client = Open())
            {
                var calls = new Action[]
                {
                    () => new Client(bad),
                    () => client.Add(bad, good),
                    () => client.Add("ann", list),
                    () => client.Delete("ann", list),
                    () => client.Check("ann", list, CheckType.Both),
                    () => client.Get(bad, 0, 1),
                    () => client.Call(bad, "{}"),
                    () => client.Call("black_list_get", bad),
                    () => client.AddAsync("ann", list),
                    () => client.DeleteAsync(bad, good),
                    () => client.CheckAsync("ann", list, CheckType.Single),
                    () => client.GetAsync(bad, 0, 1),
                    () => client.CallAsync("black_list_get", bad),
                    () => client.IsBlocked(bad, "bob"),
                    () => client.IsBlocked("ann", bad),
                    () => client.IsBlockedMany(list, "bob"),
                    () => client.IsBlockedMany(good, bad),
                    () => client.BlockedPairs(list),
                    () => client.Watch(list),
                    () => client.Unwatch(list),
                    () => client.ApplyWebhook(bad, new byte[0]),
                    () => UserSig.Generate(1, bad, "ann", 1),
                    () => UserSig.Generate(1, "key", bad, 1),
                    () => UserSig.Verify(1, "key", "ann", bad),
                };
                foreach (Action call in calls)
                {
                    string message = Assert.Throws<ArgumentException>(call).Message;
                    Assert.True(message.Contains(why), message);
                }
            }
        }

        [Test]
        private static void TheExceptionNamesTheElementOfAList()
        {
            using (Client client = Open())
            {
                var e = Assert.Throws<ArgumentException>(() => client.Add("ann", new[] { "bob", "c\0" }));
                Assert.Equal("targets[1]", e.ParamName);
            }
        }

        [Test]
        private static void NullIsRefused()
        {
            using (Client client = Open())
            {
                var calls = new Action[]
                {
                    () => client.Add(null, new[] { "bob" }),
                    () => client.Add("ann", null),
                    () => client.Add("ann", new[] { "bob", null }),
                    () => client.IsBlocked("ann", null),
                    () => client.ApplyWebhook("", null),
                    () => new Client((string)null),
                    () => new Client((IDictionary<string, object>)null),
                };
                foreach (Action call in calls)
                {
                    Assert.Throws<ArgumentNullException>(call);
                }
            }
        }

        [Test]
        private static void AListOfAHundredThousandGoesThrough()
        {
            List<string> accounts = Enumerable.Range(0, 100000).Select(i => "player-" + i).ToList();
            using (Client client = Open())
            {
                Assert.Sequence(
                    accounts,
                    client.Check("ann", accounts, CheckType.Single).Items.Select(item => item.Account));
                Assert.Equal(accounts.Count, client.IsBlockedMany(accounts, "bob").Count);
            }
        }

        [Test]
        private static void AConfigurationIsTakenAsDictionaries()
        {
            var log = new Dictionary<string, object> { { "to", "off" }, { "level", "\"\\\n\u001F🐉" } };
            var e = Assert.Throws<ChatblockException>(
                () => new Client(new Dictionary<string, object> { { "log", log }, { "rate_per_second", 200 } }));
            Assert.Equal(Status.Config, e.Status);
            Assert.True(e.Message.Contains("log.level"), e.Message);

            log["level"] = "warn";
            new Client(new Dictionary<string, object> { { "log", log }, { "rate_per_second", 200u } }).Dispose();
        }

        [Test]
        private static void AConfigurationOfAnotherTypeIsRefused()
        {
            Assert.Throws<ArgumentException>(
                () => new Client(new Dictionary<string, object> { { "call_ms", TimeSpan.Zero } }));
        }

        [Test]
        private static void ASecretIsNotRepeatedInAnException()
        {
            const string Secret = "synthetic-secret-0001";
            var config = new Dictionary<string, object>
            {
                { "backend", "remote" },
                { "sdkappid", 0 },
                { "secret_key", Secret },
            };
            var e = Assert.Throws<ChatblockException>(() => new Client(config));
            Assert.Equal(Status.Config, e.Status);
            Assert.True(!e.ToString().Contains(Secret), "the secret is in the exception");
        }
    }
}
