using Microsoft.CodeAnalysis.CSharp;

namespace ProcessPool.Unit.Tests.Generators;

/// <summary>Each thing that a contract cannot say is said where it is written, with the line to write instead.</summary>
public sealed class ContractAnalyzerTests
{
    [Theory]
    [InlineData("int Count();", "PP001", "Count", "IThumbs.Count returns int, which cannot cross a process boundary: declare 'Task<int> Count()'")]
    [InlineData("void Stop(CancellationToken token);", "PP001", "Stop", "IThumbs.Stop returns void, which cannot cross a process boundary: declare 'Task Stop(CancellationToken token)'")]
    [InlineData("IEnumerable<string?> All(int from = 5);", "PP001", "All", "IThumbs.All returns IEnumerable<string?>, which cannot cross a process boundary: declare 'Task<IEnumerable<string?>> All(int from = 5)'")]
    [InlineData("ref int Value();", "PP001", "Value", "IThumbs.Value returns int, which cannot cross a process boundary: declare 'Task<int> Value()'")]
    [InlineData("Span<byte> Data();", "PP001", "Data", "IThumbs.Data returns Span<byte>, which cannot cross a process boundary: declare 'Task<byte[]> Data()'")]
    [InlineData("bool TryGet(string key, out int found);", "PP001", "TryGet", "IThumbs.TryGet returns bool, which cannot cross a process boundary: declare 'Task<(bool result, int found)> TryGet(string key)'")]
    [InlineData("Task Make(); Task<int> Make(string path, CancellationToken token);", "PP002", "Make", "IThumbs.Make(string, CancellationToken) is an overload, and entry points are told apart by name only: declare 'Task<int> MakeByPath(string path, CancellationToken token)'")]
    [InlineData("Task Make(int width); Task Make();", "PP002", "Make", "IThumbs.Make() is an overload, and entry points are told apart by name only: declare 'Task MakeDefault()'")]
    [InlineData("int Count { get; }", "PP003", "Count", "IThumbs.Count is a property, which cannot be awaited: declare 'Task<int> GetCountAsync()'")]
    [InlineData("int Count { set; }", "PP003", "Count", "IThumbs.Count is a property, which cannot be awaited: declare 'Task SetCountAsync(int value)'")]
    [InlineData("string this[int index] { get; }", "PP003", "this", "IThumbs.this[] is a property, which cannot be awaited: declare 'Task<string> GetItemAsync(int index)'")]
    [InlineData("event EventHandler<string> Changed;", "PP004", "Changed", "IThumbs.Changed is an event, which cannot cross a process boundary: declare 'IAsyncEnumerable<string> Changed(CancellationToken cancellationToken)'")]
    [InlineData("event Action Changed;", "PP004", "Changed", "IThumbs.Changed is an event, which cannot cross a process boundary: declare 'Task Changed(CancellationToken cancellationToken)'")]
    [InlineData("Task<T> Echo<T>(T value);", "PP005", "Echo", "IThumbs.Echo is generic, and the plugin is not told its type arguments: for each type declare 'Task<int> EchoInt32(int value)'")]
    [InlineData("T Echo<T>(T value) where T : class;", "PP005", "Echo", "IThumbs.Echo is generic, and the plugin is not told its type arguments: for each type declare 'Task<string> EchoString(string value)'")]
    [InlineData("Task Add(ref int value);", "PP006", "Add", "IThumbs.Add takes 'value' by reference, and the plugin gets a copy: declare 'Task<int> Add(int value)'")]
    [InlineData("ValueTask Add(in int value);", "PP006", "Add", "IThumbs.Add takes 'value' by reference, and the plugin gets a copy: declare 'ValueTask Add(int value)'")]
    [InlineData("Task<bool> TryGet(out int one, out string two);", "PP006", "TryGet", "IThumbs.TryGet takes 'one' by reference, and the plugin gets a copy: declare 'Task<(bool result, int one, string two)> TryGet()'")]
    [InlineData("Task Run(CancellationToken one, int value, CancellationToken two);", "PP007", "Run", "IThumbs.Run takes more than one CancellationToken, and a call is cancelled by one: declare 'Task Run(int value, CancellationToken one)'")]
    [InlineData("Task Hash(ReadOnlySpan<char> text);", "PP009", "Hash", "IThumbs.Hash takes 'text', which cannot leave this process's memory: declare 'Task Hash(char[] text)'")]
    [InlineData("unsafe Task Hash(int* values);", "PP009", "Hash", "IThumbs.Hash takes 'values', which cannot leave this process's memory: declare 'Task Hash(int[] values)'")]
    [InlineData("internal Task Run();", "PP010", "Run", "IThumbs.Run is internal, and a plugin answers public methods only: declare 'Task Run()'")]
    public async Task A_member_that_a_contract_cannot_have_is_an_error_at_the_member(string member, string id, string at, string message)
    {
        var source = HostSource.Asking("IThumbs", $"public interface IThumbs {{ {member} }}");
        Assert.Equal([new Report(id, at, message)], await HostSource.AnalyzeAsync(HostSource.Compile(source)));
    }

