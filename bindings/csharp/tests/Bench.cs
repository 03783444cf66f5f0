using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;

namespace Chatblock.Tests
{
    /// <summary>How long a question takes; <c>run bench</c> prints it.</summary>
    internal static class Bench
    {
        private const int Owners = 64;
        private const int Rounds = 5;
        private const int Times = 64 * 10000;
        private const string Speaker = "speaker-0000001";

        internal static void Run()
        {
            string[] owners = Enumerable.Range(0, Owners).Select(i => "player-00000" + i).ToArray();
            using (var client = new Client("{}"))
            {
                for (int i = 0; i < Owners; i += 2)
                {
                    client.Add(owners[i], new[] { Speaker });
                }
                Print("one", () => One(client, owners));
                Print("many", () => Many(client, owners));
            }
        }

        /// <summary>Nanoseconds of this process per question, in the best of some rounds; the first one warms up.</summary>
        private static void Print(string name, Func<int> ask)
        {
            double best = double.MaxValue;
            for (int round = 0; round < Rounds; round++)
            {
                TimeSpan before = CpuTime();
                int blocked = ask();
                best = Math.Min(best, (CpuTime() - before).TotalMilliseconds * 1e6 / Times);
                Assert.Equal(Times / 2, blocked, "blocked:");
            }
            Console.WriteLine(string.Format(CultureInfo.InvariantCulture, "{0} {1:F1}", name, best));
        }

        private static TimeSpan CpuTime()
        {
            return Process.GetCurrentProcess().TotalProcessorTime;
        }

        private static int One(Client client, string[] owners)
        {
            int blocked = 0;
            for (int i = 0; i < Times; i++)
            {
                blocked += client.IsBlocked(owners[i % Owners], Speaker) == Answer.Yes ? 1 : 0;
            }
            return blocked;
        }

        private static int Many(Client client, string[] owners)
        {
            int blocked = 0;
            for (int i = 0; i < Times; i += Owners)
            {
                blocked += client.IsBlockedMany(owners, Speaker).Count(answer => answer == Answer.Yes);
            }
            return blocked;
        }
    }
}
