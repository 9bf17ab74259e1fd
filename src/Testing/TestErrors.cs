using ProcessPool.Protocol;

namespace ProcessPool.Testing;

/// <summary>The errors of a pool, for fakes of contracts and services that are to throw them. What is thrown by a pool of <see cref="TestPool"/> needs none of these.</summary>
public static class TestErrors
{
    private static readonly FaultSite Site = new("test", "test-0", 4711, 1, "Test", Execution.Started, 1);

    /// <summary>The worker died under the call.</summary>
    /// <param name="reason">How; exit code and signal follow from it.</param>
    /// <param name="entryPoint">Whose call.</param>
    /// <param name="standardError">What it printed last.</param>
    public static WorkerCrashedException Crash(CrashReason reason = CrashReason.Crashed, string entryPoint = "Test", string standardError = "") =>
        new(Deaths.Of(reason, standardError), Site with { EntryPoint = entryPoint });

    /// <summary>The call took too long.</summary>
    /// <param name="timeout">The limit.</param>
    /// <param name="phase">Whether it executed or waited.</param>
    /// <param name="entryPoint">Whose call.</param>
    public static CallTimeoutException Timeout(TimeSpan timeout, TimeoutPhase phase = TimeoutPhase.Execute, string entryPoint = "Test") => phase switch
    {
        TimeoutPhase.Execute => CallTimeoutException.WhileExecuting(timeout, Site with { EntryPoint = entryPoint }),
        TimeoutPhase.Queue => CallTimeoutException.WhileQueued(timeout, "1 calls wait", new FaultSite("test", CallId: 1, EntryPoint: entryPoint)),
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "There is no such phase."),
    };

    /// <summary>The plugin's code threw.</summary>
    /// <param name="thrown">What it threw: what is known of it on the host is its text.</param>
    /// <param name="entryPoint">Whose call.</param>
    public static PluginCallException Plugin(Exception thrown, string entryPoint = "Test")
    {
        ArgumentNullException.ThrowIfNull(thrown);
        return new(PluginError.From(ErrorMapper.Map(thrown)), Site with { EntryPoint = entryPoint });
    }

    /// <summary>The pool did not take the call.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="entryPoint">Whose call.</param>
    public static CallRejectedException Rejected(RejectionReason reason, string entryPoint = "Test")
    {
        var site = new FaultSite("test", CallId: 1, EntryPoint: entryPoint);
        return reason switch
        {
            RejectionReason.Broken => CallRejectedException.Broken(" test-0 died: SIGSEGV", site, Crash(entryPoint: entryPoint)),
            RejectionReason.QueueFull => CallRejectedException.QueueFull("16 calls wait", site),
            RejectionReason.LeaseLost => CallRejectedException.LeaseLost(Site with { EntryPoint = entryPoint }, Crash(entryPoint: entryPoint)),
            _ when Enum.IsDefined(reason) => new CallRejectedException(reason, site),
            _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "There is no such reason."),
        };
    }

    /// <summary>A worker could not be started.</summary>
    /// <param name="message">Why.</param>
    public static WorkerStartException Start(string message = "The worker did not start.") => new(message, new FaultSite("test", "test-0"));
}
