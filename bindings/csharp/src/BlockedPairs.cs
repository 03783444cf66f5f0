using System.Collections.Generic;

namespace Chatblock
{
    /// <summary>Who may not share a match.</summary>
    public sealed class BlockedPairs
    {
        internal BlockedPairs(IReadOnlyList<BlockedPair> pairs, long unknown)
        {
            Pairs = pairs;
            Unknown = unknown;
        }

        /// <summary>Which accounts block which, in order of owners.</summary>
        public IReadOnlyList<BlockedPair> Pairs { get; }

        /// <summary>How many of the accounts are not known as owners: what they block is not among the pairs.</summary>
        public long Unknown { get; }
    }

    /// <summary>One account blocks another; both are indices into the list that was asked about.</summary>
    public struct BlockedPair
    {
        internal BlockedPair(int owner, int blocked)
        {
            Owner = owner;
            Blocked = blocked;
        }

        /// <summary>Who blocks.</summary>
        public int Owner { get; }

        /// <summary>Who is blocked.</summary>
        public int Blocked { get; }
    }
}
