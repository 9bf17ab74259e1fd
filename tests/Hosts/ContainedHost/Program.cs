using ProcessPool;

// Calls Seen of HOST_PLUGIN, prints its result, and what holds of HOST_LEVEL. All of it is in the environment, which a process that it starts has too, whatever its arguments are.
// Whatever goes wrong, it does not start itself without end: each start is written down in HOST_LEDGER, and the ninth ends at once.
static string Said(string name) => Environment.GetEnvironmentVariable(name) ?? "";
File.AppendAllText(Said("HOST_LEDGER"), $"{Environment.ProcessId}\n");
if (File.ReadAllLines(Said("HOST_LEDGER")).Length > 8)
{
    return 97;
}

if (Said("HOST_LOSES_HOOKS") == "1")
{
    // From now on whoever is started from here ignores startup hooks, and this process does not know.
    var config = Path.Combine(AppContext.BaseDirectory, "ContainedHost.runtimeconfig.json");
    Environment.SetEnvironmentVariable("HOST_LOSES_HOOKS", "0");
    File.WriteAllText(config, File.ReadAllText(config).Replace("\"configProperties\": {", "\"configProperties\": { \"System.StartupHookProvider.IsSupported\": false,", StringComparison.Ordinal));
}

try
{
    var policy = Said("HOST_LEVEL") == "strict" ? ConfinementPolicy.Strict : ConfinementPolicy.Limits with { MaxOpenFiles = 300 };
    await using var pool = await SandboxPool.StartAsync(new SandboxPoolOptions { Plugin = Said("HOST_PLUGIN"), Workers = 1, Confinement = policy });
    Console.WriteLine(await pool.InvokeAsync<string>("Seen"));
    Console.WriteLine(string.Join(' ', pool.Confinement!.Layers.Where(layer => layer.State == LayerState.Enforced).Select(layer => layer.Layer)));
    return 0;
}
catch (SandboxPoolException exception)
{
    Console.WriteLine($"{exception.GetType().Name}: {exception.Message}");
    return 3;
}
