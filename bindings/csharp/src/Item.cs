namespace Chatblock
{
    /// <summary>What became of one account of a call; for a listing, one entry of the list.</summary>
    public sealed class Item
    {
        internal Item(string account, Status status, int code, Relation relation, long time)
        {
            Account = account;
            Status = status;
            Code = code;
            Relation = relation;
            Time = time;
        }

        /// <summary>The account.</summary>
        public string Account { get; }

        /// <summary>Ok, Unchanged, Service (see the code), or why there is no answer for this account.</summary>
        public Status Status { get; }

        /// <summary>The service's ResultCode; 0 when there is none.</summary>
        public int Code { get; }

        /// <summary>Check: who blocks whom; None otherwise.</summary>
        public Relation Relation { get; }

        /// <summary>Listing: when it was blocked, in Unix seconds; 0 otherwise.</summary>
        public long Time { get; }

        /// <summary>For people.</summary>
        public override string ToString()
        {
            return Account + ": " + Status + (Code == 0 ? "" : " (" + Code + ")");
        }
    }
}
