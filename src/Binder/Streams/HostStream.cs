using System.Runtime.CompilerServices;
using ProcessPool.Binding.Payload;

namespace ProcessPool.Binding.Streams;

/// <summary>A stream that the caller passed as an argument: its items are asked for chunk by chunk. It can be enumerated once.</summary>
internal sealed class HostStream<T>(int index, HostLink host, PayloadJson json) : IAsyncEnumerable<T>
{
    private int _taken;

    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        Interlocked.Exchange(ref _taken, 1) == 0
            ? ReadAsync(cancellationToken).GetAsyncEnumerator(cancellationToken)
            : throw new InvalidOperationException("A stream that is an argument can be enumerated once.");

    private async IAsyncEnumerable<T> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var more = true;
        try
        {
            while (more)
            {
                var (payload, attachments, hasMore) = await host.AskAsync(LiveReference.Target(index, LiveReference.Next), default, [], cancellationToken).ConfigureAwait(false);
                more = hasMore;
                foreach (var item in (T[])json.Read(payload, attachments, typeof(T[]))!)
                {
                    yield return item;
                }
            }
        }
        finally
        {
            if (more)
            {
                await ((Task)host.AskAsync(LiveReference.Target(index, LiveReference.End), default, [], CancellationToken.None)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
