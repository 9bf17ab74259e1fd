using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Nerdbank.Streams;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Sandbox;
using ProcessPool.Workers;

namespace ProcessPool.Launch;

/// <summary>
/// Debug mode: the same sandbox assembly, in a load context of its own in this process, over in-memory streams. Killing it only cuts
/// the streams; plugin code that does not end by itself goes on.
/// </summary>
internal sealed class InProcessSandbox : ISandbox
{
    private static readonly Lock Gate = new();
    private static Func<Stream, Stream, string, Task>? s_session;

    private readonly Func<Stream, Stream, string, Task> _session;
    private readonly int _depth;
    private readonly ScratchDirectory _scratch;
    private readonly Stream _sandboxControl;
    private readonly Stream _sandboxCalls;
    private readonly CancellationTokenSource _killed = new();

    private InProcessSandbox(Func<Stream, Stream, string, Task> session, int depth, ScratchDirectory scratch)
    {
        _scratch = scratch;
        _session = session;
        _depth = depth;
        (Control, _sandboxControl) = FullDuplexStream.CreatePair();
        (Calls, _sandboxCalls) = FullDuplexStream.CreatePair();
        Exited = RunAsync();
    }

    public int? ProcessId => null;

    public Stream Control { get; }

    public Stream Calls { get; }

    public RawPipe? CallsPipe => null;

    public Task<int> Exited { get; }

    public bool HasExited => Exited.IsCompleted;

    public OutputTail StandardError { get; } = new();

    public string ScratchDirectory => _scratch.Path;

    /// <summary>Starts a sandbox in this process.</summary>
    /// <exception cref="WorkerStartException">The sandbox program is missing or cannot be loaded.</exception>
    public static InProcessSandbox Start(PoolSettings settings, string poolName, string workerName, int depth)
    {
        var site = new FaultSite(poolName, workerName);
        if (!RuntimeFeature.IsDynamicCodeSupported)
        {
            throw new WorkerStartException(
                "Debug mode loads the plugin into this process, which needs dynamic code: it is switched off here (Native AOT, or a file-based app; there, '#:property PublishAot=false' switches it on).", site);
        }

        var path = SandboxLocator.FindSandbox(site);
        try
        {
            lock (Gate)
            {
                s_session ??= Load(path);
            }
        }
        catch (Exception exception)
        {
            throw new WorkerStartException($"The sandbox program {path} cannot be loaded into this process (debug mode): {exception.Message}", site, exception);
        }

        return new InProcessSandbox(s_session, depth, new ScratchDirectory(settings.Logger));
    }

    // Nothing is confined in this process.
    public ConfinementReport Examine(string? proof) => new(ConfinementPolicy.None, [], IsProven: false);

    public Mailbox? Mailbox => null;

    public void EmptyMailbox()
    {
    }

    public byte[] ReadOutbox() => [];

    public RecorderMark? ReadMark() => null;

    public ProcessUse? ReadUse() => null;

    public TimeSpan? ReadProcessorTime() => null;

    public long ReadScratch(long enough) => 0;

    public void Kill() => _killed.Cancel();

    public async ValueTask DisposeAsync()
    {
        Kill();
        await Exited.ConfigureAwait(false);
        await Control.DisposeAsync().ConfigureAwait(false);
        await Calls.DisposeAsync().ConfigureAwait(false);
        _scratch.Dispose();
    }

    private async Task<int> RunAsync()
    {
        PoolDepth.EnterInProcess(_depth);
        var session = Task.Run(() => _session(_sandboxControl, _sandboxCalls, ""));
        try
        {
            await session.WaitAsync(_killed.Token).ConfigureAwait(false);
            return 0;
        }
        catch (Exception exception)
        {
            // Killed, or its streams were cut: in a process of its own it would be dead now.
            if (!_killed.IsCancellationRequested)
            {
                StandardError.Add($"{exception.GetType()}: {exception.Message}");
            }

            session.Forget();
            return -1;
        }
        finally
        {
            await _sandboxControl.DisposeAsync().ConfigureAwait(false);
            await _sandboxCalls.DisposeAsync().ConfigureAwait(false);
        }
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Only where dynamic code is supported, so nothing was trimmed.")]
    private static Func<Stream, Stream, string, Task> Load(string path) =>
        new SandboxContext(path).Find<Func<Stream, Stream, string, Task>>("ProcessPool.Sandbox.SandboxSession", "RunAsync");
}
