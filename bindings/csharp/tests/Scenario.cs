using System;
using System.Collections.Generic;
using System.IO;
using System.Json;
using System.Linq;
using System.Text;
using System.Threading.Tasks;

namespace Chatblock.Tests
{
    /// <summary>The steps that every host language goes through.</summary>
    internal sealed class Scenario
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

        private Client client;

        [Test]
        private static void EveryStepOfTheScenarioAnswersAsExpected()
        {
            string file = Environment.GetEnvironmentVariable("CHATBLOCK_SCENARIO");
            var steps = (JsonArray)JsonValue.Parse(System.IO.File.ReadAllText(file))["steps"];
            var scenario = new Scenario();
            for (int i = 0; i < steps.Count; i++)
            {
                var step = (JsonObject)steps[i];
                try
                {
                    scenario.Take(step, step.ContainsKey("expect") ? (JsonObject)step["expect"] : new JsonObject());
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException("step " + (i + 1) + " " + step.ToString(), e.GetBaseException());
                }
            }
            Console.WriteLine("scenario: {0} steps", steps.Count);
        }

        private void Take(JsonObject step, JsonObject expect)
        {
            switch ((string)step["do"])
            {
                case "version":
                    Assert.True(Client.Version.StartsWith((string)expect["starts_with"]), Client.Version);
                    break;
                case "open":
                    client = new Client(Config((JsonObject)step["config"]));
                    break;
                case "open_fails":
                    Outcome.Failure(() => new Client(Config((JsonObject)step["config"]))).Matches(expect);
                    break;
                case "add":
                case "delete":
                case "check":
                case "get":
                case "call":
                    Outcome.Of(() => Ask(step)).Matches(expect);
                    break;
                case "is_blocked":
                    IsBlocked(step, expect);
                    break;
                case "is_blocked_many":
                    Assert.Sequence(
                        Texts(expect["answers"]),
                        client.IsBlockedMany(Texts(step["owners"]), step["peer"]).Select(answer => Name(answer)));
                    break;
                case "blocked_pairs":
                    BlockedPairs(step, expect);
                    break;
                case "watch":
                    client.Watch(Texts(step["owners"]));
                    break;
                case "unwatch":
                    client.Unwatch(Texts(step["owners"]));
                    break;
                case "async":
                    Async(step, expect);
                    break;
                case "flush":
                    client.Flush(Patience);
                    break;
                case "sync_fails":
                    Outcome.Failure(() => client.Sync(Patience)).Matches(expect);
                    break;
                case "backup_fails":
                    Outcome.Failure(() => client.Backup("no-copy.db")).Matches(expect);
                    break;
                case "backup":
                    Backup(step, expect);
                    break;
                case "cancel":
                    Assert.Equal((int)expect["cancelled"], client.Cancel((ulong)(int)step["tag"]));
                    break;
                case "stats":
                    Stats(expect);
                    break;
                case "usersig":
                    string made = UserSig.Generate(
                        (uint)step["sdkappid"], step["key"], step["identifier"], (uint)step["expire"]);
                    UserSig.Verify((uint)step["sdkappid"], step["key"], step["identifier"], made);
                    break;
                case "usersig_fails":
                    Outcome.Failure(() => UserSig.Verify(
                        (uint)step["sdkappid"], step["key"], step["identifier"], step["usersig"])).Matches(expect);
                    break;
                case "webhook":
                    Webhook(step, expect);
                    break;
                case "bad_value":
                    BadValue(step);
                    break;
                case "many_results":
                    ManyResults(step);
                    break;
                case "submit_and_close":
                    SubmitAndClose(step);
                    break;
                case "after_close":
                    AfterClose();
                    break;
                default:
                    throw new InvalidOperationException("unknown step");
            }
        }

