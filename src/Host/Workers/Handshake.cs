using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Telemetry;

namespace ProcessPool.Workers;

/// <summary>From a running sandbox to a plugin that is ready. Every stage that is reported gives the next one its full time.</summary>
internal sealed class Handshake(PoolSettings settings, InitializeRequest request, ISandbox sandbox, PluginLog log) : IHostControl
{
    /// <summary>After the end of the control channel, how long the exit code may take.</summary>
    private static readonly TimeSpan ExitCodeWait = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly RatePacer _logPace = new(settings.MaxCallbacksPerSecond, settings.Time);
    private StartStage _reached = StartStage.Started;
    private string _pluginStage = "";
    private CancellationTokenSource? _deadline;

    /// <summary>What was achieved of the pool's policy, when it has ended well.</summary>
    public ConfinementReport? Confinement { get; private set; }

    public Task StageAsync(StartStage stage)
    {
        lock (_gate)
        {
            // Only forward: a sandbox that repeats itself does not win time.
            if (stage > _reached && stage <= StartStage.Ready)
            {
                _reached = stage;
                _deadline?.CancelAfter(settings.StartTimeout);
            }
        }

        return Task.CompletedTask;
    }

    public Task PluginStageAsync(string stage)
    {
        lock (_gate)
        {
            // The gate counts them.
            _pluginStage = WireText.Of(stage, WireLimits.MaxErrorMessage);
            _deadline?.CancelAfter(settings.StartTimeout);
        }

        return Task.CompletedTask;
    }

    public async Task LogAsync(PluginLogEntry entry)
    {
        await _logPace.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        log.Write(entry);
    }

    /// <summary>Ends when the plugin is ready.</summary>
    /// <exception cref="PluginLoadException">The sandbox says that the plugin cannot be loaded.</exception>
    /// <exception cref="WorkerStartException">The sandbox ended, took too long or answered nonsense.</exception>
    public async Task RunAsync(ISandboxControl control, Task<WorkerExit> exited, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(settings.StartTimeout, settings.Time);
        using var registration = cancellationToken.UnsafeRegister(_ => deadline.Cancel(), null);
        lock (_gate)
        {
            _deadline = deadline;
        }

        try
        {
            if (settings is { Debug: false, Confinement.Level: not ConfinementLevel.None })
            {
                // Before it learns of the plugin.
                var proof = await AnswerAsync(control.ProveAsync(CancellationToken.None), exited, deadline.Token).ConfigureAwait(false);
                Confinement = sandbox.Examine(settings.Confinement.IsSandbox ? proof : null);
                if (ConfinementException.If(Confinement, Site()) is { } missing)
                {
                    throw missing;
                }
            }

            ThrowIfFailed(await AnswerAsync(control.InitializeAsync(request, CancellationToken.None), exited, deadline.Token).ConfigureAwait(false));
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or SandboxPoolException))
        {
            throw new WorkerStartException($"The sandbox of worker {request.WorkerName} answered the handshake with an error: {exception.Message}{Tail()}", Site(), exception);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new WorkerStartException(
                $"Worker {request.WorkerName} did not get from stage '{Reached}' to the next within {settings.StartTimeout}. Raise StartTimeout if the plugin just loads slowly.{ThreadPoolHint.Now()}{Tail()}",
                Site());
        }
        finally
        {
            lock (_gate)
            {
                _deadline = null;
            }
        }
    }

    // The deadline ends the waiting even when the sandbox does not react to being cancelled.
    private async Task<T> AnswerAsync<T>(Task<T> answer, Task<WorkerExit> exited, CancellationToken deadline)
    {
        answer.Forget();
        await Task.WhenAny(answer, exited).WaitAsync(deadline).ConfigureAwait(false);
        if (answer.IsFaulted)
        {
            // The sandbox is dying, which its exit code tells better, or it answered nonsense.
            await Task.WhenAny(exited, Task.Delay(ExitCodeWait, settings.Time, deadline)).ConfigureAwait(false);
        }

        return exited.IsCompleted && !answer.IsCompletedSuccessfully ? throw Ended(await exited.ConfigureAwait(false)) : await answer.ConfigureAwait(false);
    }

    private void ThrowIfFailed(InitializeReply? reply)
    {
        if (reply is null)
        {
            throw new WorkerStartException($"The sandbox of worker {request.WorkerName} answered the handshake with nothing.", Site());
        }

        if (reply.ProtocolVersion != WireLimits.ProtocolVersion)
        {
            throw new WorkerStartException(
                $"The sandbox speaks protocol {reply.ProtocolVersion}, this host {WireLimits.ProtocolVersion}: the processpool folder beside the program is from another version of ProcessPool.Host. Rebuild.",
                Site());
        }

        if (reply.FailedStage is { } stage)
        {
            var error = PluginError.From(reply.Error ?? new RemoteError("", "No reason was given.", "", null));
            throw new PluginLoadException(
                stage >= StartStage.Activated ? LoadStage.Activate : LoadStage.Load,
                request.EntryAssembly,
                PluginLoadMessage.For(request.EntryAssembly, error),
                Site(),
                error,
                loadReport: LoadReport.From(reply.LoadReport));
        }
    }

    private WorkerStartException Ended(WorkerExit exit) => new(
        $"Worker {request.WorkerName} ended at stage '{Reached}' of its start: {(exit.IsByPool ? exit.Why : exit.How)}.{Tail()}", Site());

    private string Reached => _pluginStage.Length > 0 ? $"{_reached}: {_pluginStage}" : $"{_reached}";

    private string Tail() =>
        sandbox.StandardError.Text is { Length: > 0 } text ? $"{Environment.NewLine}Last standard error:{Environment.NewLine}{text}" : "";

    private FaultSite Site() => new(request.PoolName, request.WorkerName, sandbox.ProcessId);
}
