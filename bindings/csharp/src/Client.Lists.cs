using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Chatblock
{
    /// <content>The calls of the service, waiting and not waiting.</content>
    public sealed unsafe partial class Client
    {
        /// <summary>Blocks accounts: the owner no longer wants to hear them. Waits up to "call_ms".</summary>
        /// <param name="owner">The owner of the list, 1 to 32 bytes.</param>
        /// <param name="targets">1 to 100,000 accounts; more than 1000 go out in parts.</param>
        /// <returns>What became of each; one that is blocked already is <see cref="Status.Unchanged"/>.</returns>
        /// <exception cref="ChatblockException">None of it was done; its status says why.</exception>
        public Result Add(string owner, IEnumerable<string> targets)
        {
            using (var from = new Texts(nameof(owner), owner))
            using (var to = new Texts(nameof(targets), targets))
            {
                return Done(Library.chatblock_blocklist_add(Handle, from.First, to.Array, to.Count));
            }
        }

        /// <summary>Unblocks accounts. Waits up to "call_ms".</summary>
        /// <param name="owner">The owner of the list, 1 to 32 bytes.</param>
        /// <param name="targets">1 to 100,000 accounts.</param>
        /// <returns>What became of each; one that is not blocked is <see cref="Status.Unchanged"/>.</returns>
        /// <exception cref="ChatblockException">None of it was done; its status says why.</exception>
        public Result Delete(string owner, IEnumerable<string> targets)
        {
            using (var from = new Texts(nameof(owner), owner))
            using (var to = new Texts(nameof(targets), targets))
            {
                return Done(Library.chatblock_blocklist_delete(Handle, from.First, to.Array, to.Count));
            }
        }

        /// <summary>Reads one page of a list, oldest entry first. Waits up to "call_ms".</summary>
        /// <param name="owner">The owner of the list, 1 to 32 bytes.</param>
        /// <param name="startIndex">Offset of the first entry: 0, then <see cref="Result.NextIndex"/> until that is 0.</param>
        /// <param name="limit">Size of the page, 1 to 1000.</param>
        /// <returns>One item per entry, with its time.</returns>
        /// <exception cref="ChatblockException">It could not be read; its status says why.</exception>
        public Result Get(string owner, uint startIndex, uint limit)
        {
            using (var from = new Texts(nameof(owner), owner))
            {
                return Done(Library.chatblock_blocklist_get(Handle, from.First, startIndex, limit));
            }
        }

        /// <summary>Asks who blocks whom. Waits up to "call_ms".</summary>
        /// <param name="owner">The owner A, 1 to 32 bytes.</param>
        /// <param name="targets">1 to 100,000 accounts, each one B.</param>
        /// <param name="type">Which directions to look at.</param>
        /// <returns>One item per account with its relation; a failed one has <see cref="Relation.None"/>.</returns>
        /// <exception cref="ChatblockException">There is no answer; its status says why.</exception>
        public Result Check(string owner, IEnumerable<string> targets, CheckType type)
        {
            using (var from = new Texts(nameof(owner), owner))
            using (var to = new Texts(nameof(targets), targets))
            {
                return Done(Library.chatblock_blocklist_check(Handle, from.First, to.Array, to.Count, (int)type));
            }
        }

        /// <summary>Makes one call with the service's own request JSON. Waits up to "call_ms".</summary>
        /// <param name="command">black_list_add, black_list_delete, black_list_get or black_list_check.</param>
        /// <param name="requestJson">The request object of that command; at most 1000 accounts.</param>
        /// <returns>As the typed method of that command.</returns>
        /// <exception cref="ChatblockException">Argument, Request, or as the typed method.</exception>
        public Result Call(string command, string requestJson)
        {
            using (var name = new Texts(nameof(command), command))
            using (var request = new Texts(nameof(requestJson), requestJson))
            {
                return Done(Library.chatblock_client_call(Handle, name.First, request.First));
            }
        }

        /// <summary>The same as <see cref="Add"/> without waiting. Writes of one owner keep their order.</summary>
        /// <param name="owner">The owner of the list, 1 to 32 bytes.</param>
        /// <param name="targets">1 to 100,000 accounts.</param>
        /// <param name="cancellation">
        /// Cancels the call when it was not sent yet; one that was sent goes on, and its task says what became of it.
        /// </param>
        /// <returns>
        /// The answer to come; fails at once when the call was not accepted (<see cref="Status.Busy"/>: the queue is full).
        /// </returns>
        public Task<Result> AddAsync(
            string owner,
            IEnumerable<string> targets,
            CancellationToken cancellation = default(CancellationToken))
        {
            using (var from = new Texts(nameof(owner), owner))
            using (var to = new Texts(nameof(targets), targets))
            {
                return Handle.Completions.Submit(this, cancellation, (ulong tag, out IntPtr error) =>
                    Library.chatblock_blocklist_add_async(Handle, from.First, to.Array, to.Count, tag, out error));
            }
        }

        /// <summary>The same as <see cref="Delete"/> without waiting.</summary>
        /// <param name="owner">The owner of the list, 1 to 32 bytes.</param>
        /// <param name="targets">1 to 100,000 accounts.</param>
        /// <param name="cancellation">As for <see cref="AddAsync"/>.</param>
        /// <returns>As <see cref="AddAsync"/>.</returns>
        public Task<Result> DeleteAsync(
            string owner,
            IEnumerable<string> targets,
            CancellationToken cancellation = default(CancellationToken))
        {
            using (var from = new Texts(nameof(owner), owner))
            using (var to = new Texts(nameof(targets), targets))
            {
                return Handle.Completions.Submit(this, cancellation, (ulong tag, out IntPtr error) =>
                    Library.chatblock_blocklist_delete_async(Handle, from.First, to.Array, to.Count, tag, out error));
            }
        }

        /// <summary>
        /// The same as <see cref="Get"/> without waiting. It sees every write of the owner that was accepted before.
        /// </summary>
        /// <param name="owner">The owner of the list, 1 to 32 bytes.</param>
        /// <param name="startIndex">Offset of the first entry.</param>
        /// <param name="limit">Size of the page, 1 to 1000.</param>
        /// <param name="cancellation">As for <see cref="AddAsync"/>.</param>
        /// <returns>As <see cref="AddAsync"/>.</returns>
        public Task<Result> GetAsync(
            string owner,
            uint startIndex,
            uint limit,
            CancellationToken cancellation = default(CancellationToken))
        {
            using (var from = new Texts(nameof(owner), owner))
            {
                return Handle.Completions.Submit(this, cancellation, (ulong tag, out IntPtr error) =>
                    Library.chatblock_blocklist_get_async(Handle, from.First, startIndex, limit, tag, out error));
            }
        }

        /// <summary>
        /// The same as <see cref="Check"/> without waiting. It sees every write of the owner that was accepted before.
        /// </summary>
        /// <param name="owner">The owner A, 1 to 32 bytes.</param>
        /// <param name="targets">1 to 100,000 accounts, each one B.</param>
        /// <param name="type">Which directions to look at.</param>
        /// <param name="cancellation">As for <see cref="AddAsync"/>.</param>
        /// <returns>As <see cref="AddAsync"/>.</returns>
        public Task<Result> CheckAsync(
            string owner,
            IEnumerable<string> targets,
            CheckType type,
            CancellationToken cancellation = default(CancellationToken))
        {
            using (var from = new Texts(nameof(owner), owner))
            using (var to = new Texts(nameof(targets), targets))
            {
                return Handle.Completions.Submit(this, cancellation, (ulong tag, out IntPtr error) =>
                    Library.chatblock_blocklist_check_async(
                        Handle, from.First, to.Array, to.Count, (int)type, tag, out error));
            }
        }

        /// <summary>The same as <see cref="Call"/> without waiting.</summary>
        /// <param name="command">black_list_add, black_list_delete, black_list_get or black_list_check.</param>
        /// <param name="requestJson">The request object of that command; at most 1000 accounts.</param>
        /// <param name="cancellation">As for <see cref="AddAsync"/>.</param>
        /// <returns>As <see cref="AddAsync"/>.</returns>
        public Task<Result> CallAsync(
            string command, string requestJson, CancellationToken cancellation = default(CancellationToken))
        {
            using (var name = new Texts(nameof(command), command))
            using (var request = new Texts(nameof(requestJson), requestJson))
            {
                return Handle.Completions.Submit(this, cancellation, (ulong tag, out IntPtr error) =>
                    Library.chatblock_client_submit(Handle, name.First, request.First, tag, out error));
            }
        }
    }
}
