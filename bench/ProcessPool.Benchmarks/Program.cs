using System.Globalization;
using System.Text.Json;
using ProcessPool.Benchmarks;

switch (args)
{
    case ["echo", var input, var output]:
        PipeEcho.Serve(input, output);
        return 0;
    case ["pipe", "roundtrip", ..]:
        return Print(PipeEcho.Measure());
    case ["ours", var @case, .. var rest]:
        return Print(await Ours.RunAsync(@case, rest is [var count] ? int.Parse(count, CultureInfo.InvariantCulture) : null));
    case ["first", "start"]:
        return Print(await Ours.StartAsync(minWorkers: 1));
    case ["--help" or "-h"]:
        Console.WriteLine("""
            Measures the pool beside its peers and the machine's floors, and prints one table of medians.

              dotnet run -c Release --project bench/ProcessPool.Benchmarks                       everything, three rounds
              dotnet run -c Release --project bench/ProcessPool.Benchmarks -- --rounds 5         five rounds
              dotnet run -c Release --project bench/ProcessPool.Benchmarks -- roundtrip singles  some cases
              dotnet run -c Release --project bench/ProcessPool.Benchmarks -- --ours             without the peers
              dotnet run -c Release --project bench/ProcessPool.Benchmarks -- --confine strict   ours at another level (none, limits, restricted, strict)
              dotnet run -c Release --project bench/ProcessPool.Benchmarks -- levels             what each level costs
              dotnet run -c Release --project bench/ProcessPool.Benchmarks -- listeners          what OpenTelemetry costs
              dotnet run -c Release --project bench/ProcessPool.Benchmarks -- safety             what the options cost that make a pool safe

            Peers that are not installed are left out; bench/peers/README.md says how they are.
            """);
        return 0;
}

var rounds = Array.IndexOf(args, "--rounds") is >= 0 and var at ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : 3;
if (Array.IndexOf(args, "--confine") is >= 0 and var level)
{
    Environment.SetEnvironmentVariable(Levels.Variable, args[level + 1]);
}

var cases = args.Where(Table.Cases.Contains).ToArray();
var contestants = await Contestant.FindAsync();
if (args.Contains("--ours"))
{
    contestants.RemoveAll(contestant => contestant.Name is not (Contestant.Ours or Contestant.RawPipe or Contestant.Hello or Contestant.SharedMemory));
}

var table = new Table();
for (var round = 1; round <= rounds; round++)
{
    foreach (var name in cases.Length > 0 ? cases : Table.Compared)
    {
        foreach (var contestant in contestants.Where(contestant => contestant.Cases.Contains(name)))
        {
            await Console.Error.WriteLineAsync($"round {round} of {rounds}: {name}, {contestant.Name}");
            await table.AddAsync(contestant, name);
        }
    }
}

Console.WriteLine(table.ToMarkdown(rounds));
return 0;

static int Print(Dictionary<string, double> figures)
{
    Console.WriteLine(JsonSerializer.Serialize(figures));
    return 0;
}
