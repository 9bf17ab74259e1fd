using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>What isolation is for, with libraries that people do use: native code that crashes, versions that cannot share a process.</summary>
public sealed class RealPluginTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Two_plugins_with_two_versions_of_Newtonsoft_Json_work_side_by_side_in_one_host(bool debug)
    {
        await using var nine = await StartAsync("JsonNine", debug);
        await using var thirteen = await StartAsync("JsonThirteen", debug);
        var versions = await Task.WhenAll(nine.InvokeAsync<string>("Version"), thirteen.InvokeAsync<string>("Version")).Within("both answer");
        Assert.Equal([$"9.0.0.0 {Dll("JsonNine")}", $"13.0.0.0 {Dll("JsonThirteen")}"], versions);

        const string Contact = """{"age":36,"e_mail":null,"full_name":"Ada"}""";
        Assert.Equal("""{"full_name":"Ada","age":36,"e_mail":null}""", await nine.InvokeAsync<string>("Convert", [Contact]));
        Assert.Equal("""{"full_name":"Ada","age":36}""", await thirteen.InvokeAsync<string>("Convert", [Contact]));

        var deep = $$"""{"full_name":"Ada","tags":{{new string('[', 100)}}{{new string(']', 100)}}}""";
        Assert.Equal(deep, await nine.InvokeAsync<string>("Convert", [deep]));
        var refused = await Assert.ThrowsAsync<PluginCallException>(() => thirteen.InvokeAsync<string>("Convert", [deep]));
        Assert.Equal("Newtonsoft.Json.JsonSerializationException", refused.Error.Type);

        static string Dll(string plugin) => Path.Combine(Repository.Plugins, plugin, "Newtonsoft.Json.dll");
    }

    [Fact]
    public async Task A_segmentation_fault_inside_SkiaSharp_costs_one_call_and_the_next_thumbnail_is_made()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks at the signal.");
        await using var pool = await StartAsync("Thumbnails");
        var image = await pool.InvokeAsync<byte[]>("Draw", [40, 20]);
        var crash = pool.InvokeAsync<int>("Crash");
        var next = pool.InvokeAsync<byte[]>("Create", [image, 10]);
        var crashed = await Assert.ThrowsAsync<WorkerCrashedException>(() => crash.Within("the worker dies"));
        Assert.Equal(("SIGSEGV", CrashReason.Crashed), (crashed.Signal, crashed.Reason));
        Assert.Equal((10, 5), Images.SizeOf(await next.Within("the next thumbnail")));
    }

    [Fact]
    public async Task Two_plugins_with_different_native_libraries_work_at_once_and_one_crashes_without_the_other()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks at the native libraries of Linux.");
        await using var thumbnails = await StartAsync("Thumbnails");
        await using var sqlite = await StartAsync("SqliteQuery");
        var image = await thumbnails.InvokeAsync<byte[]>("Draw", [64, 64]);
        await using var rows = sqlite.StreamAsync<Dictionary<string, JsonElement>>("QueryAsync", [":memory:", Numbers.UpTo(5_000)]).GetAsyncEnumerator();
        Assert.True(await rows.MoveNextAsync());
        Assert.Equal((8, 8), Images.SizeOf(await thumbnails.InvokeAsync<byte[]>("Create", [image, 8])));
        Assert.Equal(["libSkiaSharp.so"], await NativeAsync(thumbnails));
        Assert.Equal(["libe_sqlite3.so"], await NativeAsync(sqlite));
        await Assert.ThrowsAsync<WorkerCrashedException>(() => thumbnails.InvokeAsync<int>("Crash").Within("the worker dies"));
        var last = rows.Current;
        while (await rows.MoveNextAsync())
        {
            last = rows.Current;
        }

        Assert.Equal(5_000, last["i"].GetInt32());

        static async Task<IEnumerable<string?>> NativeAsync(SandboxPool pool) =>
            (await pool.GetLoadReportAsync())!.Entries.Where(entry => entry.IsLoaded && entry.Path?.EndsWith(".so", StringComparison.Ordinal) == true).Select(entry => Path.GetFileName(entry.Path));
    }

    [Fact]
    public async Task A_script_without_an_end_is_ended_by_the_timeout_and_the_next_one_runs()
    {
        var options = Pools.Options(Path.Combine(Repository.Plugins, "CSharpScript"));
        options.CancelGrace = TimeSpan.Zero;
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        Assert.Equal("2", await pool.InvokeAsync<string>("EvaluateAsync", ["1 + 1"]));
        await Assert.ThrowsAsync<CallTimeoutException>(() => pool.InvokeAsync<string>("EvaluateAsync", ["while (true) { }"], new CallOptions { Timeout = TimeSpan.FromSeconds(1) }).Within("the script is ended"));
        Assert.Equal("42", await pool.InvokeAsync<string>("EvaluateAsync", ["6 * 7"]));
        var crashed = await Assert.ThrowsAsync<WorkerCrashedException>(() => pool.InvokeAsync<string>("EvaluateAsync", ["Environment.Exit(3)"]).Within("the worker dies"));
        Assert.Equal((CrashReason.ExitCalled, 3), (crashed.Reason, crashed.ExitCode));
    }

    private static Task<SandboxPool> StartAsync(string plugin, bool debug = false) => Pools.StartAsync(Path.Combine(Repository.Plugins, plugin), debug: debug);
}
