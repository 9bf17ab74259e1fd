using ProcessPool.TestKit;
using SamplePlugin;

namespace ProcessPool.Process.Tests;

/// <summary>The plugin that ships with the repository, built by its own project, on real input.</summary>
public sealed class SamplePluginTests : IAsyncLifetime
{
    private SandboxPool _pool = null!;

    public async ValueTask InitializeAsync() => _pool = await Pools.StartAsync(Repository.SamplePlugin, workers: 2);

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Fact]
    public async Task Text_statistics_of_a_real_file()
    {
        Pools.SkipWhenConfined("reads files of the repository");
        var path = Path.Combine(Repository.Root, "LICENSE");
        var text = await File.ReadAllTextAsync(path);
        var statistics = await _pool.InvokeAsync<TextStatistics>("TextStatistics", [path]);
        Assert.Equal((path, (long)text.Count(character => character == '\n')), (statistics.Path, statistics.Lines));
        Assert.Equal(("the", 10), (statistics.MostFrequent[0].Word, statistics.MostFrequent.Count));
        Assert.InRange(statistics.DistinctWords, 50, statistics.Words);
    }

    [Fact]
    public async Task The_typed_contract_is_served_by_the_plugins_own_copy_of_it()
    {
        Pools.SkipWhenConfined("reads files of the repository");
        var analyzer = _pool.GetProxy<ITextAnalyzer>();
        var statistics = await analyzer.AnalyzeAsync("to be or not to be\nthat is");
        Assert.Equal((2, 8, 6), (statistics.Lines, statistics.Words, statistics.DistinctWords));
        Assert.Equal([new WordCount("be", 2), new WordCount("to", 2)], statistics.MostFrequent.Take(2));
        var file = await analyzer.AnalyzeFileAsync(Path.Combine(Repository.Root, "LICENSE"), CancellationToken.None);
        Assert.True(file.Words > 100);
        await Assert.ThrowsAsync<PluginCallException>(() => analyzer.AnalyzeFileAsync("/no/such/file", CancellationToken.None));
    }

    [Fact]
    public async Task Reading_memory_that_is_not_there_is_a_native_crash_of_one_call()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Calls memcpy of the C library.");
        var calls = Enumerable.Range(0, 100).Select(i => i == 50 ? _pool.InvokeAsync<long>("PeekNative", [16]) : _pool.InvokeAsync<long>("Square", [i])).ToList();
        await Task.WhenAll(calls).ContinueWith(_ => { }, TaskScheduler.Default).Within("all calls settle");
        Assert.Equal("SIGSEGV", Assert.IsType<WorkerCrashedException>(Assert.Single(calls, call => !call.IsCompletedSuccessfully).Exception!.InnerException).Signal);
    }
}