        /// <summary>Values other than null are refused by the compiler.</summary>
        private void BadValue(JsonObject step)
        {
            if (step["value"] != null)
            {
                return;
            }
            string name = step["argument"];
            var texts = new Dictionary<string, string> { { "owner", "ann" }, { "peer", "bob" } };
            var lists = new Dictionary<string, string[]>();
            foreach (string list in new[] { "targets", "owners", "accounts" })
            {
                lists[list] = new[] { "bob", "cem" };
            }
            if (step.ContainsKey("index"))
            {
                lists[name][(int)step["index"]] = null;
                name += "[" + (int)step["index"] + "]";
            }
            else
            {
                texts[name] = null;
                lists[name] = null;
            }
            try
            {
                switch ((string)step["function"])
                {
                    case "add": client.Add(texts["owner"], lists["targets"]); break;
                    case "delete": client.Delete(texts["owner"], lists["targets"]); break;
                    case "check": client.Check(texts["owner"], lists["targets"], CheckType.Both); break;
                    case "is_blocked": client.IsBlocked(texts["owner"], texts["peer"]); break;
                    case "is_blocked_many": client.IsBlockedMany(lists["owners"], texts["peer"]); break;
                    case "blocked_pairs": client.BlockedPairs(lists["accounts"]); break;
                    case "watch": client.Watch(lists["owners"]); break;
                    default: throw new InvalidOperationException("unknown function");
                }
            }
            catch (ArgumentNullException e)
            {
                Assert.Equal(name, e.ParamName);
                return;
            }
            throw new InvalidOperationException(name + " was not refused");
        }

        private static void Backup(JsonObject step, JsonObject expect)
        {
            string folder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            Directory.CreateDirectory(folder);
            string copy = Path.Combine(folder, "copy.db");
            try
            {
                using (var store = OpenStore(Path.Combine(folder, "lists.db")))
                {
                    store.Add(step["from"], Texts(step["to"]));
                    store.Backup(copy);
                    Outcome.Failure(() => store.Backup(copy)).Matches(expect);
                }
                using (var copied = OpenStore(copy))
                {
                    Assert.Sequence(
                        Texts(step["to"]), copied.Get(step["from"], 0, 100).Items.Select(item => item.Account));
                }
            }
            finally
            {
                Directory.Delete(folder, true);
            }
        }

        private static Client OpenStore(string path)
        {
            return new Client(new Dictionary<string, object> { { "backend", "embedded" }, { "path", path } });
        }

        private Result Ask(JsonObject step)
        {
            switch ((string)step["do"])
            {
                case "add":
                    return client.Add(step["from"], Texts(step["to"]));
                case "delete":
                    return client.Delete(step["from"], Texts(step["to"]));
                case "check":
                    CheckType type = step["type"] == "BOTH" ? CheckType.Both : CheckType.Single;
                    return client.Check(step["from"], Texts(step["to"]), type);
                case "get":
                    return client.Get(step["from"], (uint)step["start"], (uint)step["max"]);
                default:
                    return client.Call(step["command"], step["request"]);
            }
        }

        private void IsBlocked(JsonObject step, JsonObject expect)
        {
            if (expect.ContainsKey("answer"))
            {
                Assert.Equal((string)expect["answer"], Name(client.IsBlocked(step["owner"], step["peer"])));
            }
            else
            {
                Outcome.Failure(() => client.IsBlocked(step["owner"], step["peer"])).Matches(expect);
            }
        }

        private void BlockedPairs(JsonObject step, JsonObject expect)
        {
            BlockedPairs found = client.BlockedPairs(Texts(step["accounts"]));
            var wanted = ((JsonArray)expect["pairs"]).Select(pair => (int)pair[0] + " blocks " + (int)pair[1]);
            var came = found.Pairs.Select(pair => pair.Owner + " blocks " + pair.Blocked);
            Assert.Sequence(wanted.OrderBy(pair => pair), came.OrderBy(pair => pair));
            Assert.Equal((long)expect["unknown"], found.Unknown);
        }

