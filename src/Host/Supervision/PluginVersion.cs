using System.Diagnostics.CodeAnalysis;

using ProcessPool.Scheduling;

namespace ProcessPool.Supervision;

/// <summary>One version of the plugin, and the workers that serve it. A pool has one that is current, and those before it while they finish their calls.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer needs no disposal.")]
internal sealed class PluginVersion(Supervisor supervisor, PluginInfo plugin)
{
    private readonly CancellationTokenSource _enough = new();
    private volatile bool _isSuperseded;
    private Task<StopReport>? _retired;

    public Supervisor Supervisor => supervisor;

    public PluginInfo Plugin => plugin;

    /// <summary>Begins to end its workers, after what was begun or queued. It is not current any more.</summary>
    /// <returns>Ends when the last of them has ended. Never fails.</returns>
    public Task Supersede()
    {
        _isSuperseded = true;
        _retired = Task.Run(() => supervisor.StopAsync(drain: true, deadline: null, _enough.Token));
        return GoneAsync();

        async Task GoneAsync() => await ((Task)_retired).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Whether all of its workers have ended.</summary>
    public bool IsGone => _retired is { IsCompleted: true };

    /// <summary>Waits until it has ended, or makes it end when the pool has no more time.</summary>
    public async Task<StopReport> EndAsync(bool drain, TimeSpan? deadline, TimeProvider time, CancellationToken cancellationToken)
    {
        if (drain)
        {
            await ((Task)_retired!).WaitAsync(deadline ?? Timeout.InfiniteTimeSpan, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _enough.CancelAsync().ConfigureAwait(false);
        return await _retired!.ConfigureAwait(false);
    }

    /// <summary>Whether a call has been refused for that reason.</summary>
    public bool CameTooLate(Invocation call) => call.Settled.IsFaulted && CameTooLate(call.Settled.Exception.InnerException!);

    /// <summary>Whether a call was refused because it was made on this version when the next one had just become current.</summary>
    public bool CameTooLate(Exception exception) =>
        _isSuperseded && exception is CallRejectedException { Reason: RejectionReason.Stopped, Execution: Execution.NotStarted };
}
