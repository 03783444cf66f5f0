using System.Threading;
using System.Threading.Tasks;

namespace Chatblock
{
    /// <summary>A call that was handed over and not answered yet.</summary>
    internal sealed class Call
    {
        /// <summary>What awaits the task does not run on the thread that takes the answers.</summary>
        private readonly TaskCompletionSource<Result> source =
            new TaskCompletionSource<Result>(TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly CancellationToken cancellation;

        internal Call(Client client, CancellationToken cancellation)
        {
            Client = client;
            this.cancellation = cancellation;
        }

        /// <summary>
        /// A client is not closed as dropped while somebody waits for an answer of it, and is nobody's after that: a
        /// collector may find this object on a stack long after its use.
        /// </summary>
        internal Client Client { get; private set; }

        internal Task<Result> Task
        {
            get { return source.Task; }
        }

        internal void Complete(Result result)
        {
            Client = null;
            if (result.Status >= 0)
            {
                source.TrySetResult(result);
            }
            else if (result.Status == Status.Cancelled && cancellation.IsCancellationRequested)
            {
                source.TrySetCanceled(cancellation);
            }
            else
            {
                source.TrySetException(new ChatblockException(result));
            }
        }
    }
}
