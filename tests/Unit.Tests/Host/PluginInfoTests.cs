using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>What a plugin offers, and what is wrong with it, is known without loading it.</summary>
public sealed class PluginInfoTests
{
    private const string OneEntryPoint = "public static class Some { [EntryPoint] public static int One() => 1; }";

    [Fact]
    public void Entry_points_are_read_with_their_signatures()
    {
        var plugin = PluginInfo.Read(PluginSource.Types("""
            public static class Some
            {
                [EntryPoint] public static async Task<Dictionary<string, int?[]>> Many(long a, byte[] b, CancellationToken token, IPluginContext context, double c = 1.5) => null;
                [EntryPoint("other")] public static ValueTask Named(params int[,] x) => default;
                static void NotPublic() { }
                [EntryPoint] public static void Plain() { }
            }
            public interface IBase { Task<int> BaseAsync(string text); }
            public interface IContract : IBase { ValueTask DoAsync(); }
            public abstract class Parent : IContract { public Task<int> BaseAsync(string text) => null; public ValueTask DoAsync() => default; }
            [EntryPoint] public sealed class Child : Parent, IDisposable { public void Dispose() { } }
            """.Replace("params ", ""), "Described"));
        Assert.Equal("Described", plugin.Name);
        Assert.Equal(
            [
                "IBase.BaseAsync(string text) → int",
                "IContract.DoAsync() → void",
                "Many(long a, byte[] b, [double c]) → Dictionary<string, int?[]>",
                "Plain() → void",
                "other(int[,] x) → void",
            ],
            plugin.EntryPoints.Select(entryPoint => entryPoint.ToString()));
        Assert.True(plugin.EntryPoints.Single(entryPoint => entryPoint.Name == "Many").AcceptsCancellation);
    }

    [Fact]
    public void A_contract_in_an_assembly_of_its_own_is_found_beside_the_plugin() =>
        Assert.Contains("ITextAnalyzer.AnalyzeAsync", PluginInfo.Read(Repository.SamplePlugin).EntryPoints.Select(entryPoint => entryPoint.Name));

    [Fact]
    public void A_contract_may_be_nested_in_a_class_of_its_assembly()
    {
        var folder = PluginSource.NewFolder();
        var contract = Path.Combine(folder, "Contract.dll");
        PluginSource.Compile(contract, "namespace Api { public static class Outer { public interface IInner { Task DoAsync(); } } }");
        PluginSource.Compile(Path.Combine(folder, "Nested.dll"), "[EntryPoint] public class Some : Api.Outer.IInner { public Task DoAsync() => null; }", contract);
        Assert.Equal(["IInner.DoAsync"], PluginInfo.Read(Path.Combine(folder, "Nested.dll")).EntryPoints.Select(entryPoint => entryPoint.Name));
    }

    [Fact]
    public void Only_the_token_and_the_context_themselves_are_supplied_not_their_namesakes()
    {
        var plugin = PluginInfo.Read(PluginSource.Types("""
            namespace Mine { public class CancellationToken { } public interface IPluginContext { } }
            public static class Some { [EntryPoint] public static void Take(Mine.CancellationToken a, Mine.IPluginContext b, System.Threading.CancellationToken c, ProcessPool.IPluginContext d) { } }
            """, "Namesakes"));
        Assert.Equal("Take(global::Mine.CancellationToken a, global::Mine.IPluginContext b) → void", Assert.Single(plugin.EntryPoints).ToString());
    }

