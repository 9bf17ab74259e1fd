using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ProcessPool.Unit.Tests.Documentation;

/// <summary>The C# blocks of the pages as source files: each in a namespace of its own, its statements in a method, its types beside it. Lines keep their numbers.</summary>
internal static class DocumentedCode
{
    // What a new project has, and what an application with pools has besides.
    private const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;
        global using OpenTelemetry;
        global using OpenTelemetry.Metrics;
        global using OpenTelemetry.Trace;
        global using ProcessPool;
        global using ProcessPool.Testing;
        global using ProcessPool.Unit.Tests.Documentation;
        """;

    private static readonly CSharpParseOptions Options = new(LanguageVersion.Latest);

    /// <summary>All blocks, and what they take for granted, as one assembly.</summary>
    public static CSharpCompilation Compile(IEnumerable<(string Page, int Number, string Code)> blocks) => CSharpCompilation.Create(
        "Documented",
        [CSharpSyntaxTree.ParseText(Usings, Options), .. blocks.Select((block, index) => CSharpSyntaxTree.ParseText(SourceOf(block.Page, block.Number, block.Code, index), Options))],
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    private static string SourceOf(string page, int number, string code, int index)
    {
        var unit = CSharpSyntaxTree.ParseText(code, Options).GetCompilationUnitRoot();
        var members = unit.Members.SelectMany(member => member is FileScopedNamespaceDeclarationSyntax scoped ? scoped.Members.AsEnumerable() : [member]).ToList();
        var source = new StringBuilder();
        Append(unit.Usings);
        source.Append(CultureInfo.InvariantCulture, $"namespace Block{index} {{ public sealed class Code : {nameof(TakenForGranted)} {{\n");
        Append(members.Where(IsMember));
        source.Append("public static async Task RunAsync() { await Task.CompletedTask;\n");
        Append(members.Where(member => member is GlobalStatementSyntax && !IsMember(member)));
        source.Append("}}\n");
        Append(members.Where(member => member is not GlobalStatementSyntax && !IsMember(member)));
        return source.Append('}').ToString();

        void Append(IEnumerable<SyntaxNode> nodes)
        {
            foreach (var node in nodes)
            {
                var line = unit.SyntaxTree.GetLineSpan(node.FullSpan).StartLinePosition.Line;
                source.Append(CultureInfo.InvariantCulture, $"#line {number + line} \"{Documents.NameOf(page)}\"\n{node.ToFullString()}\n#line hidden\n");
            }
        }
    }

    // A method or a property without its class.
    private static bool IsMember(MemberDeclarationSyntax member) => member switch
    {
        GlobalStatementSyntax { Statement: LocalFunctionStatementSyntax function } => function.Modifiers.Any(SyntaxKind.PublicKeyword),
        BaseMethodDeclarationSyntax or BasePropertyDeclarationSyntax or BaseFieldDeclarationSyntax => true,
        _ => false,
    };
}
