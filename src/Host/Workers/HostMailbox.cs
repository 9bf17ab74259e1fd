using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Workers;

/// <summary>
/// A worker's mailbox as its host uses it, one request at a time. What large messages took is given back to the system when there was none for a while:
/// memory that is used again costs a fraction of fresh memory.
/// </summary>
internal sealed class HostMailbox : IDisposable
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Mailbox _mailbox;
    private readonly Action _empty;
    private readonly ITimer _timer;
    private bool _isInUse;
    private bool _isEmpty = true;
    private bool _isOver;

    /// <param name="mailbox">The mailbox.</param>
    /// <param name="empty">Gives what is in it back to the system.</param>
    /// <param name="time">The clock.</param>
    public HostMailbox(Mailbox mailbox, Action empty, TimeProvider time)
    {
        _mailbox = mailbox;
        _empty = empty;
        _timer = time.CreateTimer(_ => Empty(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A request begins.</summary>
    public void Enter()
    {
        lock (_gate)
        {
            _isInUse = true;
        }
    }

    /// <summary>Its reply is there.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _isInUse = false;
            if (!_isEmpty && !_isOver)
            {
                _timer.Change(KeptFor, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>The request with its large attachments in the mailbox.</summary>
    public async ValueTask<CallRequest> PutAsync(CallRequest request)
    {
        if (!Array.Exists(request.Attachments, attachment => attachment.Length >= Mailbox.Threshold))
        {
            return request;
        }

        await LeavePollerAsync().ConfigureAwait(false);
        var (attachments, lengths) = _mailbox.Put(request.Attachments);
        _isEmpty = false;
        return request with { Attachments = attachments, InMailbox = lengths };
    }

    /// <summary>The reply with all its attachments.</summary>
    /// <exception cref="InvalidDataException">It says what cannot be.</exception>
    public async ValueTask<CallReply> TakeAsync(CallReply reply)
    {
        await LeavePollerAsync().ConfigureAwait(false);
        _isEmpty = false;
        return reply with { Attachments = _mailbox.Take(reply.Attachments, reply.InMailbox), InMailbox = [] };
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
        }

        _timer.Dispose();
    }

    private void Empty()
    {
        lock (_gate)
        {
            if (!_isInUse && !_isEmpty && !_isOver)
            {
                _isEmpty = true;
                _empty();
            }
        }
    }

    // It takes long: the other workers' replies must not wait for it.
    private static async ValueTask LeavePollerAsync()
    {
        if (PipePoller.IsCurrent)
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
    }
}
