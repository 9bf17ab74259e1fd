using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using ProcessPool.Cli;

namespace ProcessPool.Unit.Tests.Cli;

public sealed partial class HelpTests
{
    private static readonly Command Root = Program.CreateRoot();

    public static TheoryData<string> Verbs => [.. Root.Subcommands.Select(verb => verb.Name)];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_verb_has_examples_that_are_understood(string name)
    {
        var verb = Root.Subcommands.Single(each => each.Name == name);
        var help = HelpWithExamples.Of(verb) ?? "";
        Assert.Contains("Examples:", help);
        var examples = ExampleOf(name).Matches(help[help.IndexOf("Examples:", StringComparison.Ordinal)..]);
        Assert.NotEmpty(examples);
        foreach (var example in examples.Select(match => match.Value))
        {
            var parsed = Root.Parse(Words(example), new ParserConfiguration { ResponseFileTokenReplacer = null });
            Assert.True(parsed.Errors.Count == 0, $"Expected '{example}' to be understood: {string.Join(" ", parsed.Errors)}");
        }
    }

    [Fact]
    public void Every_option_is_described() =>
        Assert.All(Root.Subcommands.SelectMany(verb => verb.Options), option => Assert.False(string.IsNullOrWhiteSpace(option.Description), $"Expected {option.Name} to have a description."));

    // Up to a pipe or a redirection.
    private static Regex ExampleOf(string verb) => new($"(?<=processpool ){verb}( ('[^']*'|\"[^\"]*\"|[^|>\\s]+))*", RegexOptions.None, TimeSpan.FromSeconds(10));

    private static List<string> Words(string line) => [.. Word().Matches(line).Select(match => match.Value.Trim('\'', '"'))];

    [GeneratedRegex("'[^']*'|\"[^\"]*\"|\\S+")]
    private static partial Regex Word();
}
