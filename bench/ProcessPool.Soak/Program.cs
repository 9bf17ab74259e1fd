using ProcessPool.Soak;

// Each proof is a row of docs/reliability.md. Linux: they look into /proc.
Dictionary<string, (string What, Func<double, Task<bool>> Run, double Default)> proofs = new()
{
    ["kills"] = ("calls on 2 workers while workers are killed at random (how many calls)", Kills.RunAsync, 100_000),
    ["cycles"] = ("crash and restart, then count handles, threads and zombies (how many times)", Cycles.RunAsync, 200),
    ["spawn"] = ("two threads start 2 × 16 workers beside unrelated processes; one worker is killed (how many workers each)", Spawns.RunAsync, 16),
    ["stop"] = ("stop a busy worker that ignores SIGTERM (deadline in seconds)", Stops.RunAsync, 5),
    ["orphans"] = ("kill a host whose workers spin and have descendants (how many workers)", Orphans.RunAsync, 4),
    ["flood"] = ("a plugin prints (how many MB)", Floods.RunAsync, 1_024),
    ["streams"] = ("streams of a million items, left in the middle (how many)", Streams.RunAsync, 100),
    ["replace"] = ("a plugin is replaced under a load of 8 callers (how many times)", Replacements.RunAsync, 50),
    ["contain"] = ("a worker that wants everything, and what its siblings notice (seconds each)", Containments.RunAsync, 4),
    ["serve"] = ("a web service under load while its native library crashes three times a second (seconds for each of three phases)", Services.RunAsync, 30),
    ["soak"] = ("random faults (how many minutes)", Soaks.RunAsync, 10),
};

if (args is ["host", var plugin, var workers])
{
    await Orphans.HostAsync(plugin, int.Parse(workers, System.Globalization.CultureInfo.InvariantCulture));
    return 0;
}

if (args.Length == 0 || args.Any(name => !proofs.ContainsKey(name.Split('=')[0])))
{
    Console.Error.WriteLine("Usage: dotnet run -c Release --project bench/ProcessPool.Soak -- PROOF[=NUMBER]…");
    foreach (var (name, (what, _, number)) in proofs)
    {
        Console.Error.WriteLine($"  {name,-8} {what}; default {number}");
    }

    Console.Error.WriteLine("Example: dotnet run -c Release --project bench/ProcessPool.Soak -- kills=10000 cycles soak=1");
    return 2;
}

var code = 0;
foreach (var argument in args)
{
    var parts = argument.Split('=');
    var (_, run, number) = proofs[parts[0]];
    Console.WriteLine($"== {parts[0]}");
    var held = await run(parts.Length > 1 ? double.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) : number);
    Console.WriteLine(held ? "   held" : "   BROKEN");
    code = held ? code : 1;
}

return code;
