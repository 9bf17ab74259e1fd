namespace ProcessPool;

/// <summary>
/// Optional, on a class with <see cref="EntryPointAttribute"/>: asynchronous work between its constructor and the first call. The worker takes no
/// call before it has ended, and does not start when it throws. What is to happen at the end goes into <see cref="IAsyncDisposable"/> or <see cref="IDisposable"/>.
/// </summary>
public interface IPluginInitializer
{
    /// <summary>Prepares the instance. Report stages with <see cref="IPluginContext.ReportStage"/> when it takes long.</summary>
    /// <param name="cancellationToken"><see cref="IPluginContext.Stopping"/>. A start that is given up ends the process; nobody waits for it then.</param>
    ValueTask InitializeAsync(CancellationToken cancellationToken);
}
