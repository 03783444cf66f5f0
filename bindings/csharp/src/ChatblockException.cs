using System;

namespace Chatblock
{
    /// <summary>A call that was not done. <see cref="Status"/> is for branching, the message for people.</summary>
    public sealed class ChatblockException : Exception
    {
        internal ChatblockException(Result result)
            : base(result.Status + ": " + result.Message)
        {
            Result = result;
        }

        internal ChatblockException(Status status, string message)
            : this(Result.Of(status, message))
        {
        }

        /// <summary>All that was answered, with the items and, for a webhook, the JSON to answer with.</summary>
        public Result Result { get; }

        /// <summary>Why. Always negative.</summary>
        public Status Status
        {
            get { return Result.Status; }
        }

        /// <summary>The service's code, for example 30013 for a full list; 0 when there is none.</summary>
        public int ServiceCode
        {
            get { return Result.ServiceCode; }
        }

        /// <summary>Whether the same call may succeed later without anybody changing anything.</summary>
        public bool Retryable
        {
            get { return Result.Retryable; }
        }
    }
}
