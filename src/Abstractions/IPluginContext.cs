namespace ProcessPool;

/// <summary>What a plugin may know of the sandbox it runs in. Supplied to entry points and constructors that declare it.</summary>
/// <remarks>One instance for the life of a worker; every member may be used from any thread.</remarks>
public interface IPluginContext
{
    /// <summary>The name of the pool this worker belongs to.</summary>
    string PoolName { get; }

    /// <summary>The name of this worker, such as <c>thumbs-2</c>: the pool's name and the index. Used again when this one is gone.</summary>
    string WorkerName { get; }

    /// <summary>A number that no other living worker of the pool has, from 0.</summary>
    int WorkerIndex { get; }

    /// <summary>The absolute path of the folder that the plugin was loaded from.</summary>
    string PluginDirectory { get; }

    /// <summary>Cancelled when the worker is about to end. No call is executing then; what the plugin does in the background should end.</summary>
    CancellationToken Stopping { get; }
}
