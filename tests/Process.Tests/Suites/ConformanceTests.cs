using System.Text;
using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>The same call has the same outcome in a process, in debug mode and on the command line. The table of docs/contracts.md is what is seen here.</summary>
public sealed class ConformanceTests
{
    private const int LongText = 10_000_000;

    private static readonly JsonSerializerOptions Relaxed = new() { MaxDepth = 200, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // What is called, with which arguments, in the words of the table where they are too long for it.
    private static readonly (string EntryPoint, string Arguments, string? Words)[] Cases =
    [
        ("Nothing", "{}", null),
        ("Zero", "{}", null),
        ("Optional", "{}", null),
        ("Optional", """{"second":3}""", null),
        ("Text", """{"value":""}""", null),
        ("Text", """{"value":null}""", null),
        ("Text", """{"value":"grüße 漢字 🎉 \\ \" \u0000 \u2028"}""", null),
        ("Text", $$"""{"value":"{{new string('x', LongText)}}"}""", "10,000,000 characters"),
        ("Whole", """{"value":0}""", null),
        ("Whole", """{"value":-9223372036854775808}""", null),
        ("Whole", """{"value":9223372036854775808}""", null),
        ("Whole", """{"value":"seven"}""", null),
        ("Money", """{"value":79228162514264337593543950335}""", null),
        ("Money", """{"value":0.10}""", null),
        ("Real", """{"value":"NaN"}""", null),
        ("Real", """{"value":"-Infinity"}""", null),
        ("Real", """{"value":1.7976931348623157E+308}""", null),
        ("Moment", """{"value":"2024-02-29T23:59:59.9999999+14:00"}""", null),
        ("Span", """{"value":"-1.02:03:04.0000005"}""", null),
        ("Id", """{"value":"00000000-0000-0000-0000-00000000000f"}""", null),
        ("Maybe", """{"value":null}""", null),
        ("Maybe", """{"value":5}""", null),
        ("Day", """{"value":5}""", null),
        ("List", """{"value":[]}""", null),
        ("List", """{"value":null}""", null),
        ("List", """{"value":[1,2]}""", null),
        ("Map", """{"value":{"":1,"b c":2}}""", null),
        ("Map", "{\"value\":{" + string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"\"k{i}\":{i}")) + "}}", "10,000 keys"),
        ("Any", $$"""{"value":{{new string('[', 60)}}{{new string(']', 60)}}}""", "60 deep"),
        ("Any", $$"""{"value":{{new string('[', 100)}}{{new string(']', 100)}}}""", "100 deep"),
        ("Tree", """{"value":{"name":"a","next":{"name":"b","next":null,"children":[]},"children":[{"name":"c","next":null,"children":null}]}}""", null),
        ("Polymorphic", """{"value":{"kind":"circle","radius":2.5}}""", null),
        ("Polymorphic", """{"value":{"kind":"hexagon"}}""", null),
        ("Tuple", """{"value":{"item1":1,"item2":"b"}}""", null),
        ("Bytes", """{"value":"AQID"}""", null),
        ("Stream", """{"value":0}""", null),
        ("Stream", """{"value":3}""", null),
        ("Sum", """{"value":[1,2,3]}""", null),
        ("Throw", """{"value":"on purpose"}""", null),
        ("BadResult", "{}", null),
        ("BadArgument", """{"value":{"value":1}}""", null),
        ("Unserializable", "{}", null),
    ];

    [Fact]
    public async Task The_pool_has_the_same_outcome_in_a_process_and_in_debug_mode_which_is_the_documented_one()
    {
        var outcomes = await Task.WhenAll(InPoolAsync(debug: false), InPoolAsync(debug: true));
        var table = new StringBuilder("| entry point | arguments | in a process | in debug mode | on the command line |\n|---|---|---|---|---|\n");
        for (var i = 0; i < Cases.Length; i++)
        {
            var (entryPoint, arguments, words) = Cases[i];
            table.Append($"| {entryPoint} | {Cell(words ?? arguments)} | {string.Join(" | ", outcomes.Append(outcomes[0]).Select(outcome => Cell(outcome[i], words)))} |\n");
            Assert.All(outcomes, outcome => Assert.True(outcome[i] == outcomes[0][i], $"Expected {entryPoint} {words ?? arguments} to end alike everywhere: {string.Join(" / ", outcomes.Select(each => each[i]))}"));
        }

        var document = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "contracts.md"));
        Assert.True(document.ReplaceLineEndings("\n").Contains(table.ToString(), StringComparison.Ordinal), $"Expected docs/contracts.md to have this table:\n{table}");
    }

    [Fact]
    public async Task The_command_line_has_the_same_outcome_as_the_pool()
    {
        Assert.SkipUnless(Full.IsAsked, $"Starts the program two dozen times. {Full.HowToAsk}");
        var outcomes = await Task.WhenAll(InPoolAsync(debug: false), OnCommandLineAsync());
        for (var i = 0; i < Cases.Length; i++)
        {
            Assert.True(outcomes[0][i] == outcomes[1][i], $"Expected {Cases[i].EntryPoint} {Cases[i].Words ?? Cases[i].Arguments} to end alike: {outcomes[0][i]} / {outcomes[1][i]}");
        }
    }

    private static async Task<string[]> InPoolAsync(bool debug)
    {
        await using var pool = await Pools.StartAsync(ConformancePlugin.Folder, workers: 1, debug);
        var outcomes = new string[Cases.Length];
        for (var i = 0; i < Cases.Length; i++)
        {
            try
            {
                var value = await pool.InvokeAsync<JsonElement>(Cases[i].EntryPoint, CallArguments.FromJson(Cases[i].Arguments)).Within("the call ends");
                outcomes[i] = Canonical(value);
            }
            catch (PluginCallException exception)
            {
                outcomes[i] = $"plugin: {exception.Error.Type}: {exception.Error.Message}";
            }
            catch (CallArgumentException exception)
            {
                outcomes[i] = $"argument: {exception.Message}";
            }
        }

        return outcomes;
    }

    private static async Task<string[]> OnCommandLineAsync()
    {
        var outcomes = new string[Cases.Length];
        var groups = Cases.Select((each, index) => (each.EntryPoint, each.Arguments, Index: index)).GroupBy(each => each.EntryPoint);
        await Parallel.ForEachAsync(groups, new ParallelOptions { MaxDegreeOfParallelism = 3 }, async (group, _) =>
        {
            var places = group.Select(each => each.Index).ToList();
            var result = await Cli.RunWithInputAsync(string.Concat(group.Select(each => each.Arguments + "\n")), "map", ConformancePlugin.Folder, group.Key, "-k", "-j", "1");
            Assert.Equal(places.Count, result.Lines.Length);
            for (var i = 0; i < places.Count; i++)
            {
                using var line = JsonDocument.Parse(result.Lines[i], new JsonDocumentOptions { MaxDepth = 200 });
                outcomes[places[i]] = line.RootElement.TryGetProperty("value", out var value)
                    ? Canonical(value)
                    : OfError(line.RootElement.GetProperty("error"));
            }
        });

        return outcomes;
    }

    private static string OfError(JsonElement error) => error.GetProperty("kind").GetString() switch
    {
        "plugin" => $"plugin: {error.GetProperty("type").GetString()}: {error.GetProperty("message").GetString()}",
        var kind => $"{kind}: {error.GetProperty("message").GetString()}",
    };

    private static string Canonical(JsonElement value) => JsonSerializer.Serialize(value, Relaxed);

    private static string Cell(string text, string? words = null)
    {
        var isValue = text.Length > 0 && !text.StartsWith("plugin", StringComparison.Ordinal) && !text.StartsWith("argument", StringComparison.Ordinal);
        var shown = words is not null && isValue ? words : text.Length <= 60 ? text : text[..60] + "…";
        return $"`{shown.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal).Replace("`", "'", StringComparison.Ordinal)}`";
    }
}
