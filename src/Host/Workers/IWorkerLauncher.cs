namespace ProcessPool.Workers;

/// <summary>Starts workers.</summary>
internal interface IWorkerLauncher
{
    /// <summary>Starts a sandbox for a slot and returns it when it is ready for calls.</summary>
    /// <exception cref="WorkerStartException">No process, or no handshake in time.</exception>
    /// <exception cref="PluginLoadException">The sandbox runs, but the plugin cannot be loaded.</exception>
    Task<IWorker> StartAsync(int slot, CancellationToken cancellationToken);
}
