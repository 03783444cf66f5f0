using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Chatblock
{
    /// <summary>
    /// The calls of one client that wait for an answer, and the thread that takes the answers from the library.
    /// </summary>
    internal sealed class Completions
    {
        /// <summary>Tag of a write that an earlier process recorded: nobody here waits for it.</summary>
        private const ulong Replayed = 0;

        /// <summary>How long the end of the program waits for the thread of a client that nobody closed.</summary>
        private const int ExitMs = 2000;

        private readonly ClientHandle client;
        private readonly ConcurrentDictionary<ulong, Call> calls = new ConcurrentDictionary<ulong, Call>();
        private readonly object gate = new object();
        private readonly Queue<Result> replayed = new Queue<Result>();
        private Action<Result> onReplayed;
        private long lastTag = (long)Replayed;
        private Thread thread;

        internal Completions(ClientHandle client)
        {
            this.client = client;
        }

        /// <summary>Hands a call over to the library, which gives a status and, when that is negative, why.</summary>
        internal delegate int Submission(ulong tag, out IntPtr error);

        /// <summary>Hands a call over.</summary>
        internal Task<Result> Submit(Client caller, CancellationToken cancellation, Submission submit)
        {
            if (cancellation.IsCancellationRequested)
            {
                return Task.FromCanceled<Result>(cancellation);
            }
            Start();
            var call = new Call(caller, cancellation);
            ulong tag = (ulong)Interlocked.Increment(ref lastTag);
            calls[tag] = call;
            try
            {
                IntPtr error;
                if (submit(tag, out error) < 0)
                {
                    using (var why = new ResultHandle(error))
                    {
                        End(tag, why.Read());
                    }
                }
            }
            catch
            {
                Call refused;
                calls.TryRemove(tag, out refused);
                throw;
            }
            CancelWith(cancellation, tag, call);
            return call.Task;
        }

        /// <summary>How many calls with this tag were cancelled; none on a closed client.</summary>
        internal int Cancel(ulong tag)
        {
            try
            {
                return Library.chatblock_client_cancel(client, tag);
            }
            catch (ObjectDisposedException)
            {
                return 0;
            }
        }

        internal void AddReplayedHandler(Action<Result> handler)
        {
            lock (gate)
            {
                onReplayed += handler;
            }
            HandReplayed();
            Start();
        }

        internal void RemoveReplayedHandler(Action<Result> handler)
        {
            lock (gate)
            {
                onReplayed -= handler;
            }
        }

        /// <summary>Ends all calls that wait: there will be no answers any more.</summary>
        internal void Fail(Status status, string why)
        {
            foreach (ulong tag in calls.Keys)
            {
                End(tag, Result.Of(status, why));
            }
        }

        private void CancelWith(CancellationToken cancellation, ulong tag, Call call)
        {
            if (cancellation.CanBeCanceled)
            {
                CancellationTokenRegistration registration = cancellation.Register(() => Cancel(tag));
                call.Task.ContinueWith(ended => registration.Dispose(), TaskScheduler.Default);
            }
        }

        private void End(ulong tag, Result result)
        {
            Call call;
            if (calls.TryRemove(tag, out call))
            {
                call.Complete(result);
            }
        }

        private void Start()
        {
            lock (gate)
            {
                if (thread == null || !thread.IsAlive)
                {
                    thread = new Thread(Run) { IsBackground = true, Name = "chatblock completions" };
                    thread.Start();
                }
            }
        }

        /// <summary>Polls until the client is closed and its wake-up was found, with everything before it.</summary>
        private void Run()
        {
            // Mono aborts its threads at the end, and can neither wake nor safely abort one that is inside the library.
            Thread self = Thread.CurrentThread;
            EventHandler leave = (sender, e) =>
            {
                client.Close(0);
                self.Join(ExitMs);
            };
            bool isHeld = false;
            AppDomain.CurrentDomain.ProcessExit += leave;
            try
            {
                client.DangerousAddRef(ref isHeld);
                IntPtr open = client.DangerousGetHandle();
                // A thread that begins while the client is being closed would wait for a wake-up that was taken before.
                bool more = !client.IsClosing;
                while (more)
                {
                    more = TakeNext(open);
                }
            }
            catch (ObjectDisposedException)
            {
                // Closed before the thread began: who closed it has ended the calls.
            }
            finally
            {
                AppDomain.CurrentDomain.ProcessExit -= leave;
                if (isHeld)
                {
                    client.DangerousRelease();
                }
            }
        }

        private bool TakeNext(IntPtr open)
        {
            using (ResultHandle result = Library.chatblock_client_poll(open, -1))
            {
                if (!result.IsInvalid)
                {
                    Deliver(result);
                    return true;
                }
            }
            if (client.IsClosing)
            {
                return false;
            }
            var state = (Status)Library.chatblock_client_flush(open, 0);
            if (state == Status.Panic || state == Status.Forked)
            {
                Fail(state, "the client is unusable");
                return false;
            }
            return true;
        }

        private void Deliver(ResultHandle result)
        {
            if (result.Tag != Replayed)
            {
                End(result.Tag, result.Read());
                return;
            }
            lock (gate)
            {
                replayed.Enqueue(result.Read());
            }
            HandReplayed();
        }

        private void HandReplayed()
        {
            lock (gate)
            {
                while (onReplayed != null && replayed.Count > 0)
                {
                    Action<Result> handler = onReplayed;
                    Result result = replayed.Dequeue();
                    // On another thread, where a handler that fails is an unobserved exception and ends nothing.
                    Task.Run(() => handler(result));
                }
            }
        }
    }
}
