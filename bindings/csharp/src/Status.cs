namespace Chatblock
{
    /// <summary>How a call, or one of its items, ended. docs/errors.md says for each what to do.</summary>
    /// <remarks>A number that is younger than this binding comes through as it is: negative means not done.</remarks>
    public enum Status
    {
        /// <summary>Items only: it was so already.</summary>
        Unchanged = 2,

        /// <summary>Done for some accounts, not for others: read the items.</summary>
        Partial = 1,

        /// <summary>Done; every account is as wanted now.</summary>
        Ok = 0,

        /// <summary>An argument is missing or out of range; the message names it.</summary>
        Argument = -1,

        /// <summary>Bad configuration; the message names the key or file.</summary>
        Config = -2,

        /// <summary>Bad request JSON; nothing was sent.</summary>
        Request = -3,

        /// <summary>The service refused: see the service code.</summary>
        Service = -4,

        /// <summary>No valid answer; a write may have happened.</summary>
        Network = -5,

        /// <summary>Out of time; a write may have happened.</summary>
        Timeout = -6,

        /// <summary>Too many calls are waiting; nothing was accepted.</summary>
        Busy = -7,

        /// <summary>Cancelled before it was sent; nothing happened.</summary>
        Cancelled = -8,

        /// <summary>The client is closing; a write that was under way may have happened.</summary>
        Closed = -9,

        /// <summary>The store or the outbox failed.</summary>
        Storage = -10,

        /// <summary>Local state has no answer: ask with a check.</summary>
        Unknown = -11,

        /// <summary>A UserSig or webhook did not verify.</summary>
        Signature = -12,

        /// <summary>Not on this platform or backend.</summary>
        Unsupported = -13,

        /// <summary>The client belongs to another process.</summary>
        Forked = -14,

        /// <summary>A bug in the library: close the client and report it.</summary>
        Panic = -15,

        /// <summary>Name, connection or TLS failed, or no turn came in time; nothing was sent.</summary>
        Connect = -16,

        /// <summary>Not answered; the write is recorded in the outbox and will be sent: do not repeat it.</summary>
        Queued = -17,
    }
}
