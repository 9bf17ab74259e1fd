using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>One pool for a whole suite: nothing in it harms a worker.</summary>
public abstract class PoolFixture(bool debug) : IAsyncLifetime
{
    public bool Debug => debug;

    public RecordingLogger Log { get; } = new();

    public SandboxPool Pool { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Pool = await Pools.StartAsync(EverydayPlugin.Folder, workers: 2, debug, Log);

    public ValueTask DisposeAsync() => Pool.DisposeAsync();
}

public sealed class ProcessPoolFixture() : PoolFixture(debug: false);

public sealed class DebugPoolFixture() : PoolFixture(debug: true);
