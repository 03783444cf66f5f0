using System;
using System.Collections.Generic;
using System.Linq;

namespace Chatblock
{
    /// <content>Questions that local memory answers.</content>
    public sealed unsafe partial class Client
    {
        /// <summary>Two accounts of the longest valid kind fit, and some that are not valid.</summary>
        private const int StackBytes = 512;

        /// <summary>
        /// The hot path: does the owner block the peer? Answered from memory; sends, allocates and locks nothing.
        /// </summary>
        /// <param name="owner">Whose list is asked about, 1 to 32 bytes.</param>
        /// <param name="peer">Who may be on it, likewise.</param>
        /// <returns>
        /// <see cref="Answer.Unknown"/> never means "no": on the remote backend, <see cref="Watch"/> the owner first.
        /// </returns>
        /// <exception cref="ChatblockException">Argument: one of them is empty or too long.</exception>
        public Answer IsBlocked(string owner, string peer)
        {
            long bytes = Texts.Room(owner, nameof(owner), Texts.Alone) + Texts.Room(peer, nameof(peer), Texts.Alone);
            if (bytes > StackBytes)
            {
                return IsBlockedMany(new[] { owner }, peer)[0];
            }
            byte* ownerText = stackalloc byte[StackBytes];
            byte* peerText = ownerText + Texts.Write(owner, nameof(owner), Texts.Alone, ownerText);
            Texts.Write(peer, nameof(peer), Texts.Alone, peerText);
            return Answered(Library.chatblock_client_is_blocked(Handle, ownerText, peerText));
        }

        /// <summary>Who may hear this player: which of these owners block the peer? Faster than one by one.</summary>
        /// <param name="owners">Whose lists are asked about.</param>
        /// <param name="peer">Who may be on them.</param>
        /// <returns>One answer per owner, in their order.</returns>
        /// <exception cref="ChatblockException">Argument, also when one of the owners is empty or too long.</exception>
        public IReadOnlyList<Answer> IsBlockedMany(IEnumerable<string> owners, string peer)
        {
            using (var list = new Texts(nameof(owners), owners))
            using (var peerText = new Texts(nameof(peer), peer))
            {
                var numbers = new sbyte[(int)list.Count];
                fixed (sbyte* room = numbers)
                {
                    Number("is_blocked_many", Library.chatblock_client_is_blocked_many(
                        Handle, list.Array, list.Count, peerText.First, room));
                }
                return Array.ConvertAll(numbers, number => Answered(number));
            }
        }

        /// <summary>May these share a match: which of these accounts block which?</summary>
        /// <param name="accounts">1 to 10,000 accounts: each is asked about each.</param>
        /// <exception cref="ChatblockException">Argument, also when one of them is empty or too long.</exception>
        public BlockedPairs BlockedPairs(IEnumerable<string> accounts)
        {
            using (var list = new Texts(nameof(accounts), accounts))
            {
                var indices = new uint[8 * (int)list.Count];
                while (true)
                {
                    UIntPtr unknown;
                    int found = Pairs(list, indices, &unknown);
                    if (2L * found <= indices.Length)
                    {
                        var pairs = Enumerable.Range(0, found)
                            .Select(i => new BlockedPair((int)indices[2 * i], (int)indices[2 * i + 1]));
                        return new BlockedPairs(pairs.ToList().AsReadOnly(), (long)unknown);
                    }
                    indices = new uint[2L * found];
                }
            }
        }

        /// <summary>
        /// Knows these owners from now on, such as players who log in: their lists are read in the background, again and
        /// again. Returns at once.
        /// </summary>
        /// <param name="owners">1 to 100,000 accounts.</param>
        /// <exception cref="ChatblockException">Argument (nothing is watched then), Busy.</exception>
        public void Watch(IEnumerable<string> owners)
        {
            using (var list = new Texts(nameof(owners), owners))
            {
                Number("watch", Library.chatblock_client_watch(Handle, list.Array, list.Count));
            }
        }

        /// <summary>Lets go of owners, such as players who log out. Returns at once.</summary>
        /// <param name="owners">1 to 100,000 accounts; one that is not watched does no harm.</param>
        /// <exception cref="ChatblockException">Argument, Busy.</exception>
        public void Unwatch(IEnumerable<string> owners)
        {
            using (var list = new Texts(nameof(owners), owners))
            {
                Number("unwatch", Library.chatblock_client_unwatch(Handle, list.Array, list.Count));
            }
        }

        private int Pairs(Texts accounts, uint[] indices, UIntPtr* unknown)
        {
            fixed (uint* room = indices)
            {
                return Number("blocked_pairs", Library.chatblock_client_blocked_pairs(
                    Handle, accounts.Array, accounts.Count, room, (UIntPtr)(ulong)(indices.LongLength / 2), unknown));
            }
        }

        private static Answer Answered(int number)
        {
            switch (number)
            {
                case 1:
                    return Answer.Yes;
                case 0:
                    return Answer.No;
                case (int)Status.Unknown:
                    return Answer.Unknown;
                default:
                    throw new ChatblockException((Status)number, "the question was refused");
            }
        }
    }
}
