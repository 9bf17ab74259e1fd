using System.Text.Json;
using System.Text.Json.Serialization;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Loading;

/// <summary>What each plugin sees of libraries that host, sandbox and other plugins have in other versions.</summary>
public sealed class VersionConflictTests
{
    public sealed class Item
    {
        [JsonPropertyName("id")]
        public int Number { get; set; }
    }

    [Fact]
    public async Task Plugins_with_versions_of_their_own_run_in_one_host_at_the_same_time()
    {
        await using var newer = await Pools.StartAsync(Repository.Fixture("TextJsonNewer"));
        await using var older = await Pools.StartAsync(Repository.Fixture("TextJsonOlder"));
        await using var rpc = await Pools.StartAsync(Repository.Fixture("OwnRpc"));
        await using var pack = await Pools.StartAsync(Repository.Fixture("MessagePackThree"));
        await using var none = await Pools.StartAsync(Repository.Fixture("Localized"));

        // Newer than the framework: its own. Older: the framework's.
        Assert.Equal(("11.0.0.0", true), await SeenAsync(newer, "System.Text.Json"));
        Assert.Equal(("10.0.0.0", false), await SeenAsync(older, "System.Text.Json"));
        Assert.Equal(("10.0.0.0", false), await SeenAsync(none, "System.Text.Json"));
        Assert.Equal("10.0.0.0", $"{typeof(JsonSerializer).Assembly.GetName().Version}");

        // Libraries: its own, whatever the sandbox has; and none when it ships none.
        Assert.Equal(("2.25.0.0", true), await SeenAsync(rpc, "StreamJsonRpc"));
        Assert.Equal(("13.0.0.0", true), await SeenAsync(rpc, "Newtonsoft.Json"));
        Assert.Equal(42, await rpc.InvokeAsync<int>("TwiceAsync", [21]));
        Assert.Equal(("3.1.12.0", true), await SeenAsync(pack, "MessagePack"));
        int[] values = [1, 2, 3];
        Assert.Equal(values, await pack.InvokeAsync<int[]>("RoundTrip", [values]));
        foreach (var library in new[] { "StreamJsonRpc", "Newtonsoft.Json", "MessagePack", "Nerdbank.Streams", "ProcessPool.Protocol" })
        {
            Assert.Equal("missing", await none.InvokeAsync<string>("Version", [library]));
        }

        // In all three cases the plugin's attributes count, in arguments and in results.
        foreach (var pool in new[] { newer, older, none })
        {
            Assert.Equal(8, (await pool.InvokeAsync<Item>("Next", [new Item { Number = 7 }])).Number);
            Assert.Equal("""{"id":8}""", (await pool.InvokeAsync<JsonElement>("Next", [JsonDocument.Parse("""{"id":7}""").RootElement])).GetRawText());
        }
    }

    [Fact]
    public async Task An_older_framework_library_in_the_plugins_folder_does_not_break_the_framework()
    {
        await using var pool = await Pools.StartAsync(Repository.Fixture("TextJsonOlder"));
        Assert.Equal(7, await pool.InvokeAsync<int>("ReadAsync", ["""{"id":7}"""]));
    }

    [Fact]
    public async Task A_plugin_that_needs_ASP_NET_Core_gets_it_in_its_own_worker()
    {
        await using var pool = await Pools.StartAsync(Repository.Fixture("Web"));
        Assert.Equal("/a/b", await pool.InvokeAsync<string>("Join", ["/a", "/b"]));
        var report = await pool.GetLoadReportAsync();
        Assert.Equal(LoadSource.Framework, Assert.Single(report!.Entries, entry => entry.Name == "Microsoft.AspNetCore.Http.Abstractions").Source);

        await using var other = await Pools.StartAsync(Repository.Fixture("Localized"));
        Assert.Equal("missing", await other.InvokeAsync<string>("Version", ["Microsoft.AspNetCore.Http.Abstractions"]));
    }

    [Fact]
    public async Task A_shared_framework_is_found_out_without_a_runtimeconfig_too()
    {
        var folder = PluginSource.NewFolder("Web");
        File.Copy(Path.Combine(Repository.Fixture("Web"), "Web.dll"), Path.Combine(folder, "Web.dll"));
        await using var pool = await Pools.StartAsync(folder);
        Assert.Equal("/a/b", await pool.InvokeAsync<string>("Join", ["/a", "/b"]));
    }

    [Fact]
    public async Task A_strong_named_plugin_for_an_older_runtime_finds_its_texts_in_every_language()
    {
        await using var pool = await Pools.StartAsync(Repository.Fixture("Localized"));
        Assert.Equal(
            ["hello", "bonjour", "hola", "hello"],
            await Task.WhenAll(new[] { "en", "fr-CA", "es", "de" }.Select(language => pool.InvokeAsync<string>("Hello", [language]))));
    }

    private static async Task<(string Version, bool IsPrivate)> SeenAsync(SandboxPool pool, string assembly) =>
        (await pool.InvokeAsync<string>("Version", [assembly]), await pool.InvokeAsync<bool>("IsPrivate", [assembly]));
}