    [Fact]
    public void Nothing_is_loaded()
    {
        PluginInfo.Read(PluginSource.Types(OneEntryPoint, "NeverLoaded"));
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == "NeverLoaded");
    }

    [Fact]
    public void No_such_folder_or_file() => Refused("/no/such/plugin", "there is no such file or folder");

    [Fact]
    public void A_folder_without_a_dll() => Refused(PluginSource.NewFolder(), "there is no DLL in it");

    [Fact]
    public void A_folder_without_an_entry_point() =>
        Refused(PluginSource.Types("public class Nothing { }", "Bare"), "has no DLL with an entry point (it has Bare.dll)");

    [Fact]
    public void A_dll_without_an_entry_point() =>
        Refused(Path.Combine(PluginSource.Types("public class Nothing { }", "Bare"), "Bare.dll"), "Mark a public static method");

    [Fact]
    public void A_folder_with_two_entry_assemblies()
    {
        var folder = PluginSource.NewFolder();
        PluginSource.Compile(Path.Combine(folder, "A.dll"), OneEntryPoint);
        PluginSource.Compile(Path.Combine(folder, "B.dll"), OneEntryPoint);
        Refused(folder, "several entry assemblies: A.dll, B.dll");
        Assert.Equal("B", PluginInfo.Read(Path.Combine(folder, "B.dll")).Name);
        File.WriteAllText(Path.Combine(folder, "A.deps.json"), "{}");
        Assert.Equal("A", PluginInfo.Read(folder).Name);
    }

    [Fact]
    public void A_native_library_is_no_plugin_and_no_harm_beside_one()
    {
        var native = Directory.GetFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, OperatingSystem.IsWindows() ? "clrjit.dll" : "libclrjit.*").First();
        var folder = PluginSource.NewFolder();
        File.Copy(native, Path.Combine(folder, "native.dll"));
        Refused(folder, "not a .NET assembly");
        PluginSource.Compile(Path.Combine(folder, "A.dll"), OneEntryPoint);
        Assert.Equal("A", PluginInfo.Read(folder).Name);
    }

    [Fact]
    public void Damaged_files_are_refused_and_never_throw_anything_else()
    {
        var whole = File.ReadAllBytes(Path.Combine(PluginSource.Types(OneEntryPoint, "Whole"), "Whole.dll"));
        var path = Path.Combine(PluginSource.NewFolder(), "Damaged.dll");
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var bytes = i == 0 ? [] : i % 2 == 0 ? whole[..random.Next(whole.Length)] : (byte[])whole.Clone();
            for (var j = 0; j < 20 && i % 2 == 1; j++)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(path, bytes);
            var thrown = Record.Exception(() => PluginInfo.Read(path));
            Assert.True(thrown is null or PluginLoadException, $"Expected PluginLoadException or nothing for mutation {i}, got {thrown}");
        }
    }

    [Theory]
    [InlineData("public static class Some { [EntryPoint] static void Hidden() { } }", "Some.Hidden has [EntryPoint], but is not public and static")]
    [InlineData("public class Some { [EntryPoint] public void Instance() { } }", "Some.Instance has [EntryPoint], but is not public and static")]
    [InlineData("public static class Some { [EntryPoint] public static T Generic<T>(T x) => x; }", "Some.Generic has [EntryPoint], but is generic")]
    [InlineData("public static class Some { [EntryPoint] public static void Ref(ref int x) { } }", "takes a reference or a pointer")]
    [InlineData("public static class Some { [EntryPoint] public static unsafe void Pointer(int* x) { } }", "takes a reference or a pointer")]
    [InlineData("[EntryPoint] public class Some { }", "implements no contract interface")]
    [InlineData("[EntryPoint] public class Some : IDisposable { public void Dispose() { } }", "implements no contract interface")]
    public void What_is_marked_but_cannot_be_called(string source, string message) =>
        Refused(Path.Combine(PluginSource.Types(source, "Marked"), "Marked.dll"), message);

    [Fact]
    public void Two_entry_points_of_one_name() => Refused(
        PluginSource.Types("public static class Some { [EntryPoint] public static int One() => 1; [EntryPoint] public static int One(int x) => x; }", "Twice"),
        "share the name 'One'");

    private static void Refused(string path, string message)
    {
        var refused = Assert.Throws<PluginLoadException>(() => PluginInfo.Read(path));
        Assert.Contains(message, refused.Message);
        Assert.StartsWith(path, refused.Message);
        Assert.Equal(LoadStage.Resolve, refused.Stage);
    }
}
