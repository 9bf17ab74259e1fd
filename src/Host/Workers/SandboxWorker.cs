using Microsoft.Extensions.Logging;
using ProcessPool.Binding;
using ProcessPool.Calls;
using ProcessPool.Diagnostics;
using ProcessPool.Launch;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Scheduling;
using ProcessPool.Telemetry;
using StreamJsonRpc;

namespace ProcessPool.Workers;

/// <summary>A sandbox joined by two RPC connections. Knows nothing of processes or of the pool.</summary>
internal sealed class SandboxWorker : IWorker
{
    /// <summary>After the end of a channel, how long the exit code may take before the sandbox counts as lost.</summary>
    private static readonly TimeSpan ExitCodeWait = TimeSpan.FromSeconds(1);

    /// <summary>After the process's end, how long what it sent last may take to arrive.</summary>
    private static readonly TimeSpan LastReplyWait = TimeSpan.FromMilliseconds(250);

    /// <summary>How long it may take to give calls back: no code of a plugin's is in the way.</summary>
    private static readonly TimeSpan RevokeWait = TimeSpan.FromSeconds(1);

    /// <summary>Binder's own entry point. 0 is no call's number.</summary>
    private static readonly CallRequest WarmUpCall = new(0, WarmUp.Name, "[1,\"\"]"u8.ToArray(), []);

    private readonly ISandbox _sandbox;
    private readonly PoolSettings _settings;
    private readonly JsonRpc _control;
    private readonly ISandboxControl _controlProxy;
    private readonly CallsConnection _calls;
    private readonly CallbackTarget _callbacks;
    private readonly CurrentCalls _current;
    private readonly HostMailbox? _mailbox;
    private readonly long _startedAt;
    private string? _violation;
    private CrashReason? _killedFor;
    private long _peakMemory;
    private volatile bool _stopping;
    private long _callsServed;

    private SandboxWorker(string name, ISandbox sandbox, PoolSettings settings, JsonRpc control, CurrentCalls current)
    {
        _current = current;
        Name = name;
        _sandbox = sandbox;
        _settings = settings;
        _startedAt = settings.Time.GetTimestamp();
        _control = control;
        _controlProxy = control.Attach<ISandboxControl>();
        _callbacks = new CallbackTarget(settings);
        _mailbox = sandbox.Mailbox is { } mailbox ? new HostMailbox(mailbox, sandbox.EmptyMailbox, settings.Time) : null;

        // From the first moment, so that its end is seen.
        _calls = new CallsConnection(sandbox, settings.MaxMessageBytes, _callbacks);
        Exited = WatchAsync();
    }

    public string Name { get; }

    public int? ProcessId => _sandbox.ProcessId;

    public Task<WorkerExit> Exited { get; }

    public ConfinementReport? Confinement { get; private set; }

    public bool HasExited => _sandbox.HasExited;

