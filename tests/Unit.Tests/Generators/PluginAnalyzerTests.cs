using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ProcessPool.Unit.Tests.Generators;

/// <summary>What the loader would refuse, and what a sandbox does not have, is said where it is written.</summary>
public sealed class PluginAnalyzerTests
{
    private const string NoInput = "standard input is closed in a sandbox, so there is nothing to read. Take what is to be read as an argument";
    private const string EndsWorker = "it ends the worker, and with it the call fails as if the plugin had crashed. Throw an exception instead";
    private const string Marked = "public static class Marked { [EntryPoint] public static int One() => 1; }";
    private const string Contract = "public interface IWork { Task RunAsync(); }";

    [Theory]
    [InlineData("Console.ReadLine()", "Console.ReadLine()", "Console.ReadLine", NoInput)]
    [InlineData("Console.Read()", "Console.Read()", "Console.Read", NoInput)]
    [InlineData("Console.ReadKey(true)", "Console.ReadKey(true)", "Console.ReadKey", NoInput)]
    [InlineData("Console.In.ReadToEnd()", "Console.In", "Console.In", NoInput)]
    [InlineData("Console.KeyAvailable", "Console.KeyAvailable", "Console.KeyAvailable", NoInput)]
    [InlineData("Console.OpenStandardInput()", "Console.OpenStandardInput()", "Console.OpenStandardInput", NoInput)]
    [InlineData("(Func<string?>)Console.ReadLine", "Console.ReadLine", "Console.ReadLine", NoInput)]
    [InlineData("(Action)(() => Environment.Exit(3))", "Environment.Exit(3)", "Environment.Exit", EndsWorker)]
    [InlineData("(Action<string>)Environment.FailFast", "Environment.FailFast", "Environment.FailFast", EndsWorker)]
    public async Task What_a_sandbox_does_not_have_is_a_warning_where_it_is_used(string used, string at, string member, string consequence)
    {
        var source = $"{Marked} internal static class Helper {{ public static object? Use() => {used}; }}";
        Assert.Equal([new Report("PP011", at, $"{member} in a plugin: {consequence}", DiagnosticSeverity.Warning)], await HostSource.AnalyzeAsync(HostSource.Compile(source)));
    }

    [Theory]
    [InlineData("Console.WriteLine(Console.IsInputRedirected);")]
    [InlineData("Console.Error.Write(nameof(Console.In));")]
    [InlineData("Console.WriteLine(Environment.ExitCode);")]
    public async Task What_a_sandbox_has_is_not_spoken_of(string statement) =>
        Assert.Empty(await HostSource.AnalyzeAsync(HostSource.Compile($"{Marked} public static class Helper {{ public static void Use() {{ {statement} }} }}")));

    [Theory]
    [InlineData("", OutputKind.DynamicallyLinkedLibrary)]
    [InlineData(Marked, OutputKind.ConsoleApplication)]
    public async Task A_program_and_a_library_without_entry_points_may_read_their_console(string other, OutputKind kind)
    {
        var compilation = HostSource.Compile($"{other} public static class Program {{ public static void Main() {{ Console.ReadLine(); Environment.Exit(1); }} }}");
        Assert.Empty(await HostSource.AnalyzeAsync(compilation.WithOptions(compilation.Options.WithOutputKind(kind))));
    }

