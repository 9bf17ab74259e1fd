using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ProcessPool.TestKit;

/// <summary>
/// Plugins written beside the test that needs them: one behaviour each, compiled to a folder of their own.
/// Folders are deleted when the test program ends.
/// </summary>
public static class PluginSource
{
    private const string Usings = """
        using System;
        using System.Collections.Generic;
        using System.IO;
        using System.Linq;
        using System.Runtime.InteropServices;
        using System.Text.Json.Serialization;
        using System.Threading;
        using System.Threading.Tasks;
        using ProcessPool;

        """;

    private static readonly ConcurrentDictionary<string, Lazy<string>> Built = new();
    private static readonly string Root = Directory.CreateTempSubdirectory("processpool-tests-").FullName;

    static PluginSource()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Root, recursive: true);
        if (!OperatingSystem.IsWindows())
        {
            // Sandboxes of other users read it too.
            File.SetUnixFileMode(Root, (UnixFileMode)0b111_101_101);
        }
    }

    private static MetadataReference[] Framework { get; } =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => path.Contains("Microsoft.NETCore.App", StringComparison.Ordinal))
            .Append(typeof(EntryPointAttribute).Assembly.Location)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>Compiles the members of a class <c>Plugin</c>, and returns the plugin's folder.</summary>
    public static string Members(string members, string name = "Plugin") => Types($$"""
        public static partial class Plugin
        {
        {{members}}
        }
        """, name);

    /// <summary>Compiles whole types, and returns the plugin's folder.</summary>
    public static string Types(string source, string name = "Plugin") =>
        Built.GetOrAdd($"{name}\n{source}", _ => new Lazy<string>(() =>
        {
            var folder = NewFolder(name);
            Compile(Path.Combine(folder, name + ".dll"), source);
            return folder;
        })).Value;

    /// <summary>An empty folder.</summary>
    public static string NewFolder(string name = "Plugin") =>
        Directory.CreateDirectory(Path.Combine(Root, Convert.ToHexString(RandomNumberGenerator.GetBytes(6)), name)).FullName;

    /// <summary>Compiles one assembly.</summary>
    public static void Compile(string path, string source, params string[] references) => Compile(path, source, withAbstractions: true, references);

    /// <summary>Compiles one assembly, if wanted without ProcessPool.Abstractions.</summary>
    public static void Compile(string path, string source, bool withAbstractions, params string[] references)
    {
        var compilation = CSharpCompilation.Create(
            Path.GetFileNameWithoutExtension(path),
            [CSharpSyntaxTree.ParseText(Usings + source, new CSharpParseOptions(LanguageVersion.Latest))],
            [.. Framework.Where(reference => withAbstractions || reference.Display != typeof(EntryPointAttribute).Assembly.Location), .. references.Select(reference => MetadataReference.CreateFromFile(reference))],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Disable));
        using var assembly = new MemoryStream();
        var result = compilation.Emit(assembly);
        if (result.Success)
        {
            // At once and from elsewhere: a catalog may be watching, and takes whatever lies in its folder for long enough.
            var written = Path.Combine(NewFolder(), Path.GetFileName(path));
            File.WriteAllBytes(written, assembly.ToArray());
            File.Move(written, path, overwrite: true);
        }
        else
        {
            var text = new StringBuilder("The test's plugin does not compile:").AppendLine();
            text.AppendJoin(Environment.NewLine, result.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));
            throw new InvalidOperationException(text.ToString());
        }
    }
}
