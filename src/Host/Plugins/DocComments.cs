using System.Text;
using System.Text.RegularExpressions;
using System.Xml;

namespace ProcessPool.Plugins;

/// <summary>The summaries in the XML file that the compiler writes beside an assembly. Without one, or when it is damaged, there are none.</summary>
/// <param name="assembly">The assembly's path.</param>
internal sealed partial class DocComments(string assembly)
{
    private const long MaxBytes = 32 * 1024 * 1024;
    private const int MaxSummary = 500;

    // Read when somebody asks: a pool's start need not wait for it.
    private readonly Lazy<ILookup<string, string>> _summaries = new(() => Read(Path.ChangeExtension(assembly, ".xml")));

    /// <summary>The summary of a method, or null. Entry points are not overloaded, so parameters need not be compared.</summary>
    /// <param name="type">The full name of its type.</param>
    /// <param name="method">Its name.</param>
    public string? Of(string type, string method) => _summaries.Value[$"M:{type}.{method}"].FirstOrDefault();

    private static ILookup<string, string> Read(string path)
    {
        IEnumerable<(string Method, string Summary)> members = [];
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > 0 and <= MaxBytes })
            {
                // No document type: it could refer to other files. It may grow while it is read.
                using var file = PluginFiles.Open(path);
                using var reader = XmlReader.Create(file, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxBytes });
                members = [.. Read(reader)];
            }
        }
        catch (Exception)
        {
            // A plugin is none the worse for it, and a property does not throw.
        }

        return members.Where(member => member.Summary.Length > 0).ToLookup(member => member.Method, member => member.Summary);
    }

    // doc, members, member, summary: one pass, however deep it is nested below.
    private static IEnumerable<(string Method, string Summary)> Read(XmlReader reader)
    {
        var method = "";
        StringBuilder? summary = null;
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element when reader is { Depth: 2, Name: "member" }:
                    method = (reader.GetAttribute("name") ?? "").Split('(')[0];
                    break;
                case XmlNodeType.Element when reader is { Depth: 3, Name: "summary", IsEmptyElement: false }:
                    summary = new StringBuilder();
                    break;
                case XmlNodeType.EndElement when reader.Depth == 3 && summary is not null:
                    yield return (method, Clean(summary.ToString()));
                    summary = null;
                    break;
                case XmlNodeType.Element when summary is not null:
                    // <see cref="T:A.B"/> reads as B.
                    summary.Append((reader.GetAttribute("cref") ?? reader.GetAttribute("langword") ?? reader.GetAttribute("name"))?.Split('.', ':')[^1]);
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                    summary?.Append(reader.Value);
                    break;
            }
        }
    }

    private static string Clean(string text)
    {
        var line = Spaces().Replace(text, " ").Trim();
        return line.Length <= MaxSummary ? line : line[..MaxSummary] + "…";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
