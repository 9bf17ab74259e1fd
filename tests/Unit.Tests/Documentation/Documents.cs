using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Documentation;

/// <summary>The pages that users read: README.md, docs/*.md, and what each package shows.</summary>
internal static class Documents
{
    /// <summary>Their paths.</summary>
    public static IReadOnlyList<string> All { get; } =
        [
            Path.Combine(Repository.Root, "README.md"), Path.Combine(Repository.Root, "templates", "README.md"), .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md").Order(StringComparer.Ordinal),
            .. Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(project => Path.Combine(project, "README.md")).Where(File.Exists).Order(StringComparer.Ordinal),
        ];

    /// <summary>A path as the pages write it.</summary>
    public static string NameOf(string path) => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/');

    /// <summary>The lines of a page outside of its code blocks, each with its number from 1.</summary>
    public static IEnumerable<(int Number, string Text)> Prose(string path) => Lines(path).Where(line => line.Language is null).Select(line => (line.Number, line.Text));

    /// <summary>The code blocks of a page in one language, each with the number of its first line.</summary>
    public static IEnumerable<(int Number, string Code)> Blocks(string path, string language) =>
        from line in Lines(path)
        where line.Language == language && !line.IsFence
        group line by line.Block into block
        select (block.First().Number, string.Join('\n', block.Select(line => line.Text)));

    private static IEnumerable<(int Number, string Text, string? Language, int Block, bool IsFence)> Lines(string path)
    {
        string? language = null;
        var (number, block) = (0, 0);
        foreach (var text in File.ReadLines(path))
        {
            number++;
            if (!text.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                yield return (number, text, language, block, false);
            }
            else
            {
                block += language is null ? 1 : 0;
                yield return (number, text, language ?? text.Trim()[3..], block, true);
                language = language is null ? text.Trim()[3..] : null;
            }
        }
    }
}
