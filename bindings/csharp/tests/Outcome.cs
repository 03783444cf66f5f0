using System;
using System.Collections.Generic;
using System.Json;
using System.Linq;
using System.Text.RegularExpressions;

namespace Chatblock.Tests
{
    /// <summary>What a call answered or threw, to be compared with what the scenario expects.</summary>
    internal sealed class Outcome
    {
        private readonly bool isThrown;

        private Outcome(Result result, bool isThrown)
        {
            Result = result;
            this.isThrown = isThrown;
        }

        internal Result Result { get; }

        internal static Outcome Of(Func<Result> call)
        {
            try
            {
                return new Outcome(call(), false);
            }
            catch (ChatblockException e)
            {
                return Thrown(e);
            }
        }

        internal static Outcome Failure(Action call)
        {
            return Thrown(Assert.Throws<ChatblockException>(call));
        }

        /// <summary>The name that the scenario has for a status: Service is ERR_SERVICE there.</summary>
        internal static string Name(Status status)
        {
            return (status < 0 ? "ERR_" : "") + status.ToString().ToUpperInvariant();
        }

        internal void Matches(JsonObject expect)
        {
            foreach (KeyValuePair<string, JsonValue> wanted in expect)
            {
                Match(wanted.Key, wanted.Value);
            }
        }

        private static Outcome Thrown(ChatblockException e)
        {
            Assert.Equal(e.Result.Status, e.Status);
            Assert.Equal(e.Result.ServiceCode, e.ServiceCode);
            Assert.Equal(e.Result.Retryable, e.Retryable);
            Assert.True(e.Message.Contains(e.Result.Message), e.Message);
            return new Outcome(e.Result, true);
        }

        private void Match(string name, JsonValue wanted)
        {
            switch (name)
            {
                case "status":
                    Assert.Equal((string)wanted, Name(Result.Status), Result.Message);
                    Assert.Equal(Result.Status < 0, isThrown, "thrown:");
                    break;
                case "service_code":
                    Assert.Equal((int)wanted, Result.ServiceCode, name);
                    break;
                case "retryable":
                    Assert.Equal((bool)wanted, Result.Retryable, name);
                    break;
                case "message_has":
                    Assert.True(Result.Message.Contains((string)wanted), Result.Message);
                    break;
                case "command":
                    Assert.Equal((string)wanted, Result.Command, name);
                    break;
                case "from":
                    Assert.Equal((string)wanted, Result.Owner, name);
                    break;
                case "next_index":
                    Assert.Equal((uint)wanted, Result.NextIndex, name);
                    break;
                case "items":
                    Assert.Sequence(
                        ((JsonArray)wanted).Select(item =>
                            string.Join(" ", (string)item[0], (string)item[1], (int)item[2], (string)item[3])),
                        Result.Items.Select(item =>
                            string.Join(" ", item.Account, Name(item.Status), item.Code, Name(item.Relation))));
                    break;
                case "timed":
                    long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
                    Assert.True(Result.Items.All(item => Math.Abs(now - item.Time) <= 60), "times of items");
                    break;
                case "json":
                    JsonValue came = JsonValue.Parse(Result.Json);
                    Assert.True(IsEqual(wanted, came), "expected " + wanted.ToString() + ", came " + came.ToString());
                    break;
                default:
                    throw new InvalidOperationException("unknown expectation " + name);
            }
        }

        /// <summary>AWithB is A_WITH_B in the scenario.</summary>
        private static string Name(Relation relation)
        {
            return Regex.Replace(relation.ToString(), "(?<=.)([A-Z])", "_$1").ToUpperInvariant();
        }

        private static bool IsEqual(JsonValue wanted, JsonValue came)
        {
            if (wanted.JsonType == JsonType.String && (string)wanted == "<any>")
            {
                return true;
            }
            if (wanted.JsonType != came.JsonType)
            {
                return false;
            }
            var members = wanted as JsonObject;
            if (members != null)
            {
                return members.Count == came.Count
                    && members.All(member => came.ContainsKey(member.Key) && IsEqual(member.Value, came[member.Key]));
            }
            var elements = wanted as JsonArray;
            if (elements != null)
            {
                return elements.Count == came.Count
                    && Enumerable.Range(0, elements.Count).All(i => IsEqual(elements[i], came[i]));
            }
            return wanted.ToString() == came.ToString();
        }
    }
}