        private void Async(JsonObject step, JsonObject expect)
        {
            string from = step["from"];
            List<Task<Result>> calls = Submit(from, step["count"]);
            Assert.True(Task.WaitAll(calls.ToArray(), Patience), "not all calls ended");
            for (int i = 0; i < calls.Count; i++)
            {
                Assert.Equal((string)expect["status"], Outcome.Name(calls[i].Result.Status));
                Assert.Sequence(new[] { "t" + i }, calls[i].Result.Items.Select(item => item.Account));
            }
            int listed = 0;
            uint next = 0;
            do
            {
                Result page = client.Get(from, next, 300);
                listed += page.Items.Count;
                next = page.NextIndex;
            }
            while (next != 0);
            Assert.Equal((int)expect["listed"], listed);
        }

        private List<Task<Result>> Submit(string from, int count)
        {
            return Enumerable.Range(0, count).Select(i => client.AddAsync(from, new[] { "t" + i })).ToList();
        }

        private void Stats(JsonObject expect)
        {
            JsonValue stats = JsonValue.Parse(client.Stats());
            foreach (KeyValuePair<string, JsonValue> wanted in (JsonObject)expect["has"])
            {
                JsonValue found = wanted.Key.Split('.').Aggregate(stats, (value, name) => value[name]);
                Assert.Equal(wanted.Value.ToString(), found.ToString(), wanted.Key);
            }
        }

        private void Webhook(JsonObject step, JsonObject expect)
        {
            Outcome refused = Outcome.Failure(
                () => client.ApplyWebhook(step["query"], Encoding.UTF8.GetBytes(step["body"])));
            refused.Matches(expect);
            Assert.True(JsonValue.Parse(refused.Result.Json) is JsonObject, refused.Result.Json);
        }

        private void ManyResults(JsonObject step)
        {
            Memory.Grows(
                step["max_growth_mib"],
                1000,
                step["count"],
                () => client.Check(step["from"], new[] { "bob" }, CheckType.Both));
        }

        private void SubmitAndClose(JsonObject step)
        {
            List<Task<Result>> calls = Submit(step["from"], step["count"]);
            client.Dispose();
            foreach (Task<Result> call in calls)
            {
                Assert.True(call.ContinueWith(ended => { }).Wait(Patience), "a call did not end");
                if (call.IsFaulted)
                {
                    Assert.Fails(Status.Closed, () => call.Wait());
                }
                else
                {
                    Assert.Equal(Status.Ok, call.Result.Status);
                }
            }
        }

        private void AfterClose()
        {
            string[] bob = { "bob" };
            var calls = new Action[]
            {
                () => client.Add("ann", bob),
                () => client.Delete("ann", bob),
                () => client.Check("ann", bob, CheckType.Both),
                () => client.Get("ann", 0, 10),
                () => client.Call("black_list_get", "{}"),
                () => client.AddAsync("ann", bob),
                () => client.DeleteAsync("ann", bob),
                () => client.CheckAsync("ann", bob, CheckType.Both),
                () => client.GetAsync("ann", 0, 10),
                () => client.CallAsync("black_list_get", "{}"),
                () => client.IsBlocked("ann", "bob"),
                () => client.IsBlockedMany(bob, "ann"),
                () => client.BlockedPairs(bob),
                () => client.Watch(bob),
                () => client.Unwatch(bob),
                () => client.Flush(),
                () => client.Sync(),
                () => client.Backup("copy.db"),
                () => client.ApplyWebhook("", new byte[0]),
                () => client.Stats(),
            };
            foreach (Action call in calls)
            {
                Assert.Throws<ObjectDisposedException>(call);
            }
            Assert.True(client.Close(TimeSpan.Zero), "closing again does nothing");
            client.Dispose();
        }

        private static Dictionary<string, object> Config(JsonObject config)
        {
            return config.ToDictionary(
                member => member.Key,
                member => member.Value.JsonType == JsonType.Number
                    ? (object)(long)member.Value
                    : (string)member.Value);
        }

        private static string[] Texts(JsonValue array)
        {
            return ((JsonArray)array).Select(text => (string)text).ToArray();
        }

        private static string Name(Answer answer)
        {
            return answer.ToString().ToUpperInvariant();
        }
    }
}
