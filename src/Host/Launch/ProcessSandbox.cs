using System.Diagnostics;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.Workers;

namespace ProcessPool.Launch;

/// <summary>The sandbox as a child process. The only file that knows <see cref="Process"/>.</summary>
internal sealed class ProcessSandbox : ISandbox
{
    /// <summary>After the process's end, how long its last output may take to arrive. A descendant may hold the pipe open for ever.</summary>
    private static readonly TimeSpan OutputWait = TimeSpan.FromMilliseconds(250);

    private readonly Process _process;
    private readonly SandboxPipes _pipes;
    private readonly string _mark;
    private readonly string _temporaryFolder;
    private readonly string? _diagnosticsKey;
    private readonly ScratchDirectory _scratch;
    private readonly ConfinedLaunch _confined;
    private readonly PoolSettings _settings;
    private readonly string _worker;
    private readonly Task _output;
    private readonly Lock _gate = new();
    private bool _disposed;

    private ProcessSandbox(Process process, SandboxPipes pipes, string mark, string worker, ScratchDirectory scratch, ConfinedLaunch confined, PoolSettings settings)
    {
        _process = process;
        _pipes = pipes;
        _mark = mark;
        _temporaryFolder = process.StartInfo.Environment.TryGetValue("TMPDIR", out var folder) && folder is { Length: > 0 } ? folder : "/tmp";
        _diagnosticsKey = DiagnosticFiles.KeyOf(process.Id);
        _scratch = scratch;
        _confined = confined;
        _settings = settings;
        _worker = worker;
        ProcessId = process.Id;
        _output = Task.WhenAll(
            OutputPump.RunAsync(process.StandardOutput.BaseStream, line => settings.Logger.StandardOutput(worker, line)),
            OutputPump.RunAsync(process.StandardError.BaseStream, line =>
            {
                StandardError.Add(line);
                settings.Logger.StandardError(worker, line);
            }));
        Exited = WatchAsync();
    }

    public int? ProcessId { get; }

    public Stream Control => _pipes.Control;

    public Stream Calls => _pipes.Calls;

    public RawPipe? CallsPipe => _pipes.CallsPipe;

    public Task<int> Exited { get; }

    public bool HasExited
    {
        get
        {
            lock (_gate)
            {
                return _disposed || _process.HasExited;
            }
        }
    }

    public OutputTail StandardError { get; } = new();

    public string ScratchDirectory => _scratch.Path;

    /// <summary>Starts a sandbox on the spawner thread.</summary>
    /// <exception cref="WorkerStartException">The process could not be started.</exception>
    public static async Task<ProcessSandbox> StartAsync(PoolSettings settings, WorkerRuntime runtime, string poolName, string workerName, int index, int depth, string plugin)
    {
        var site = new FaultSite(poolName, workerName);
        SandboxProgram.EndIfHookWasIgnored();
        var sandbox = SandboxProgram.Find(site);
        sandbox.RefuseConfinement(settings.Confinement, site);
        ScratchDirectory? scratch = null;
        ConfinedLaunch? confined = null;
        try
        {
            HostFolder.Own.SweepOnce(settings.Logger);
            scratch = new ScratchDirectory(settings.Logger);
            var mark = Guid.NewGuid().ToString("N");
            confined = new ConfinedLaunch(settings, sandbox.Path, sandbox.Sandbox, plugin, scratch, index, site);
            var (program, arguments) = confined.Program();
            var start = new ProcessStartInfo(program)
            {
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = settings.WorkingDirectory ?? scratch.Path,
            };
            start.Environment.Clear();
            foreach (var (name, value) in SandboxEnvironment.Build(settings, poolName, workerName, index, Environment.GetEnvironmentVariables(), depth))
            {
                start.Environment[name] = value;
            }

            start.Environment[SandboxArguments.MarkVariable] = mark;
            sandbox.AddTo(start.Environment);
            IEnumerable<string> toRun = sandbox.IsThisProgram ? [] : runtime.CommandLine(sandbox.Sandbox, scratch.RuntimeOptions);
            var (process, pipes) = await SpawnerThread.RunAsync(() => Spawn(start, [.. arguments, .. toRun], confined, scratch.Path, settings.MaxMessageBytes)).ConfigureAwait(false);
            return new ProcessSandbox(process, pipes, mark, workerName, scratch, confined, settings);
        }
        catch (Exception exception)
        {
            confined?.Dispose();
            scratch?.Dispose();
            throw exception is ConfinementException ? exception : new WorkerStartException($"The process of worker {workerName} could not be started ({sandbox.Path}): {exception.Message}", site, exception);
        }
    }

