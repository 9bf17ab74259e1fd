using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using ProcessPool.Generators;

namespace ProcessPool.Unit.Tests.Generators;

/// <summary>A host's source, as the compiler sees it with the generator and the analyzer.</summary>
internal static class HostSource
{
    private const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using ProcessPool;
        """;

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => path.Contains("Microsoft.NETCore.App", StringComparison.Ordinal))
            .Concat([typeof(EntryPointAttribute).Assembly.Location, typeof(SandboxPool).Assembly.Location])
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>A host that asks for contracts, such as <c>IThumbs</c>, and declares the rest.</summary>
    public static string Asking(string contract, string declarations) => $$"""
        {{declarations}}
        public static class Host
        {
            public static void Use(SandboxPool pool) => pool.GetProxy<{{contract}}>();
        }
        """;

    public static CSharpCompilation Compile(string source, LanguageVersion version = LanguageVersion.Latest, params MetadataReference[] references) => CSharpCompilation.Create(
        "Host",
        [Parse(Usings, version), Parse(source, version)],
        [.. References, .. references],
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));

    /// <summary>A file. Files have different names, for the sake of <c>file</c> types.</summary>
    public static SyntaxTree Parse(string source, LanguageVersion version = LanguageVersion.Latest) =>
        CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(version), $"{source.GetHashCode(StringComparison.Ordinal):x8}.cs");

    /// <summary>Another assembly, as the host references it.</summary>
    public static MetadataReference Library(string source, params string[] aliases)
    {
        using var image = new MemoryStream();
        var result = Compile(source).WithAssemblyName("Library").Emit(image);
        Assert.True(result.Success, string.Join(Environment.NewLine, result.Diagnostics));
        return MetadataReference.CreateFromImage(image.ToArray(), new MetadataReferenceProperties(aliases: [.. aliases]));
    }

    public static GeneratorDriver Driver(CSharpCompilation compilation) => CSharpGeneratorDriver.Create(
        [new ContractGenerator().AsSourceGenerator()],
        parseOptions: (CSharpParseOptions)compilation.SyntaxTrees[0].Options,
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    /// <summary>The files that are generated, by name.</summary>
    public static SortedDictionary<string, string> Generate(CSharpCompilation compilation)
    {
        var result = Assert.Single(Driver(compilation).RunGenerators(compilation).GetRunResult().Results);
        Assert.Null(result.Exception);
        return new SortedDictionary<string, string>(result.GeneratedSources.ToDictionary(source => source.HintName, source => source.SourceText.ToString()), StringComparer.Ordinal);
    }

    /// <summary>The host with what is generated for it.</summary>
    public static CSharpCompilation Complete(CSharpCompilation compilation)
    {
        Driver(compilation).RunGeneratorsAndUpdateCompilation(compilation, out var complete, out var faults);
        Assert.Empty(faults);
        return (CSharpCompilation)complete;
    }

    /// <summary>What the analyzers say, in the order of places, with the text at each.</summary>
    public static async Task<IReadOnlyList<Report>> AnalyzeAsync(CSharpCompilation compilation)
    {
        var diagnostics = await compilation.WithAnalyzers(ImmutableArray.Create<DiagnosticAnalyzer>(new ContractAnalyzer(), new PluginAnalyzer())).GetAnalyzerDiagnosticsAsync();
        return
        [
            .. from diagnostic in diagnostics
               let place = diagnostic.Location
               orderby place.SourceSpan.Start, diagnostic.Id
               select new Report(diagnostic.Id, place.SourceTree!.GetText().ToString(place.SourceSpan), diagnostic.GetMessage(), diagnostic.Severity),
        ];
    }
}

/// <summary>A diagnostic.</summary>
internal sealed record Report(string Id, string At, string Message, DiagnosticSeverity Severity = DiagnosticSeverity.Error);
