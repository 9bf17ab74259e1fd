using System.Text.Json.Serialization;
using ProcessPool;
using SamplePlugin;

// A host that was compiled ahead of time: no code is made at run time, no type is found by reflection.
await using var pool = await SandboxPool.StartAsync(new SandboxPoolOptions { Plugin = args[0], Workers = 1, JsonTypeInfoResolver = Contracts.Default });
Console.WriteLine(await pool.InvokeAsync<long>("Square", [7]));
var statistics = await pool.GetProxy<ITextAnalyzer>().AnalyzeAsync("to be or not to be");
Console.WriteLine(statistics.Words);
try
{
    await pool.InvokeAsync<Unknown>("Square", [7]);
}
catch (CallArgumentException exception)
{
    Console.WriteLine(exception.Message);
}

internal sealed record Unknown(int Value);

[JsonSerializable(typeof(TextStatistics))]
[JsonSerializable(typeof(WordCount))]
internal sealed partial class Contracts : JsonSerializerContext;
