using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Chatblock.Tests
{
    /// <summary>Threads, closing, and clients that nobody closes.</summary>
    internal static class Lifetime
    {
        internal const string Forgetful = "forget-to-close";

        private const int Threads = 64;
        private static readonly string[] Bob = { "bob" };
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
        private static Client forgotten;

        [Test]
        private static void SixtyFourThreadsShareAClient()
        {
            using (var client = new Client("{}"))
            {
                IEnumerable<int> sizes = InThreads(thread =>
                {
                    string owner = "owner-" + thread;
                    for (int i = 0; i < 50; i++)
                    {
                        string peer = "peer-" + i;
                        Assert.Equal(Answer.No, client.IsBlocked(owner, peer));
                        Result result = i % 2 == 0
                            ? client.Add(owner, new[] { peer })
                            : client.AddAsync(owner, new[] { peer }).Result;
                        Assert.Equal(peer, result.Items[0].Account);
                        Assert.Equal(Answer.Yes, client.IsBlocked(owner, peer));
                    }
                    return client.Get(owner, 0, 1000).Items.Count;
                });
                Assert.Sequence(Enumerable.Repeat(50, Threads), sizes);
            }
        }

        [Test]
        private static void ClosingWhileThreadsCallEndsThemAll()
        {
            using (var folder = new Folder())
            {
                for (int round = 0; round < 10; round++)
                {
                    string file = folder.File(round + ".db");
                    Client client = Durable(file);
                    InThreads(thread =>
                    {
                        if (thread == 0)
                        {
                            Thread.Sleep(5);
                            client.Dispose();
                        }
                        CallUntilClosed(client, "owner-" + thread);
                        return thread;
                    });
                    OpenSoon(file).Dispose();
                }
            }
        }

        private static void CallUntilClosed(Client client, string owner)
        {
            var calls = new List<Task<Result>>();
            Assert.Throws<ObjectDisposedException>(() =>
            {
                while (true)
                {
                    client.IsBlocked(owner, "bob");
                    client.Add(owner, Bob);
                    client.Delete(owner, Bob);
                    calls.Add(client.AddAsync(owner, new[] { "cat" }));
                    client.Stats();
                }
            });
            foreach (Task<Result> call in calls)
            {
                Assert.True(call.ContinueWith(ended => { }).Wait(Patience), "a call did not end");
                if (call.IsFaulted)
                {
                    Assert.Fails(Status.Closed, () => call.Wait());
                }
            }
        }

        private static List<T> InThreads<T>(Func<int, T> work)
        {
            List<Task<T>> tasks = Enumerable.Range(0, Threads)
                .Select(thread => Task.Factory.StartNew(() => work(thread), TaskCreationOptions.LongRunning))
                .ToList();
            return tasks.Select(task => task.Result).ToList();
        }

        [Test]
        private static void ACallThatComesInWhileTheClientClosesEnds()
        {
            var client = new Client("{}");
            bool isInside = false;
            client.handle.DangerousAddRef(ref isInside);
            client.AddAsync("ann", Bob).Wait();
            Assert.True(!client.Close(TimeSpan.FromMilliseconds(200)), "a call is inside");

            Task<Result> late = client.handle.Completions.Submit(
                client, CancellationToken.None, (ulong tag, out IntPtr error) =>
                {
                    error = IntPtr.Zero;
                    return (int)Status.Ok;
                });
            // Until the thread that takes its answer has begun.
            Thread.Sleep(200);
            client.handle.DangerousRelease();
            Assert.Fails(Status.Closed, () => late.Wait(Patience));
        }

        [Test]
        private static void ClosingDoesNotWaitLongerThanItWasTold()
        {
            using (var silence = new Silence())
            {
                Client client = silence.Client(3000);
                Task<Result> waiting = Task.Factory.StartNew(
                    () => client.Add("ann", Bob), TaskCreationOptions.LongRunning);
                Task<Result> handed = client.AddAsync("eve", Bob);
                Assert.True(!Task.WaitAll(new Task[] { waiting, handed }, 300), "the calls wait");

                Stopwatch clock = Stopwatch.StartNew();
                Assert.True(!client.Close(TimeSpan.FromMilliseconds(200)), "something is left");
                Assert.True(clock.ElapsedMilliseconds < 2000, clock.Elapsed.ToString());
                Assert.Throws<ObjectDisposedException>(() => client.IsBlocked("ann", "bob"));

                Assert.Fails(Status.Timeout, () => waiting.Wait(Patience));
                Status end = Assert.Throws<ChatblockException>(() => handed.Wait(Patience)).Status;
                Assert.True(end == Status.Closed || end == Status.Timeout, end.ToString());
            }
        }

        [Test]
        private static void ClosingEndsAFlushWithoutLimit()
        {
            using (var silence = new Silence())
            {
                Client client = silence.Client(60000);
                client.AddAsync("ann", Bob);
                Task flush = Task.Factory.StartNew(client.Flush, TaskCreationOptions.LongRunning);
                Assert.True(!flush.Wait(300), "the flush waits");
                client.Close(TimeSpan.FromMilliseconds(500));
                Assert.Throws<ObjectDisposedException>(() => flush.Wait(Patience));
            }
        }

        [Test]
        private static void AFlushThatRunsOutOfTimeSaysSo()
        {
            using (var silence = new Silence())
            using (Client client = silence.Client(60000))
            {
                client.AddAsync("ann", Bob);
                Assert.Fails(Status.Timeout, () => client.Flush(TimeSpan.FromMilliseconds(250)));
            }
        }

        [Test]
        private static void CancellingATokenCancelsTheCall()
        {
            using (var silence = new Silence())
            using (Client client = silence.Client(60000))
            using (var source = new CancellationTokenSource())
            {
                client.AddAsync("ann", Bob);
                Task<Result> waiting = client.DeleteAsync("ann", new[] { "cat" }, source.Token);
                source.Cancel();
                Assert.Throws<TaskCanceledException>(() => waiting.Wait(Patience));
                Assert.True(waiting.IsCanceled, waiting.Status.ToString());
                Assert.True(client.Stats().Contains("\"cancelled\":1"), client.Stats());
                Assert.True(client.AddAsync("eve", Bob, source.Token).IsCanceled, "cancelled before it began");
            }
        }

        [Test]
        private static void ClosingFromAContinuationDoesNotHang()
        {
            using (var folder = new Folder())
            {
                string file = folder.File("own.db");
                Client client = Durable(file);
                Task closed = client.AddAsync("ann", Bob).ContinueWith(
                    ended => client.Dispose(), TaskContinuationOptions.ExecuteSynchronously);
                Assert.True(closed.Wait(Patience), "closing hangs");
                OpenSoon(file).Dispose();
            }
        }

        [Test]
        private static void ResultsThatNobodyKeepsLeaveNothingBehind()
        {
            using (var client = new Client("{}"))
            {
                Memory.Grows(16, 5000, 25000, () =>
                {
                    client.Check("ann", Bob, CheckType.Both);
                    client.CheckAsync("ann", Bob, CheckType.Both).Wait();
                });
            }
        }

        [Test]
        private static void DroppedClientsAreClosed()
        {
            AreClosedWhenDropped(client => client.Add("ann", Bob));
        }

        [Test]
        private static void DroppedClientsAreClosedAlsoAfterCallsWithoutWaiting()
        {
            AreClosedWhenDropped(client => client.AddAsync("ann", Bob).Wait());
        }

        /// <summary>The collector may take anything on a stack for a reference: a few of many may stay.</summary>
        private static void AreClosedWhenDropped(Action<Client> use)
        {
            const int Clients = 16;
            using (var folder = new Folder())
            {
                List<string> open = Enumerable.Range(0, Clients).Select(i => folder.File(i + ".db")).ToList();
                open.ForEach(file => OnAnotherStack(() => use(Durable(file))));
                DateTime end = DateTime.UtcNow + Patience;
                while (open.Count > Clients / 4)
                {
                    Assert.True(DateTime.UtcNow < end, open.Count + " of " + Clients + " are open");
                    Collect();
                    open.RemoveAll(IsFree);
                    Thread.Sleep(50);
                }
            }
        }

        [Test]
        private static void AProgramThatForgetsToCloseEnds()
        {
            using (var program = Process.Start(new ProcessStartInfo
            {
                FileName = Process.GetCurrentProcess().MainModule.FileName,
                Arguments = Assembly.GetExecutingAssembly().Location + " " + Forgetful,
                UseShellExecute = false,
            }))
            {
                bool ended = program.WaitForExit(20000);
                if (!ended)
                {
                    program.Kill();
                }
                Assert.True(ended, "it hangs");
                Assert.Equal(0, program.ExitCode);
            }
        }

        /// <summary>The program of the test above.</summary>
        internal static void ForgetToClose()
        {
            forgotten = new Client("{}");
            forgotten.AddAsync("ann", Bob).Wait();
            // Until the thread that takes the answers waits for the next one.
            Thread.Sleep(200);
        }

        [Test]
        private static void AClientIsNotCollectedWhileACallWaits()
        {
            using (var silence = new Silence())
            {
                Task<Result> call = null;
                OnAnotherStack(() => call = silence.Client(1500).AddAsync("ann", Bob));
                for (int i = 0; i < 10; i++)
                {
                    Collect();
                    Thread.Sleep(50);
                }
                Assert.Fails(Status.Timeout, () => call.Wait(Patience));
            }
        }

        /// <summary>The collector looks at stacks without knowing what on them is still used.</summary>
        private static void OnAnotherStack(Action work)
        {
            Exception failed = null;
            var thread = new Thread(() =>
            {
                try
                {
                    work();
                }
                catch (Exception e)
                {
                    failed = e;
                }
            });
            thread.Start();
            thread.Join();
            Assert.True(failed == null, "" + failed);
        }

        private static Client Durable(string file)
        {
            return new Client(new Dictionary<string, object> { { "path", file } });
        }

        /// <summary>A durable store has one client at a time: opening it shows that the other one is closed.</summary>
        private static Client OpenSoon(string file)
        {
            while (!IsFree(file))
            {
                Collect();
                Thread.Sleep(50);
            }
            return Durable(file);
        }

        private static bool IsFree(string file)
        {
            try
            {
                Durable(file).Dispose();
                return true;
            }
            catch (ChatblockException e)
            {
                Assert.Equal(Status.Storage, e.Status);
                return false;
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Collect()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
