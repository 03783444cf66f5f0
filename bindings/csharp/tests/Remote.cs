using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Json;
using System.Linq;
using System.Text;
using System.Threading;

namespace Chatblock.Tests
{
    /// <summary>The remote backend, against the library's own server.</summary>
    internal static class Remote
    {
        private static readonly string[] Bob = { "bob" };

        [Test]
        private static void CallsGoOverHttp()
        {
            using (var service = new Service())
            using (var client = new Client(Service.Remote(service.Url)))
            {
                Assert.Equal(Status.Ok, client.Add("ann", Bob).Status);
                Assert.Equal(Status.Unchanged, client.AddAsync("ann", Bob).Result.Items[0].Status);
                Assert.Sequence(Bob, client.GetAsync("ann", 0, 10).Result.Items.Select(item => item.Account));
                Result relation = client.CheckAsync("bob", new[] { "ann" }, CheckType.Both).Result;
                Assert.Equal(Relation.BWithA, relation.Items[0].Relation);
            }
        }

        [Test]
        private static void AnOwnerIsUnknownUntilItIsWatched()
        {
            using (var service = new Service())
            using (var client = new Client(Service.Remote(service.Url)))
            {
                client.Add("ann", Bob);
                Assert.Equal(Answer.Unknown, client.IsBlocked("ann", "bob"));
                Assert.Sequence(new[] { Answer.Unknown }, client.IsBlockedMany(new[] { "ann" }, "bob"));
                Assert.Equal(2, client.BlockedPairs(new[] { "ann", "bob" }).Unknown);
                client.Watch(new[] { "ann" });
                while (client.IsBlocked("ann", "bob") == Answer.Unknown)
                {
                    Thread.Sleep(5);
                }
                Assert.Equal(Answer.Yes, client.IsBlocked("ann", "bob"));
                Assert.Equal(Answer.No, client.IsBlocked("ann", "cat"));
                BlockedPairs pairs = client.BlockedPairs(new[] { "ann", "bob" });
                Assert.Sequence(new[] { "0 blocks 1" }, pairs.Pairs.Select(pair => pair.Owner + " blocks " + pair.Blocked));
                Assert.Equal(1, pairs.Unknown);
            }
        }

        [Test]
        private static void AServiceThatIsGoneIsAConnectError()
        {
            Dictionary<string, object> config = Service.Remote("http://127.0.0.1:1");
            config["call_ms"] = 500;
            using (var client = new Client(config))
            {
                var e = Assert.Throws<ChatblockException>(() => client.Add("ann", Bob));
                Assert.Equal(Status.Connect, e.Status);
                Assert.True(e.Retryable, "it may succeed later");
                Assert.Equal("ann", e.Result.Owner);
                Assert.Sequence(Bob, e.Result.Items.Select(item => item.Account));
            }
        }

        [Test]
        private static void AWriteThatIsOnDiskAndNotAnsweredIsQueued()
        {
            string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            Directory.CreateDirectory(folder);
            Dictionary<string, object> config = Service.Remote("http://127.0.0.1:1");
            config["call_ms"] = 3000;
            config["outbox"] = new Dictionary<string, object> { { "path", Path.Combine(folder, "outbox.db") } };
            using (var client = new Client(config))
            {
                var e = Assert.Throws<ChatblockException>(() => client.Add("ann", Bob));
                Assert.Equal(Status.Queued, e.Status);
                Assert.True(!e.Retryable, "it will be sent");
            }
            Directory.Delete(folder, true);
        }

        [Test]
        private static void AWebhookIsAppliedOrRefusedAndAnsweredInBothCases()
        {
            const string Query = "SdkAppid=1400000001&CallbackCommand=Sns.CallbackBlackListAdd&contenttype=json";
            const string Body = "{\"CallbackCommand\":\"Sns.CallbackBlackListAdd\","
                + "\"PairList\":[{\"From_Account\":\"ann\",\"To_Account\":\"bob\"}]}";
            Dictionary<string, object> config = Service.Remote("http://127.0.0.1:1");
            config["webhook"] = new Dictionary<string, object> { { "unsigned", true } };
            using (var client = new Client(config))
            {
                Result applied = client.ApplyWebhook(Query, Encoding.UTF8.GetBytes(Body));
                Assert.True(JsonValue.Parse(applied.Json) is JsonObject, applied.Json);
                foreach (string bad in new[] { "", "\0{" })
                {
                    var e = Assert.Throws<ChatblockException>(
                        () => client.ApplyWebhook(Query, Encoding.UTF8.GetBytes(bad)));
                    Assert.Equal(Status.Request, e.Status);
                    Assert.True(JsonValue.Parse(e.Result.Json) is JsonObject, e.Result.Json);
                }
            }
        }

        [Test]
        private static void ARefusedWriteOfAnEarlierClientIsHandedOver()
        {
            string url;
            using (var service = new Service())
            {
                url = service.Url;
            }
            using (var folder = new Folder())
            {
                Dictionary<string, object> config = Service.Remote(url);
                config["outbox"] = new Dictionary<string, object> { { "path", folder.File("outbox.db") } };
                using (var earlier = new Client(config))
                {
                    earlier.AddAsync("ann", Bob);
                    earlier.Sync();
                }
                using (new Service(url.Substring("http://".Length), "imported"))
                using (var client = new Client(config))
                using (var replayed = new BlockingCollection<Result>())
                {
                    client.Replayed += result =>
                    {
                        replayed.Add(result);
                        throw new InvalidOperationException("a handler that fails");
                    };
                    Result refused;
                    Assert.True(replayed.TryTake(out refused, 20000), "nothing was handed over");
                    Assert.Equal(Status.Service, refused.Status);
                    Assert.Equal("black_list_add", refused.Command);
                    Assert.Equal("ann", refused.Owner);
                    Assert.Sequence(Bob, refused.Items.Select(item => item.Account));
                    // The handler's failure did not end the thread that serves the tasks.
                    Assert.True(
                        client.CheckAsync("ann", Bob, CheckType.Both).ContinueWith(ended => { }).Wait(10000),
                        "a call did not end");
                }
            }
        }
    }
}