    [Theory]
    [InlineData("[EntryPoint] internal static int One() => 1;", "it is not public and static", "declare it 'public static', or mark its class and let that implement a contract interface")]
    [InlineData("[EntryPoint] static int One() => 1;", "it is not public and static", "declare it 'public static', or mark its class and let that implement a contract interface")]
    [InlineData("[EntryPoint] public int One() => 1;", "it is not public and static", "declare it 'public static', or mark its class and let that implement a contract interface")]
    [InlineData("[EntryPoint] public static T One<T>(T value) => value;", "it is generic", "make an entry point for each type")]
    [InlineData("[EntryPoint] public static void One(ref int value) { }", "it takes 'value' by reference, and it would get a copy", "take a value, and return what comes back")]
    [InlineData("[EntryPoint] public static void One(int first, out int value) => value = first;", "it takes 'value' by reference, and it would get a copy", "take a value, and return what comes back")]
    [InlineData("[EntryPoint(\"name\")] public static void One(in int value) { }", "it takes 'value' by reference, and it would get a copy", "take a value, and return what comes back")]
    [InlineData("[EntryPoint] public static unsafe void One(int* values) { }", "it takes 'values', which cannot leave a process's memory", "take 'int[] values'")]
    [InlineData("[EntryPoint] public static void One(ReadOnlySpan<char> text) { }", "it takes 'text', which cannot leave a process's memory", "take 'char[] text'")]
    public async Task A_method_that_cannot_be_called_is_an_error_at_its_name(string method, string fault, string advice) => Assert.Equal(
        [new Report("PP012", "One", $"Numbers.One has [EntryPoint], but {fault}, so the whole plugin is refused: {advice}")],
        await HostSource.AnalyzeAsync(HostSource.Compile($"public class Numbers {{ {method} }}")));

    [Theory]
    [InlineData("[EntryPoint] public class Worker;", "it implements no contract interface", "implement an interface that has the methods to be called, or mark public static methods")]
    [InlineData("[EntryPoint] public sealed record Worker(int One) : IDisposable, IPluginInitializer { public void Dispose() { } public ValueTask InitializeAsync(CancellationToken token) => default; }", "it implements no contract interface", "implement an interface that has the methods to be called, or mark public static methods")]
    [InlineData("[EntryPoint] public static class Worker { public static int One() => 1; }", "it is static, and nothing can be made of it", "mark its methods instead")]
    [InlineData("[EntryPoint] public abstract class Worker : IWork { public abstract Task RunAsync(); }", "it is abstract, and nothing can be made of it", "mark the class that is derived from it")]
    public async Task A_class_of_which_nothing_can_be_called_is_an_error_at_its_name(string type, string fault, string advice) => Assert.Equal(
        [new Report("PP012", "Worker", $"Worker has [EntryPoint], but {fault}, so the whole plugin is refused: {advice}")],
        await HostSource.AnalyzeAsync(HostSource.Compile($"{Contract} {type}")));

    [Fact]
    public async Task What_is_generic_is_an_error_and_what_is_derived_from_it_is_not()
    {
        var reports = await HostSource.AnalyzeAsync(HostSource.Compile($$"""
            {{Contract}}
            [EntryPoint] public class Open<T> : IWork { public Task RunAsync() => Task.CompletedTask; }
            [EntryPoint] public class Closed : Open<int>;
            public static class Holder<T> { [EntryPoint] public static int One() => 1; }
            """));
        Assert.Equal(
            [
                "Open<T> has [EntryPoint], but it is generic, so the whole plugin is refused: mark a class that is not and is derived from it",
                "Holder<T>.One has [EntryPoint], but its class is generic, so the whole plugin is refused: move it to a class that is not",
            ],
            reports.Select(report => report.Message));
    }

    [Theory]
    [InlineData("public static class Numbers { [EntryPoint] public static long Square(long value, IProgress<int> progress, CancellationToken token) => value; public static T Other<T>(ref T value) => value; }")]
    [InlineData("internal static class Hidden { [EntryPoint] public static async Task<byte[]> ReadAsync(System.IO.Stream from, int count = 3) { await Task.Yield(); return []; } }")]
    [InlineData("public interface IBase { Task RunAsync(); } public interface IMore : IBase; [EntryPoint] public sealed class Worker(IPluginContext context) : IMore { public Task RunAsync() => Task.FromResult(context); }")]
    [InlineData("public sealed class EntryPointAttribute : Attribute; namespace Other { public class Worker { [global::EntryPoint] public void One() { } } }")]
    public async Task A_good_plugin_is_not_spoken_of(string source) => Assert.Empty(await HostSource.AnalyzeAsync(HostSource.Compile(source)));
}
