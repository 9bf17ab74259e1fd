using System.Reflection;
using ProcessPool.Workers;

namespace ProcessPool.Testing;

/// <summary>Starts workers that are in this process.</summary>
/// <param name="settings">The pool's.</param>
/// <param name="pool">The pool's name.</param>
/// <param name="code">What the plugin would have.</param>
/// <param name="script">What is to go wrong.</param>
internal sealed class TestLauncher(PoolSettings settings, string pool, IReadOnlyList<(string Name, MethodInfo Method, object? Instance)> code, Script script) : IWorkerLauncher
{
    public Task<IWorker> StartAsync(int index, Action<IWorker> begins, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var name = WorkerName.Of(pool, index);
        if (script.NextStart() is { } message)
        {
            throw new WorkerStartException(message, new FaultSite(pool, name));
        }

        var worker = new TestWorker(name, settings, code, script);
        begins(worker);
        return Task.FromResult<IWorker>(worker);
    }
}
