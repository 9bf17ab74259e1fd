using System.Reflection;
using System.Runtime.Loader;
using Nerdbank.Streams;
using ProcessPool.Workers;

namespace ProcessPool.Launch;

/// <summary>
/// Debug mode: the same sandbox assembly, in a load context of its own in this process, over in-memory streams. Killing it only cuts
/// the streams; plugin code that does not end by itself goes on.
/// </summary>
internal sealed class InProcessSandbox : ISandbox
{
    private static readonly Lazy<Func<Stream, Stream, Task>> Run = new(Load);

    private readonly Stream _sandboxControl;
    private readonly Stream _sandboxCalls;
    private readonly CancellationTokenSource _killed = new();

    private InProcessSandbox()
    {
        (Control, _sandboxControl) = FullDuplexStream.CreatePair();
        (Calls, _sandboxCalls) = FullDuplexStream.CreatePair();
        Exited = RunAsync();
    }

    public int? ProcessId => null;

    public Stream Control { get; }

    public Stream Calls { get; }

    public Task<int> Exited { get; }

    public bool HasExited => Exited.IsCompleted;

    public OutputTail StandardError { get; } = new();

    public static InProcessSandbox Start() => new();

    public void Kill() => _killed.Cancel();

    public async ValueTask DisposeAsync()
    {
        Kill();
        await Exited.ConfigureAwait(false);
        await Control.DisposeAsync().ConfigureAwait(false);
        await Calls.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<int> RunAsync()
    {
        var session = Task.Run(() => Run.Value(_sandboxControl, _sandboxCalls));
        try
        {
            await session.WaitAsync(_killed.Token).ConfigureAwait(false);
            return 0;
        }
        catch (Exception)
        {
            // Killed, or its streams were cut: in a process of its own it would be dead now.
            return -1;
        }
        finally
        {
            await _sandboxControl.DisposeAsync().ConfigureAwait(false);
            await _sandboxCalls.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static Func<Stream, Stream, Task> Load()
    {
        var path = SandboxLocator.FindSandbox(new FaultSite(Pool: null));
        var assembly = new PayloadLoadContext(path).LoadFromAssemblyPath(path);
        return assembly.GetType("ProcessPool.Sandbox.SandboxSession", throwOnError: true)!
            .GetMethod("RunAsync", BindingFlags.Public | BindingFlags.Static)!
            .CreateDelegate<Func<Stream, Stream, Task>>();
    }

    private sealed class PayloadLoadContext(string sandbox) : AssemblyLoadContext("ProcessPool sandbox")
    {
        private readonly AssemblyDependencyResolver _resolver = new(sandbox);

        protected override Assembly? Load(AssemblyName assemblyName) =>
            _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;
    }
}
