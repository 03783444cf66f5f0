// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Chatblock
{
    /// <summary>
    /// Blocklists: of the cloud service, or of the engine inside this process. Opened once, shared by any number of
    /// threads, disposed once; a client that is dropped is closed by the garbage collector.
    /// </summary>
    /// <remarks>
    /// A call that was not done throws <see cref="ChatblockException"/>; <see cref="Status.Partial"/> is done: read the
    /// items. A disposed client throws <see cref="ObjectDisposedException"/>. Texts with a NUL or an unpaired surrogate
    /// are refused with <see cref="ArgumentException"/> before anything else happens.
    /// </remarks>
    public sealed unsafe partial class Client : IDisposable
    {
        private const int DisposeMs = 2000;

        /// <summary>Longer waits go in and out of the library, so that a close meanwhile is noticed.</summary>
        private const int SliceMs = 100;

        internal readonly ClientHandle handle;

        /// <summary>Opens a client. May wait while a durable store is read.</summary>
        /// <param name="config">
        /// The configuration as one JSON object; "{}" is the engine inside this process, in memory. docs/configuration.md
        /// lists the keys.
        /// </param>
        /// <exception cref="ChatblockException">Config names the key or file, Storage the store.</exception>
        public Client(string config)
        {
            using (var text = new Texts(nameof(config), config))
            {
                IntPtr error;
                handle = Library.chatblock_client_open(text.First, out error);
                if (handle.IsInvalid)
                {
                    using (var why = new ResultHandle(error))
                    {
                        throw new ChatblockException(why.Read());
                    }
                }
            }
        }

        /// <summary>Opens a client.</summary>
        /// <param name="config">The same as nested dictionaries of texts, integers and booleans.</param>
        /// <exception cref="ChatblockException">Config names the key or file, Storage the store.</exception>
        public Client(IDictionary<string, object> config)
            : this(Json.Object(config ?? throw new ArgumentNullException(nameof(config))))
        {
        }

        /// <summary>A dropped client.</summary>
        ~Client()
        {
            handle?.Close(0);
        }

        /// <summary>
        /// Writes of an earlier process, recorded in "outbox.path", that the service refused; those that succeed say
        /// nothing. Each is handed over once, also those of before, on a thread of the pool.
        /// </summary>
        public event Action<Result> Replayed
        {
            add { Handle.Completions.AddReplayedHandler(value); }
            remove { handle.Completions.RemoveReplayedHandler(value); }
        }

        /// <summary>The version of the library that is running, for example "0.1.0".</summary>
        public static string Version
        {
            get { return ResultHandle.Text(Library.chatblock_version()); }
        }

        /// <summary>For a call that begins now.</summary>
        private ClientHandle Handle
        {
            get
            {
                if (handle.IsClosing)
                {
                    throw new ObjectDisposedException(nameof(Client));
                }
                return handle;
            }
        }

        /// <summary>
        /// Takes a webhook of the service: verifies it, and learns what it says. Never waits. The JSON of the result is to
        /// be sent back as the body, with HTTP status 200; also that of an exception's result.
        /// </summary>
        /// <param name="query">The query string that the HTTP server received, after the question mark.</param>
        /// <param name="body">The body it received.</param>
        /// <exception cref="ChatblockException">Nothing was learned: Signature, Request, Unsupported, Busy.</exception>
        public Result ApplyWebhook(string query, byte[] body)
        {
            if (body == null)
            {
                throw new ArgumentNullException(nameof(body));
            }
            using (var text = new Texts(nameof(query), query))
            {
                fixed (byte* bytes = body)
                {
                    return Done(Library.chatblock_client_apply_webhook(
                        Handle, text.First, bytes, (UIntPtr)(uint)body.Length));
                }
            }
        }

        /// <summary>
        /// Copies the durable store ("path") or the outbox ("outbox.path") to a new file while the client goes on, and waits
        /// until the copy is on disk.
        /// </summary>
        /// <param name="path">What is there already is never replaced.</param>
        /// <exception cref="ChatblockException">
        /// There is no copy: Unsupported where nothing is on disk, Storage, Argument, Busy.
        /// </exception>
        public void Backup(string path)
        {
            using (var text = new Texts(nameof(path), path))
            {
                Done(Library.chatblock_client_backup(Handle, text.First));
            }
        }

        /// <summary>
        /// Statistics of the client, taken at one moment: one JSON object, without secrets and accounts.
        /// docs/statistics.md lists the keys.
        /// </summary>
        public string Stats()
        {
            return Done(Library.chatblock_client_stats(Handle)).Json;
        }

        /// <summary>Waits without limit until everything accepted before is on disk.</summary>
        /// <exception cref="ChatblockException">
        /// Storage; Unsupported without "path" or "outbox.path".
        /// </exception>
        public void Sync()
        {
            Sync(Timeout.InfiniteTimeSpan);
        }

        /// <summary>Waits until everything accepted before is on disk.</summary>
        /// <param name="timeout">How long; zero only looks.</param>
        /// <exception cref="ChatblockException">Timeout when work is left, which goes on; else as without limit.</exception>
        public void Sync(TimeSpan timeout)
        {
            Await("sync", timeout, slice => Library.chatblock_client_sync(Handle, slice));
        }

        /// <summary>Waits without limit until everything accepted before is answered.</summary>
        public void Flush()
        {
            Flush(Timeout.InfiniteTimeSpan);
        }

        /// <summary>Waits until everything accepted before is answered; its tasks complete soon after.</summary>
        /// <param name="timeout">How long; zero only looks.</param>
        /// <exception cref="ChatblockException">Timeout when work is left, which goes on.</exception>
        public void Flush(TimeSpan timeout)
        {
            Await("flush", timeout, slice => Library.chatblock_client_flush(Handle, slice));
        }

        /// <summary>Closes the client and waits up to 2 seconds; see <see cref="Close"/>.</summary>
        public void Dispose()
        {
            Close(TimeSpan.FromMilliseconds(DisposeMs));
        }

        /// <summary>
        /// Closes the client: new calls are refused from now on, calls inside come to their end, and what was accepted and
        /// is not done is dropped; its tasks fail with <see cref="Status.Closed"/>. To let it finish, flush before. With an
        /// outbox, writes are recorded first and go out when it is opened again. Closing again does nothing.
        /// </summary>
        /// <param name="timeout">
        /// How long to wait for calls inside and for threads that are still on the network; what is left then ends by
        /// itself.
        /// </param>
        /// <returns>True when nothing was dropped and nothing is left.</returns>
        public bool Close(TimeSpan timeout)
        {
            int milliseconds = Milliseconds(timeout);
            GC.SuppressFinalize(this);
            return handle.Close(milliseconds < 0 ? int.MaxValue : milliseconds);
        }

        /// <summary>How many calls with this tag were cancelled.</summary>
        internal int Cancel(ulong tag)
        {
            return handle.Completions.Cancel(tag);
        }

        private static void Await(string name, TimeSpan timeout, Func<int, int> wait)
        {
            long limit = Milliseconds(timeout);
            var clock = Stopwatch.StartNew();
            while (true)
            {
                long left = limit < 0 ? long.MaxValue : Math.Max(0, limit - clock.ElapsedMilliseconds);
                int status = wait((int)Math.Min(left, SliceMs));
                if (status != (int)Status.Timeout || left == 0)
                {
                    Number(name, status);
                    return;
                }
            }
        }

        private static int Milliseconds(TimeSpan timeout)
        {
            if (timeout == Timeout.InfiniteTimeSpan)
            {
                return -1;
            }
            if (timeout < TimeSpan.Zero)
            {
                throw new ArgumentOutOfRangeException(nameof(timeout));
            }
            return (int)Math.Min(timeout.TotalMilliseconds, int.MaxValue);
        }

        /// <summary>What a call answered, and an exception when it was not done.</summary>
        private static Result Done(ResultHandle result)
        {
            using (result)
            {
                return result.Done();
            }
        }

        /// <summary>The same for calls that answer with a number.</summary>
        private static int Number(string name, int number)
        {
            if (number < 0)
            {
                throw new ChatblockException((Status)number, name + " was refused");
            }
            return number;
        }
    }
}
