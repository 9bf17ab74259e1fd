using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace ProcessPool.Plugins;

/// <summary>The summaries in the XML file that the compiler writes beside an assembly. Without one, or when it is damaged, there are none.</summary>
internal sealed partial class DocComments
{
    private const long MaxBytes = 32 * 1024 * 1024;
    private const int MaxSummary = 500;

    private readonly ILookup<string, string> _summaries;

    private DocComments(ILookup<string, string> summaries) => _summaries = summaries;

    public static DocComments Beside(string assembly)
    {
        var path = Path.ChangeExtension(assembly, ".xml");
        IEnumerable<(string Method, string Summary)> members = [];
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > 0 and <= MaxBytes })
            {
                // No document type: it could refer to other files.
                using var file = PluginFiles.Open(path);
                using var reader = XmlReader.Create(file, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
                members = [.. (XDocument.Load(reader).Root?.Element("members")?.Elements("member") ?? []).Select(member => (NameOf(member), Clean(member.Element("summary"))))];
            }
        }
        catch (Exception exception) when (exception is XmlException or IOException or UnauthorizedAccessException)
        {
            // A plugin is none the worse for it.
        }

        return new DocComments(members.Where(member => member.Summary.Length > 0).ToLookup(member => member.Method, member => member.Summary));
    }

    /// <summary>The summary of a method, or null. Entry points are not overloaded, so parameters need not be compared.</summary>
    /// <param name="type">The full name of its type.</param>
    /// <param name="method">Its name.</param>
    public string? Of(string type, string method) => _summaries[$"M:{type}.{method}"].FirstOrDefault();

    private static string NameOf(XElement member)
    {
        var id = (string?)member.Attribute("name") ?? "";
        var parameters = id.IndexOf('(', StringComparison.Ordinal);
        return parameters < 0 ? id : id[..parameters];
    }

    private static string Clean(XElement? summary)
    {
        if (summary is null)
        {
            return "";
        }

        // <see cref="T:A.B"/> reads as B.
        var text = string.Concat(summary.DescendantNodes().Select(node => node switch
        {
            XText written => written.Value,
            XElement element => ((string?)element.Attribute("cref") ?? (string?)element.Attribute("langword") ?? (string?)element.Attribute("name"))?.Split('.', ':')[^1],
            _ => null,
        }));
        var line = Spaces().Replace(text, " ").Trim();
        return line.Length <= MaxSummary ? line : line[..MaxSummary] + "…";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
