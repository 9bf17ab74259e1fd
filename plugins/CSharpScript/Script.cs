using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Scripting.Hosting;
using ProcessPool;
using Compiler = Microsoft.CodeAnalysis.CSharp.Scripting.CSharpScript;

namespace CSharpScript;

/// <summary>Runs C# that is known only at run time.</summary>
public static class Script
{
    private const int MaxErrors = 10;

    private static readonly ScriptOptions Options = ScriptOptions.Default
        .WithReferences(typeof(object).Assembly, typeof(Enumerable).Assembly, typeof(JsonNode).Assembly)
        .WithImports("System", "System.Collections.Generic", "System.Linq", "System.Text", "System.Text.Json.Nodes", "System.Threading.Tasks");

    /// <summary>Runs a script and returns its last expression: a text as it is, anything else as JSON, or as ToString() has it where JSON cannot.</summary>
    /// <param name="code">C#, with await. It has all rights of the worker. Each one stays in memory until the worker ends: set Recycle.AfterCalls.</param>
    /// <param name="globals">JSON that the script finds as Globals, such as (int)Globals["count"].</param>
    /// <param name="cancellationToken">Supplied by the sandbox. A script finds it as Cancellation; one that does not look at it is killed.</param>
    [EntryPoint]
    public static async Task<string> EvaluateAsync(string code, JsonNode? globals = null, CancellationToken cancellationToken = default)
    {
        // Told of this copy of ScriptScope, scripts use it; by themselves they would load another one, into a context of its own.
        using var loader = new InteractiveAssemblyLoader();
        loader.RegisterDependency(typeof(ScriptScope).Assembly);
        try
        {
            var script = Compiler.Create<object?>(code, Options, typeof(ScriptScope), loader);
            return Text((await script.RunAsync(new ScriptScope(globals, cancellationToken), cancellationToken)).ReturnValue);
        }
        catch (CompilationErrorException exception)
        {
            var errors = exception.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).Take(MaxErrors).Select(Describe);
            throw new CompilationErrorException($"The script does not compile. {string.Join(' ', errors)}", exception.Diagnostics);
        }
    }

    private static string Describe(Diagnostic error)
    {
        var position = error.Location.GetLineSpan().StartLinePosition;
        return $"Line {position.Line + 1}, column {position.Character + 1}: {error.Id}: {error.GetMessage(CultureInfo.InvariantCulture)}.";
    }

    private static string Text(object? value)
    {
        try
        {
            return value as string ?? JsonSerializer.Serialize(value);
        }
        catch (Exception exception) when (exception is NotSupportedException or JsonException)
        {
            return value?.ToString() ?? "";
        }
    }
}
