#:project ../../../src/Host/ProcessPool.Host.csproj
#:project ../../../plugins/SamplePlugin.Contract/SamplePlugin.Contract.csproj
#:property NoWarn=$(NoWarn);CA2007;CA1050;IL2026;IL3050;IL2104;IL3053

using System.Text.Json.Serialization;
using ProcessPool;
using SamplePlugin;

// A host of one file, run with 'dotnet run host.cs'. Reflection-based JSON is switched off in such programs.
await using var pool = await SandboxPool.StartAsync(new SandboxPoolOptions { Plugin = args[0], Workers = 1, JsonTypeInfoResolver = Contracts.Default });
Console.WriteLine(await pool.InvokeAsync<long>("Square", [7]));
var statistics = await pool.InvokeAsync<TextStatistics>("ITextAnalyzer.AnalyzeAsync", ["to be or not to be"]);
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
