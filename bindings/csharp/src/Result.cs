using System.Collections.Generic;

namespace Chatblock
{
    /// <summary>What a call answered. A plain value: nothing to free, valid for ever.</summary>
    public sealed class Result
    {
        private static readonly Item[] NoItems = new Item[0];

        internal Result(
            Status status,
            int serviceCode,
            bool retryable,
            string message,
            string json,
            string command,
            string owner,
            IReadOnlyList<Item> items,
            uint nextIndex)
        {
            Status = status;
            ServiceCode = serviceCode;
            Retryable = retryable;
            Message = message;
            Json = json;
            Command = command;
            Owner = owner;
            Items = items;
            NextIndex = nextIndex;
        }

        /// <summary>Of functions of the library that answer with nothing but a number.</summary>
        internal static Result Of(Status status, string message)
        {
            bool retryable = status == Status.Busy || status == Status.Timeout;
            return new Result(status, 0, retryable, message, "", "", "", NoItems, 0);
        }

        /// <summary>How the call ended.</summary>
        public Status Status { get; }

        /// <summary>The service's code of the first account that failed, or of the refusal; 0 when there is none.</summary>
        public int ServiceCode { get; }

        /// <summary>Whether the same call may succeed later without anybody changing anything.</summary>
        public bool Retryable { get; }

        /// <summary>A sentence for people; empty when everything is as wanted.</summary>
        public string Message { get; }

        /// <summary>The service's answer object; empty when there was no answer.</summary>
        public string Json { get; }

        /// <summary>The service's name of the command; empty when the call did not become one.</summary>
        public string Command { get; }

        /// <summary>The owner of the list; empty when the call did not get that far.</summary>
        public string Owner { get; }

        /// <summary>One per account of the request, in its order; for a listing one per entry.</summary>
        public IReadOnlyList<Item> Items { get; }

        /// <summary>Listing: where the next page starts; 0 when the listing is complete.</summary>
        public uint NextIndex { get; }
    }
}
