using System.Reflection;
using System.Reflection.Emit;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ProcessPool.Unit.Tests.Generators;

/// <summary>Generated code is part of somebody's build, which may have every warning on.</summary>
public sealed class GeneratedCodeTests
{
    private const string Broad = """
        namespace @namespace.Deep;

        public record Box<T>(T Value, Box<T>? Inner);
        public enum @event { One }
        public static class Outer<TOuter>
        {
            public interface INested { Task<TOuter> GetAsync(Inner inner); }
            public sealed record Inner(int A);
        }
        internal interface IWork<T> { Task<T> RunAsync(T value); }
        internal interface IBase { Task<int> SameAsync(int value); }
        internal interface @interface : IBase, IWork<int?>
        {
            new Task<int> SameAsync(int value);
            Task @class(@event @if, @event? @else = @event.One);
            Task<(int Number, string? Text)> TupleAsync((long, long) pair, (string? First, Box<string?>? Second)? other);
            ValueTask<Box<string?>?> BoxAsync(Box<Box<int?>>? box, Dictionary<string, List<int[]?>>? map);
            Task<string?[]?> ArraysAsync(int[][] jagged, int[,] square, byte[]? bytes, params string?[] rest);
            Task DefaultsAsync(int number = 7, string? text = null, decimal money = 1.5m, CancellationToken token = default);
            Task<Guid?>? NullableAsync(Guid? id, ReadOnlyMemory<byte> memory, System.IO.Stream? stream);
            IAsyncEnumerable<(int, string?)> StreamAsync(IAsyncEnumerable<string?>? items, IProgress<(int Done, int All)>? progress, CancellationToken token);
            Task ScopedAsync(string path, string String, object Object, Type Type, Func<int>? global, int System, nint native);
            ValueTask WithBodyAsync(IPluginContext? context) => default;
            sealed Task SealedAsync() => @class(@event.One);
            private Task PrivateAsync() => SealedAsync();
            static Task StaticAsync(int value) => Task.CompletedTask;
            const int Constant = 1;
            sealed record Nested(int Value);
        }
        internal interface IEmpty;
        internal interface IOfTuple : IWork<(int A, string? B)>;
        internal static class Host
        {
            public static async Task Use(SandboxPool? pool)
            {
                pool?.GetProxy<@interface>().@class(@event.One);
                _ = pool!.GetProxy<Outer<string?>.INested>(null);
                await pool.LeaseAsync<IWork<Box<string?>>>();
                _ = pool.GetProxy<IWork<(int A, string? B)>>();
                _ = pool.GetProxy<IOfTuple>();
                _ = pool.GetProxy<IEmpty>();
            }
        }
        """;

    [Fact]
    public void Everything_a_contract_can_say_compiles_without_warnings()
    {
        var complete = HostSource.Complete(HostSource.Compile(Broad));
        Assert.Equal(2 + 6, complete.SyntaxTrees.Length);
        // As if the generated code did not turn warnings off. The proxy of an empty contract has no use for its caller.
        var loud = complete.SyntaxTrees.Select(tree => tree.WithChangedText(Microsoft.CodeAnalysis.Text.SourceText.From(tree.ToString().Replace("#pragma warning disable", "", StringComparison.Ordinal))));
        Assert.Equal(["CS9113"], complete.RemoveAllSyntaxTrees().AddSyntaxTrees(loud).GetDiagnostics().Where(IsSeen).Select(diagnostic => diagnostic.Id));
        Assert.Empty(complete.GetDiagnostics().Where(IsSeen));
    }

