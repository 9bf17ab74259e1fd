using System.Diagnostics;
using System.IO.Pipes;
using Nerdbank.Streams;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Workers;

namespace ProcessPool.Launch;

/// <summary>The sandbox as a child process. The only file that knows <see cref="Process"/>.</summary>
internal sealed class ProcessSandbox : ISandbox
{
    /// <summary>After the process's end, how long its last output may take to arrive. A descendant may hold the pipe open for ever.</summary>
    private static readonly TimeSpan OutputWait = TimeSpan.FromMilliseconds(250);

    private readonly Process _process;
    private readonly ScratchDirectory? _scratch;
    private readonly TimeProvider _time;
    private readonly Task _output;
    private readonly Lock _gate = new();
    private bool _disposed;

    private ProcessSandbox(Process process, Stream control, Stream calls, string worker, ScratchDirectory? scratch, PoolSettings settings)
    {
        _process = process;
        _scratch = scratch;
        _time = settings.Time;
        Control = control;
        Calls = calls;
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

    public Stream Control { get; }

    public Stream Calls { get; }

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

    /// <summary>Starts a sandbox on the spawner thread.</summary>
    /// <exception cref="WorkerStartException">The process could not be started.</exception>
    public static async Task<ProcessSandbox> StartAsync(PoolSettings settings, string poolName, string workerName, int slot, int depth)
    {
        var site = new FaultSite(poolName, workerName);
        var dotnet = SandboxLocator.FindDotnet(site);
        var sandbox = SandboxLocator.FindSandbox(site);
        ScratchDirectory? scratch = null;
        try
        {
            scratch = settings.WorkingDirectory is null ? new ScratchDirectory(settings.Logger) : null;
            var start = new ProcessStartInfo(dotnet)
            {
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = settings.WorkingDirectory ?? scratch!.Path,
            };
            start.Environment.Clear();
            foreach (var (name, value) in SandboxEnvironment.Build(settings, poolName, workerName, slot, Environment.GetEnvironmentVariables(), depth))
            {
                start.Environment[name] = value;
            }

            var (process, control, calls) = await SpawnerThread.RunAsync(() => Spawn(start, sandbox, scratch?.Path ?? "")).ConfigureAwait(false);
            return new ProcessSandbox(process, control, calls, workerName, scratch, settings);
        }
        catch (Exception exception)
        {
            scratch?.Dispose();
            throw new WorkerStartException($"The process of worker {workerName} could not be started ({dotnet}): {exception.Message}", site, exception);
        }
    }

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
        Kill();
        await Exited.ConfigureAwait(false);
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        await Control.DisposeAsync().ConfigureAwait(false);
        await Calls.DisposeAsync().ConfigureAwait(false);

        // Process closes only the readers that it reads itself. Closing them also ends the pumps, if a descendant holds the other ends.
        _process.StandardOutput.Dispose();
        _process.StandardError.Dispose();
        _process.Dispose();
        _scratch?.Dispose();
    }

    private static (Process Process, Stream Control, Stream Calls) Spawn(ProcessStartInfo start, string sandbox, string scratch)
    {
        var pipes = new List<AnonymousPipeServerStream>();
        try
        {
            var controlToSandbox = Open(PipeDirection.Out);
            var controlToHost = Open(PipeDirection.In);
            var callsToSandbox = Open(PipeDirection.Out);
            var callsToHost = Open(PipeDirection.In);
            var arguments = new SandboxArguments(
                controlToSandbox.GetClientHandleAsString(),
                controlToHost.GetClientHandleAsString(),
                callsToSandbox.GetClientHandleAsString(),
                callsToHost.GetClientHandleAsString(),
                scratch);
            foreach (var argument in (string[])["exec", sandbox, .. arguments.ToCommandLine()])
            {
                start.ArgumentList.Add(argument);
            }

            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return (process, FullDuplexStream.Splice(controlToHost, controlToSandbox), FullDuplexStream.Splice(callsToHost, callsToSandbox));
        }
        catch
        {
            pipes.ForEach(pipe => pipe.Dispose());
            throw;
        }
        finally
        {
            pipes.ForEach(pipe => pipe.DisposeLocalCopyOfClientHandle());
        }

        AnonymousPipeServerStream Open(PipeDirection direction)
        {
            var pipe = new AnonymousPipeServerStream(direction, HandleInheritability.Inheritable);
            pipes.Add(pipe);
            return pipe;
        }
    }

    // The process's end is the sandbox's end, whatever its descendants still hold open.
    private async Task<int> WatchAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        var exitCode = _process.ExitCode;
        await Task.WhenAny(_output, Task.Delay(OutputWait, _time)).ConfigureAwait(false);
        return exitCode;
    }
}