    /// <summary>Joins a sandbox, and lets it load the plugin.</summary>
    public static async Task<SandboxWorker> StartAsync(
        ISandbox sandbox, InitializeRequest request, PoolSettings settings, Action<IWorker> begins, CancellationToken cancellationToken)
    {
        var control = RpcChannel.Create(sandbox.Control, $"{request.WorkerName} control", WireLimits.MaxControlMessageBytes, ControlGate());
        var current = new CurrentCalls();
        var handshake = new Handshake(settings, request, sandbox, new PluginLog(settings, request.PoolName, request.WorkerName, sandbox.ProcessId, current));
        control.AddLocalRpcTarget<IHostControl>(handshake, null);
        control.StartListening();
        var worker = new SandboxWorker(request.WorkerName, sandbox, settings, control, current);
        begins(worker);
        try
        {
            await handshake.RunAsync(worker._controlProxy, worker.Exited, cancellationToken).ConfigureAwait(false);
            worker.Confinement = handshake.Confinement;
            return worker;
        }
        catch
        {
            worker.Kill();
            await worker.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task<CallReply> InvokeAsync(CallRequest request, Callbacks? callbacks, CancellationToken cancellationToken)
    {
        _callbacks.Begin(request.Id, callbacks);
        _current.Begin(request);
        return RequestAsync(nameof(ISandboxCalls.InvokeAsync), request, request.Id, cancellationToken);
    }

    public async Task WarmUpAsync()
    {
        try
        {
            // What runs a method is compiled when it runs for the second time.
            for (var i = 0; i < 2; i++)
            {
                var answered = RequestAsync(nameof(ISandboxCalls.InvokeAsync), WarmUpCall, WarmUpCall.Id, CancellationToken.None);
                answered.Forget();
                Watch();
                await answered.WaitAsync(_settings.StartTimeout, _settings.Time).ConfigureAwait(false);
            }
        }
        catch (TimeoutException)
        {
            KillAsViolation("it answered nothing after it had said that it is ready");
        }
        catch (WorkerLostException)
        {
            // It is nobody's worker yet: who has started it sees its end.
        }
    }

    public async Task InvokeManyAsync(Chunk calls, Action<int, CallReply> reply, PlainReply plain)
    {
        _callbacks.Begin(calls);
        _current.Begin(calls);
        try
        {
            var replies = new ManyReplies(calls.Count, Take, TryTakePlain, calls.Received);
            await _calls.RequestManyAsync(nameof(ISandboxCalls.InvokeManyAsync), calls.ToMessage(), replies).ConfigureAwait(false);
            _callbacks.End();
        }
        catch (Exception exception)
        {
            throw await LostAsync(exception).ConfigureAwait(false);
        }
        finally
        {
            _current.End();
        }

        void Take(int index, object? value)
        {
            if (value is not CallReply { Attachments: not null, Status: not CallStatus.Streaming and <= CallStatus.Skipped, InMailbox.Length: 0 } each || each.Status == CallStatus.Skipped && calls.HasAsked(index))
            {
                throw new InvalidDataException("It answered a call with nothing, or with a stream, or skipped one that had asked for something.");
            }

            _callsServed++;
            reply(index, each);
        }

        bool TryTakePlain(int index, ReadOnlySpan<byte> json)
        {
            var isTaken = plain(index, json);
            _callsServed += isTaken ? 1 : 0;
            return isTaken;
        }
    }

    public async Task<IReadOnlyList<long>> RevokeAsync(IReadOnlyList<long> callIds)
    {
        try
        {
            var revoked = _controlProxy.RevokeAsync([.. callIds]);
            revoked.Forget();
            await ((Task)Task.WhenAny(revoked, Exited).WaitAsync(RevokeWait, _settings.Time)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return revoked.IsCompletedSuccessfully ? await revoked.ConfigureAwait(false) ?? [] : [];
        }
        catch (Exception)
        {
            // The worker is about to be lost, which tells more.
            return [];
        }
    }

    public void Cancel(long callId) => _controlProxy.CancelAsync(callId).Forget();

    public Task<CallReply> NextAsync(long callId, CancellationToken cancellationToken) => RequestAsync(nameof(ISandboxCalls.NextAsync), callId, callId, cancellationToken);

    public async Task EndAsync(long callId)
    {
        var ended = RequestAsync(nameof(ISandboxCalls.EndAsync), callId, callId, CancellationToken.None);
        Watch();
        await ended.ConfigureAwait(false);
    }

    public void Watch() => _calls.Watch();

    public bool Spin(Task task, long untilTimestamp) => _calls.Spin(task, untilTimestamp);

    private async Task<CallReply> RequestAsync(string method, object argument, long callId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // On the control channel: the thread that reads the other one may be the plugin's.
        using var cancel = cancellationToken.CanBeCanceled ? CancelWith(callId, cancellationToken) : default;
        try
        {
            _mailbox?.Enter();
            argument = argument is CallRequest { Attachments.Length: > 0 } request && _mailbox is not null ? await _mailbox.PutAsync(request).ConfigureAwait(false) : argument;
            var reply = Check(await _calls.RequestAsync(method, argument).ConfigureAwait(false) as CallReply);
            reply = reply.InMailbox.Length > 0 ? await _mailbox!.TakeAsync(reply).ConfigureAwait(false) : reply;
            _callsServed += method == nameof(ISandboxCalls.InvokeAsync) && callId != WarmUpCall.Id ? 1 : 0;
            return reply;
        }
        catch (Exception exception)
        {
            throw await LostAsync(exception).ConfigureAwait(false);
        }
        finally
        {
            _mailbox?.Leave();
        }
    }

    private CancellationTokenRegistration CancelWith(long callId, CancellationToken cancellationToken) => cancellationToken.UnsafeRegister(_ => Cancel(callId), null);

    // The connection ended, or the answer makes no sense. Either way this worker is over; its exit code tells more.
    private async Task<WorkerLostException> LostAsync(Exception exception)
    {
        if (!await EndsWithinAsync(ExitCodeWait).ConfigureAwait(false))
        {
            KillAsViolation(exception.Message);
        }

        return new WorkerLostException(await Exited.ConfigureAwait(false));
    }

    private CallReply Check(CallReply? reply)
    {
        if (reply is not { Attachments: not null, Status: <= CallStatus.Streaming } || reply.InMailbox.Length > 0 && _mailbox is null)
        {
            throw new InvalidDataException("It answered a call with nothing.");
        }

        // "[]": a stream without items that goes on would go on for ever.
        if (reply.Status == CallStatus.Streaming && reply.Payload.Length <= 2)
        {
            throw new InvalidDataException("It sent a chunk without items.");
        }

        if (reply.Status != CallStatus.Streaming)
        {
            _callbacks.End();
        }

        return reply;
    }

    public async Task<LoadReport?> GetLoadReportAsync(CancellationToken cancellationToken)
    {
        var asked = _controlProxy.GetLoadReportAsync(cancellationToken);
        asked.Forget();
        try
        {
            return LoadReport.From(await asked.WaitAsync(_settings.StartTimeout, _settings.Time, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public RecorderMark? ReadMark() => _sandbox.ReadMark();

    public ProcessUse? ReadUse()
    {
        var use = _sandbox.ReadUse();
        _peakMemory = Math.Max(_peakMemory, Math.Max(use?.Peak ?? 0, use?.Resident ?? 0));
        return use;
    }

    public TimeSpan? ReadProcessorTime() => _sandbox.ReadProcessorTime();

    public long CallsServed => Interlocked.Read(ref _callsServed);

    public long ReadScratch(long enough) => _sandbox.ReadScratch(enough);

    public long? PeakMemory => _peakMemory > 0 ? _peakMemory : null;

    public void Kill(CrashReason? reason = null)
    {
        if (!_sandbox.HasExited)
        {
            _killedFor ??= reason;
        }

        _sandbox.Kill();
    }

    public async Task<bool> StopAsync(TimeSpan timeout)
    {
        _stopping = true;
        var forced = false;
        try
        {
            var stopped = StopGentlyAsync();
            stopped.Forget();
            await stopped.WaitAsync(timeout, _settings.Time).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // A connection that broke is the end of the process, or it is about to end.
            if (exception is TimeoutException ? !_sandbox.HasExited : !await EndsWithinAsync(ExitCodeWait).ConfigureAwait(false))
            {
                forced = true;
                _settings.Logger.WorkerStopForced(Name, ProcessId, timeout, exception.Message);
            }
        }

        Kill();
        await Exited.ConfigureAwait(false);
        return forced;
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await Exited.ConfigureAwait(false);
        _control.Dispose();
        _calls.Dispose();
        _mailbox?.Dispose();
        await _sandbox.DisposeAsync().ConfigureAwait(false);
    }

    private static RequestGate ControlGate() => new(
        WireLimits.MaxRequestsAtOnce,
        (nameof(IHostControl.StageAsync), WireLimits.MaxStages),
        (nameof(IHostControl.PluginStageAsync), WireLimits.MaxStages),
        (nameof(IHostControl.LogAsync), RequestGate.Always));

    private async Task StopGentlyAsync()
    {
        try
        {
            await _controlProxy.ShutdownAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (RemoteInvocationException exception)
        {
            _settings.Logger.DisposeThrew(Name, ProcessId, exception.Message);
        }

        // The sandbox may be gone before it has answered.
        await _controlProxy.ExitAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Exited.ConfigureAwait(false);
    }

    private async Task<WorkerExit> WatchAsync()
    {
        // A channel that ends while the process lives is broken by the plugin, or the process is about to end.
        await Task.WhenAny(_sandbox.Exited, _control.Completion, _calls.Completion).ConfigureAwait(false);
        // One that dies in the middle of a message leaves a broken one too.
        var isBroken = _control.Completion.IsFaulted || _calls.Completion.IsFaulted;
        if (!await EndsWithinAsync(isBroken ? LastReplyWait : ExitCodeWait).ConfigureAwait(false) && !_stopping)
        {
            KillAsViolation(isBroken ? "what it sent cannot be understood" : "a channel was closed");
        }

        var exitCode = await _sandbox.Exited.ConfigureAwait(false);

        // What the sandbox finished before it died is delivered. Then pending calls must end, even if a descendant holds the pipe open.
        await Task.WhenAny(_calls.Completion, Task.Delay(LastReplyWait, _settings.Time)).ConfigureAwait(false);
        _calls.Recover(_sandbox.ReadOutbox());
        var tail = _sandbox.StandardError.Text;
        var exit = new WorkerExit(
            _violation is null ? _killedFor ?? ExitClassifier.Reason(exitCode, tail) : CrashReason.ProtocolViolation,
            exitCode,
            ExitClassifier.Signal(exitCode),
            tail,
            _settings.Time.GetElapsedTime(_startedAt),
            Interlocked.Read(ref _callsServed),
            _sandbox.ReadMark(),
            PeakMemory);
        _calls.Dispose();
        _control.Dispose();
        return exit;
    }

    private void KillAsViolation(string what)
    {
        // One that has died by itself in the middle of a message has broken nothing.
        if (!_sandbox.HasExited && Interlocked.CompareExchange(ref _violation, what, null) is null)
        {
            _settings.Logger.ProtocolViolated(Name, ProcessId, what);
        }

        Kill();
    }

    private async Task<bool> EndsWithinAsync(TimeSpan wait)
    {
        await Task.WhenAny(_sandbox.Exited, Task.Delay(wait, _settings.Time)).ConfigureAwait(false);
        return _sandbox.Exited.IsCompleted;
    }
}
