namespace ProcessPool.Binding.Streams;

using HostCall = Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], CancellationToken, Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)>>;

/// <summary>One call's way back to the host, as long as it executes.</summary>
/// <param name="host">Asks the host; throws what the host answers with. Null where there is no host to ask.</param>
internal sealed class HostLink(HostCall? host)
{
    private readonly List<Func<Task>> _beforeReply = [];

    public Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)> AskAsync(
        string target, ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte>[] attachments, CancellationToken cancellationToken) =>
        host?.Invoke(target, payload, attachments, cancellationToken) ?? throw new InvalidOperationException("There is no host to ask.");

    /// <summary>Has something done before the reply is sent.</summary>
    public void BeforeReply(Func<Task> work) => _beforeReply.Add(work);

    /// <summary>Does it.</summary>
    public async Task FlushAsync()
    {
        foreach (var work in _beforeReply)
        {
            await work().ConfigureAwait(false);
        }
    }
}
