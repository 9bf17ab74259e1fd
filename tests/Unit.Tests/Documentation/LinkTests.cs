using System.Text.RegularExpressions;

namespace ProcessPool.Unit.Tests.Documentation;

/// <summary>What the pages refer to is there.</summary>
public sealed partial class LinkTests
{
    [Fact]
    public void Every_link_leads_to_a_file_a_heading_or_a_test_that_exists()
    {
        var faults = from page in Documents.All
                     from line in Documents.Prose(page)
                     from link in Link().Matches(line.Text)
                     let fault = FaultOf(page, link.Groups["text"].Value, link.Groups["target"].Value)
                     where fault is not null
                     select $"{Documents.NameOf(page)}:{line.Number}: {fault}";
        Assert.True(!faults.Any(), $"Expected every link to lead somewhere:\n{string.Join('\n', faults)}");
    }

    [Fact]
    public void Every_source_that_a_page_names_is_given_once_and_used()
    {
        foreach (var page in Documents.All)
        {
            var lines = Documents.Prose(page).Select(line => line.Text).ToList();
            var given = lines.Select(line => Definition().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value).ToList();
            var used = lines.SelectMany(line => Reference().Matches(line)).Select(match => match.Groups[1].Value).Distinct();
            Assert.True(given.Order(StringComparer.Ordinal).SequenceEqual(used.Order(StringComparer.Ordinal)),
                $"Expected {Documents.NameOf(page)} to give each source once that it uses. Only given: {string.Join(", ", given.Except(used))}. Only used: {string.Join(", ", used.Except(given))}.");
        }
    }

    [Fact]
    public void The_index_has_every_page()
    {
        var index = File.ReadAllText(Documents.All.Single(page => Documents.NameOf(page) == "docs/README.md"));
        var missing = Documents.All.Where(page => Documents.NameOf(page).StartsWith("docs/", StringComparison.Ordinal)).Select(page => Path.GetFileName(page))
            .Where(name => name != "README.md" && !index.Contains($"({name})", StringComparison.Ordinal) && !index.Contains($"({name}#", StringComparison.Ordinal));
        Assert.True(!missing.Any(), $"Expected docs/README.md to list {string.Join(", ", missing)}.");
    }

    private static string? FaultOf(string page, string text, string target)
    {
        if (target.Contains("://", StringComparison.Ordinal))
        {
            return null;
        }

        var parts = target.Split('#');
        var path = parts[0].Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, parts[0]));
        if (!Path.Exists(path))
        {
            return $"there is no {target}";
        }

        if (parts.Length > 1 && !Documents.Prose(path).Any(line => line.Text.StartsWith('#') && AnchorOf(line.Text) == parts[1]))
        {
            return $"{Documents.NameOf(path)} has no heading #{parts[1]}";
        }

        // A test by its name, such as [`It_is_so`](../tests/Some.cs).
        return path.EndsWith(".cs", StringComparison.Ordinal) && TestName().Match(text) is { Success: true } test
            && !Regex.IsMatch(File.ReadAllText(path), $@"^\s+public .*\b{test.Groups[1].Value}\(", RegexOptions.Multiline)
            ? $"{Documents.NameOf(path)} has no test {test.Groups[1].Value}"
            : null;
    }

    // As GitHub makes it.
    private static string AnchorOf(string heading) =>
        NotInAnchor().Replace(heading.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"\[(?<text>[^\]]*)\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^\[([^\]]+)\]: \S+$")]
    private static partial Regex Definition();

    [GeneratedRegex(@"\]\[([^\]]+)\]")]
    private static partial Regex Reference();

    [GeneratedRegex(@"^`(\w+_\w+)`$")]
    private static partial Regex TestName();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
