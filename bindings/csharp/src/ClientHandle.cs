using System;
using System.Diagnostics;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace Chatblock
{
    /// <summary>
    /// The client of the library. Its base class counts who uses it, so that it is closed when the last call has left, and no
    /// call comes in after that. It does not know its <see cref="Client"/>, so that one that was dropped can be found by the
    /// garbage collector.
    /// </summary>
    internal sealed class ClientHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private readonly ManualResetEventSlim released = new ManualResetEventSlim();
        private readonly Stopwatch closing = new Stopwatch();
        private int isClosing;
        private int closingMs;
        private Status closed;

        private ClientHandle()
            : base(true)
        {
            Completions = new Completions(this);
        }

        internal Completions Completions { get; }

        /// <summary>
        /// Whether new calls are refused. The base class refuses them only when nobody is inside any more; until then a
        /// call that comes in is early enough.
        /// </summary>
        internal bool IsClosing
        {
            get { return Volatile.Read(ref isClosing) != 0; }
        }

        /// <summary>
        /// Refuses calls from now on, and waits so long for those inside. True when nothing was dropped and nothing is
        /// left; also when it is closed already.
        /// </summary>
        internal bool Close(int timeoutMs)
        {
            if (IsInvalid || Interlocked.Exchange(ref isClosing, 1) != 0)
            {
                return true;
            }
            closingMs = timeoutMs;
            closing.Start();
            bool isHeld = false;
            try
            {
                DangerousAddRef(ref isHeld);
                Dispose();
                Library.chatblock_client_wakeup(handle);
            }
            finally
            {
                if (isHeld)
                {
                    DangerousRelease();
                }
            }
            return released.Wait(timeoutMs) && closed == Status.Ok;
        }

        /// <summary>On the thread that leaves last; the one that closes waits for it.</summary>
        protected override bool ReleaseHandle()
        {
            long left = Math.Max(0, closingMs - closing.ElapsedMilliseconds);
            closed = (Status)Library.chatblock_client_close(handle, (int)left);
            Completions.Fail(Status.Closed, "the client was closed; the call has no answer");
            released.Set();
            return true;
        }
    }
}
