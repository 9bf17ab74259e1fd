using Microsoft.CodeAnalysis;

namespace ProcessPool.Unit.Tests.Documentation;

/// <summary>The C# that the pages show is C#, and this project's.</summary>
public sealed class CodeBlockTests
{
    [Fact]
    public void Every_block_of_csharp_compiles()
    {
        var blocks = Documents.All.SelectMany(page => Documents.Blocks(page, "csharp").Select(block => (Page: page, block.Number, block.Code))).ToList();
        Assert.True(blocks.Count > 5, $"Expected the pages to have blocks of C#, found {blocks.Count}.");
        var faults = DocumentedCode.Compile(blocks).GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(Describe).Distinct().ToList();
        Assert.True(faults.Count == 0, $"Expected every block of C# to compile:\n{string.Join('\n', faults)}");
    }

    [Fact]
    public void A_fault_is_told_with_its_page_and_line()
    {
        var page = Documents.All[0];
        (string, int, string)[] blocks =
        [
            (page, 10, "var size = 1;\nConsole.WriteLine(size);\nstring text = size;"),
            (page, 20, "public sealed class Half\n{\n    public Missing Part { get; }\n}"),
            (page, 30, "[EntryPoint]\npublic static long Whole(string path) => path;"),
        ];
        var faults = DocumentedCode.Compile(blocks).GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Select(Describe);
        Assert.Equal(["README.md:12: CS0029", "README.md:22: CS0246", "README.md:31: CS0029"], faults.Select(fault => fault[..fault.LastIndexOf(": ", StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Code_is_said_to_be_code_of_a_language()
    {
        var known = new[] { "", "csharp", "json", "xml" };
        foreach (var page in Documents.All)
        {
            var unknown = File.ReadLines(page).Select(line => line.Trim()).Where(line => line.StartsWith("```", StringComparison.Ordinal) && !known.Contains(line[3..])).ToList();
            Assert.True(unknown.Count == 0, $"Expected {Documents.NameOf(page)} to use {string.Join(", ", known)} as languages of code, C# as csharp so that it is compiled: {string.Join(", ", unknown)}.");
        }
    }

    private static string Describe(Diagnostic diagnostic)
    {
        var place = diagnostic.Location.GetMappedLineSpan();
        return $"{place.Path}:{place.StartLinePosition.Line + 1}: {diagnostic.Id}: {diagnostic.GetMessage(null).Replace(": ", " ", StringComparison.Ordinal)}";
    }
}