    [Theory]
    [InlineData("[Obsolete(\"soon\")] public interface IWork { Task RunAsync(); }")]
    [InlineData("public interface IWork { [Obsolete] Task RunAsync(); }")]
    [InlineData("[System.Diagnostics.CodeAnalysis.Experimental(\"X1\")] public interface IWork { Task RunAsync(); }")]
    [InlineData("public interface IWork { Task RunAsync([System.Diagnostics.CodeAnalysis.AllowNull] string text); }")]
    [InlineData("#nullable disable\npublic interface IWork { Task<string> RunAsync(string text); }\n#nullable restore")]
    public void What_a_contract_warns_of_is_not_said_in_generated_code(string contract)
    {
        var complete = HostSource.Complete(HostSource.Compile("#pragma warning disable CS0612, CS0618, X1\n" + HostSource.Asking("IWork", contract)));
        Assert.Equal(3, complete.SyntaxTrees.Length);
        Assert.Empty(complete.GetDiagnostics().Where(IsSeen));
    }

    [Fact]
    public void Each_contract_is_generated_once_however_it_is_written()
    {
        var files = HostSource.Generate(HostSource.Compile("""
            using Same = IWork<string>;
            public interface IWork<T> { Task<T> RunAsync(); }
            public static class Host
            {
                public static void Use(SandboxPool pool)
                {
                    _ = pool.GetProxy<IWork<string>>();
                    _ = pool.GetProxy<IWork<string?>>();
                    _ = pool.GetProxy<Same>();
                    _ = pool.LeaseAsync<IWork<string>>();
                    Func<CallOptions?, IWork<int>> later = pool.GetProxy<IWork<int>>;
                }
            }
            """));
        Assert.Equal(["IWork_int.g.cs", "IWork_string.g.cs"], files.Keys);
    }

    [Fact]
    public void Contracts_whose_names_are_alike_have_files_of_their_own()
    {
        var compilation = HostSource.Compile("""
            namespace A.B { public interface IWork { Task RunAsync(); } }
            namespace A { public interface B_IWork { Task RunAsync(); } public interface b_iwork { Task RunAsync(); } }
            public static class Host
            {
                public static void Use(SandboxPool pool)
                {
                    _ = pool.GetProxy<A.B.IWork>();
                    _ = pool.GetProxy<A.B_IWork>();
                    _ = pool.GetProxy<A.b_iwork>();
                }
            }
            """);
        Assert.Equal(["A_B_IWork.2.g.cs", "A_B_IWork.g.cs", "A_b_iwork.3.g.cs"], HostSource.Generate(compilation).Keys);
        Assert.Empty(HostSource.Complete(compilation).GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));
    }

    [Fact]
    public void A_long_name_makes_a_short_file()
    {
        var type = "int";
        for (var depth = 0; depth < 20; depth++)
        {
            type = $"List<{type}>";
        }

        var file = Assert.Single(HostSource.Generate(HostSource.Compile(HostSource.Asking($"IWork<{type}>", "public interface IWork<T> { Task RunAsync(T value); }")))).Key;
        Assert.InRange(file.Length, 1, 100);
    }

    [Fact]
    public void A_contract_without_names_of_parameters_has_a_proxy()
    {
        // What F# makes of 'abstract Run: int * int -> Task'.
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("Library"), typeof(object).Assembly);
        var type = assembly.DefineDynamicModule("Library").DefineType("IWork", TypeAttributes.Public | TypeAttributes.Interface | TypeAttributes.Abstract);
        type.DefineMethod("Run", MethodAttributes.Public | MethodAttributes.Abstract | MethodAttributes.Virtual | MethodAttributes.HideBySig | MethodAttributes.NewSlot, typeof(Task), [typeof(int), typeof(int)]);
        type.CreateType();
        using var image = new MemoryStream();
        assembly.Save(image);

        var complete = HostSource.Complete(HostSource.Compile(HostSource.Asking("IWork", ""), LanguageVersion.Latest, MetadataReference.CreateFromImage(image.ToArray())));
        Assert.Equal(3, complete.SyntaxTrees.Length);
        Assert.Empty(complete.GetDiagnostics().Where(IsSeen));
    }

    private static bool IsSeen(Diagnostic diagnostic) => diagnostic.Severity is DiagnosticSeverity.Warning or DiagnosticSeverity.Error;
}
