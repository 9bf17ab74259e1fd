namespace ProcessPool.Workers;

/// <summary>Starts workers.</summary>
internal interface IWorkerLauncher
{
    /// <summary>Starts a sandbox and returns it when it is ready for calls.</summary>
    /// <param name="index">A number that no other living worker of the pool has, from 0.</param>
    /// <param name="begins">Is given the worker when its process runs and its plugin is still to be loaded: what that uses is to be watched too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="WorkerStartException">No process, or no handshake in time.</exception>
    /// <exception cref="PluginLoadException">The sandbox runs, but the plugin cannot be loaded.</exception>
    Task<IWorker> StartAsync(int index, Action<IWorker> begins, CancellationToken cancellationToken);
}
