// A folder of plugins that is watched: copy one there, replace it, delete it, while this runs. Each line of input is a call.
//
//   dotnet build plugins/SamplePlugin
//   dotnet run --project samples/WatchedFolder -- /tmp/plugins
//   cp -r artifacts/plugins/SamplePlugin /tmp/plugins/       (in another terminal)
//   SamplePlugin Square [7]
using System.Text.Json;
using ProcessPool;

if (args is not [var folder])
{
    Console.Error.WriteLine("Usage: WatchedFolder FOLDER");
    return 2;
}

Directory.CreateDirectory(folder);
await using var catalog = new PluginCatalog(new()
{
    Directory = folder,
    ConfigurePool = (_, options) => (options.Workers, options.CallTimeout) = (1, TimeSpan.FromSeconds(10)),
});
catalog.Changed += (_, change) =>
    Console.WriteLine($"{change.Plugin.Name} is {change.Kind}{(change.Plugin.Error is { } error ? $": {error.Message}" : "")}");
await catalog.StartAsync();

while (await Console.In.ReadLineAsync() is { } line)
{
    if (line.Split(' ', 3) is not [var plugin, var entryPoint, var arguments])
    {
        Console.Error.WriteLine("A line is a plugin, an entry point and arguments as JSON, such as: SamplePlugin Square [7]");
        continue;
    }

    try
    {
        // The same pool for all versions of the plugin: a call goes to the one that is there.
        var result = await catalog.GetPool(plugin).InvokeAsync<JsonElement>(entryPoint, CallArguments.FromJson(arguments));
        Console.WriteLine(result.GetRawText());
    }
    catch (Exception error) when (error is SandboxPoolException or ArgumentException or JsonException)
    {
        Console.Error.WriteLine(error.Message);
    }
}

return 0;