    public ConfinementReport Examine(string? proof) => _confined.Examine(proof, _process.Id);

    public Mailbox? Mailbox => _pipes.Memory.Mailbox;

    public void EmptyMailbox() => _pipes.Memory.EmptyMailbox();

    public byte[] ReadOutbox() => _pipes.Memory.Recorder.ReadOutbox();

    public RecorderMark? ReadMark() => _pipes.Memory.Recorder.Read();

    public ProcessUse? ReadUse()
    {
        lock (_gate)
        {
            try
            {
                if (_disposed || _process.HasExited)
                {
                    return null;
                }

                // Nobody but this program's own handle on it says whether it has ended: a process can hide from others.
                if (OperatingSystem.IsLinux())
                {
                    return ProcessUse.OfLinuxProcess(_process.Id) ?? (_process.HasExited ? null : ProcessUse.Unreadable);
                }

                _process.Refresh();
                return new ProcessUse(_process.WorkingSet64, _process.PeakWorkingSet64, _process.Threads.Count);
            }
            catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                // It may have ended meanwhile.
                return _process.HasExited ? null : ProcessUse.Unreadable;
            }
        }
    }

    public TimeSpan? ReadProcessorTime()
    {
        lock (_gate)
        {
            try
            {
                return _disposed || _process.HasExited ? null : OperatingSystem.IsLinux() ? ProcessorTime.OfLinuxProcess(_process.Id) : _process.TotalProcessorTime;
            }
            catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                // It may have ended meanwhile.
                return null;
            }
        }
    }

    public long ReadScratch(long enough) => _scratch.SizeUpTo(enough);

    public void Kill()
    {
        lock (_gate)
        {
            // Never by a bare id, which may belong to another process by now.
            if (_disposed || _process.HasExited)
            {
                return;
            }

            try
            {
                _confined.Kill();
                _process.Kill(entireProcessTree: true);
            }
            catch (Exception exception) when (exception is InvalidOperationException or AggregateException or System.ComponentModel.Win32Exception)
            {
                // It ended meanwhile, or one of its descendants did.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            Kill();
            await Exited.ConfigureAwait(false);
        }
        finally
        {
            await ReleaseAsync().ConfigureAwait(false);
        }
    }

    private async Task ReleaseAsync()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        // Released in the reverse order, each of them whatever becomes of the others. Process closes only the readers that it reads itself. Closing them also ends the pumps, if a descendant holds the other ends.
        using var scratch = _scratch;
        using var confined = _confined;
        using var process = _process;
        using var error = _process.StandardError;
        using var output = _process.StandardOutput;
        using var pipes = _pipes;

        // However it ended: a plugin may exit with code 0 and leave them too.
        if (Leftovers.Kill($"{SandboxArguments.MarkVariable}={_mark}") is > 0 and var killed)
        {
            _settings.Logger.LeftoversKilled(_worker, ProcessId, killed);
        }

        DiagnosticFiles.Delete(_temporaryFolder, ProcessId!.Value, _diagnosticsKey);

        await Control.DisposeAsync().ConfigureAwait(false);
        await Calls.DisposeAsync().ConfigureAwait(false);
    }

    private static (Process Process, SandboxPipes Pipes) Spawn(ProcessStartInfo start, string[] program, ConfinedLaunch confined, string scratch, int mailboxBytes)
    {
        var pipes = new SandboxPipes(scratch, mailboxBytes);
        try
        {
            foreach (var argument in (string[])[.. program, .. pipes.Arguments.ToCommandLine()])
            {
                start.ArgumentList.Add(argument);
            }

            confined.AddTo(start.Environment, pipes.Arguments);
            var process = Process.Start(start)!;
            confined.Take(process.Id, process.SafeHandle);
            pipes.CloseInherited();
            process.StandardInput.Close();
            return (process, pipes);
        }
        catch
        {
            pipes.Dispose();
            throw;
        }
    }

    // The process's end is the sandbox's end, whatever its descendants still hold open.
    private async Task<int> WatchAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        var exitCode = _process.ExitCode;
        await Task.WhenAny(_output, Task.Delay(OutputWait, _settings.Time)).ConfigureAwait(false);
        return exitCode;
    }
}
