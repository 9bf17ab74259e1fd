using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>One pool with <see cref="ContractPlugin"/> for a whole suite. In processes its proxy was generated, in debug mode it is made at run time.</summary>
public abstract class ContractFixture(bool debug) : IAsyncLifetime
{
    public RecordingLogger Log { get; } = new();

    public SandboxPool Pool { get; private set; } = null!;

    public IWork Work { get; private set; } = null!;

    public SandboxPoolOptions Options()
    {
        var options = Pools.Options(ContractPlugin.Folder, workers: 2, debug, Log);
        options.Settings["greeting"] = "hello";
        options.Contracts.Add(typeof(IWork));
        options.Expose<IFiles>(new Files());
        return options;
    }

    public async ValueTask InitializeAsync()
    {
        Pool = await SandboxPool.StartAsync(Options()).Within("the pool starts");
        Work = debug ? MadeAtRunTime<IWork>() : Pool.GetProxy<IWork>();
    }

    // With a type parameter there is no generated proxy.
    private T MadeAtRunTime<T>()
        where T : class => Pool.GetProxy<T>();

    public ValueTask DisposeAsync() => Pool.DisposeAsync();

    private sealed class Files : IFiles
    {
        public async Task<string> ReadAsync(string name, CancellationToken token = default)
        {
            await Task.Yield();
            return name == "missing" ? throw new FileNotFoundException("no missing") : $"content of {name}";
        }

        public Task<byte[]> BytesAsync(byte[] bytes) => Task.FromResult(bytes.Reverse().ToArray());
    }
}

public sealed class ProcessContractFixture() : ContractFixture(debug: false);

public sealed class DebugContractFixture() : ContractFixture(debug: true);