    [Theory]
    [InlineData("string", "String")]
    [InlineData("Thumbs", "Thumbs")]
    public async Task A_type_that_is_no_interface_is_an_error_where_it_is_asked_for(string type, string name)
    {
        var source = HostSource.Asking(type, "public class Thumbs;");
        var message = $"{type} is not an interface, and only an interface can stand for what runs in another process: "
            + $"declare an interface with what is to be called, such as 'interface I{name}', and ask for that";
        Assert.Equal([new Report("PP008", $"GetProxy<{type}>", message)], await HostSource.AnalyzeAsync(HostSource.Compile(source)));
    }

    [Fact]
    public async Task A_contract_of_another_assembly_is_an_error_where_it_is_asked_for()
    {
        var library = HostSource.Library("public interface IThumbs { int Count(); }");
        var source = "public class Host { public static void Use(SandboxPool pool) => pool.LeaseAsync<IThumbs>(); }";
        Assert.Equal(
            [new Report("PP001", "LeaseAsync<IThumbs>", "IThumbs.Count returns int, which cannot cross a process boundary: declare 'Task<int> Count()'")],
            await HostSource.AnalyzeAsync(HostSource.Compile(source, LanguageVersion.Latest, library)));
    }

    [Fact]
    public async Task A_contract_of_another_project_in_an_editor_is_an_error_where_it_is_asked_for()
    {
        var project = HostSource.Compile("public interface IThumbs { int Count(); }").WithAssemblyName("Project").ToMetadataReference();
        var source = "public class Host { public static void Use(SandboxPool pool) => pool.GetProxy<IThumbs>(); }";
        var report = Assert.Single(await HostSource.AnalyzeAsync(HostSource.Compile(source, LanguageVersion.Latest, project)));
        Assert.Equal("GetProxy<IThumbs>", report.At);
    }

    [Fact]
    public async Task A_base_interface_of_the_framework_is_to_be_left_out()
    {
        var source = HostSource.Asking("IThumbs", "public interface IThumbs : IDisposable { Task RunAsync(); }");
        Assert.Equal(
            [new Report("PP001", "GetProxy<IThumbs>", "IDisposable.Dispose returns void, which cannot cross a process boundary: leave IDisposable out of the base interfaces of IThumbs")],
            await HostSource.AnalyzeAsync(HostSource.Compile(source)));
    }

    [Fact]
    public async Task An_interface_of_the_framework_is_not_to_be_asked_for() => Assert.Equal(
        [new Report("PP001", "GetProxy<IDisposable>", "IDisposable.Dispose returns void, which cannot cross a process boundary: ask for an interface of your own instead of IDisposable")],
        await HostSource.AnalyzeAsync(HostSource.Compile(HostSource.Asking("IDisposable", ""))));

    [Fact]
    public async Task Every_member_is_named_once_however_often_its_contract_is_used()
    {
        var source = """
            public interface IBase<T> { T First(); }
            public interface IThumbs : IBase<int> { int Second(); event Action Third; Task Good(IProgress<int> progress, IPluginContext context); }
            public interface IOther : IBase<string>;
            public static class Host
            {
                public static void Use(SandboxPool pool)
                {
                    _ = pool.GetProxy<IThumbs>();
                    _ = pool.GetProxy<IThumbs>();
                    _ = pool.LeaseAsync<IOther>();
                }
            }
            """;
        var reports = await HostSource.AnalyzeAsync(HostSource.Compile(source));
        Assert.Equal(["First", "Second", "Third"], reports.Select(report => report.At));
        Assert.Equal("IBase<T>.First returns T, which cannot cross a process boundary: declare 'Task<T> First()'", reports[0].Message);
    }

    [Theory]
    [InlineData("public interface IThumbs { Task<int> RunAsync(int value); IAsyncEnumerable<int> AllAsync(); ValueTask StopAsync(); }")]
    [InlineData("public interface ILeft { Task Same(int value); } public interface IRight { Task Same(string value); } public interface IThumbs : ILeft, IRight;")]
    [InlineData("public interface IThumbs { const int Size = 1; static int Helper() => 1; sealed int Sealed() => 1; private int Private() => 1; class Nested; Task RunAsync(); }")]
    public async Task A_good_contract_is_not_spoken_of(string contract) =>
        Assert.Empty(await HostSource.AnalyzeAsync(HostSource.Compile(HostSource.Asking("IThumbs", contract))));

    [Fact]
    public async Task An_interface_that_no_pool_is_asked_for_is_not_spoken_of() =>
        Assert.Empty(await HostSource.AnalyzeAsync(HostSource.Compile("public interface IOther { int Count(); } public class Host { public static T GetProxy<T>() => default!; public object Use() => GetProxy<IOther>(); }")));
}
