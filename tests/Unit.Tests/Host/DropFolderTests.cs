using ProcessPool.Catalog;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

public sealed class DropFolderTests
{
    private const string Plugin = "public static class P { [EntryPoint] public static int One() => 1; }";

    private readonly string _folder = PluginSource.NewFolder("drop");

    [Fact]
    public void A_folder_is_a_plugin_with_all_that_is_in_it()
    {
        Write("p/p.dll");
        Write("p/fr/p.resources.dll");
        Write("p/.hidden");
        Write(".staging/q.dll");
        Assert.Equal(["p"], Look().Keys);
        Assert.Equal([".hidden", "fr/p.resources.dll", "p.dll"], Look()["p"].Files.Select(file => file.Path));
    }

    [Fact]
    public void A_bare_DLL_is_a_plugin_with_those_beside_it_that_it_refers_to()
    {
        var library = Path.Combine(_folder, "Library.dll");
        PluginSource.Compile(library, "public static class L { public static int One => 1; }");
        PluginSource.Compile(Path.Combine(_folder, "p.dll"), "public static class P { [EntryPoint] public static int One() => L.One; }", library);
        Write("p.runtimeconfig.json");
        PluginSource.Compile(Path.Combine(_folder, "other.dll"), Plugin);
        var sources = Look();
        Assert.Equal(["other", "p"], sources.Keys.Order());
        Assert.Equal(["Library.dll", "p.dll", "p.runtimeconfig.json"], sources["p"].Files.Select(file => file.Path));
        Assert.Equal(["other.dll"], sources["other"].Files.Select(file => file.Path));
    }

    [Fact]
    public void A_DLL_that_nobody_can_call_says_why()
    {
        PluginSource.Compile(Path.Combine(_folder, "lonely.dll"), "public static class L { }");
        Write("junk.dll", "junk");
        Write("empty/");
        Assert.Contains("no entry point", Look()["lonely"].Fault!.Message);
        Assert.Contains("damaged", Look()["junk"].Fault!.Message);
        Assert.Contains("empty", Look()["empty"].Fault!.Message);
    }

    [Fact]
    public void A_link_that_leads_out_of_the_plugin_is_refused_and_the_plugin_itself_may_be_one()
    {
        Write("../elsewhere/secret", "secret");
        Write("p/p.dll");
        File.CreateSymbolicLink(Path.Combine(_folder, "p", "secret.txt"), Path.Combine(_folder, "..", "elsewhere", "secret"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "current"), Path.Combine(_folder, "..", "elsewhere"));
        Write("loop/a.dll");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "loop", "again"), Path.Combine(_folder, "loop"));
        Write("inner/a.so");
        File.CreateSymbolicLink(Path.Combine(_folder, "inner", "b.so"), Path.Combine(_folder, "inner", "a.so"));

        Assert.Contains("is a link to", Look()["p"].Fault!.Message);
        Assert.Contains("link", Look()["loop"].Fault!.Message);
        Assert.Equal(["secret"], Look()["current"].Files.Select(file => file.Path));
        Assert.Equal(["a.so", "b.so"], Look()["inner"].Files.Select(file => file.Path));
    }

    [Fact]
    public void A_folder_and_a_DLL_of_one_name_are_both_shown()
    {
        PluginSource.Compile(Path.Combine(_folder, "p.dll"), Plugin);
        Write("p/p.dll");
        Assert.Equal(["p", "p.dll"], Look().Keys.Order());
    }

    [Fact]
    public void Anything_that_changes_changes_the_stamp()
    {
        Write("p/p.dll", "1");
        var before = Look()["p"].Stamp;
        Assert.Equal(before, Look()["p"].Stamp);
        Write("p/p.dll", "12");
        Assert.NotEqual(before, Look()["p"].Stamp);
    }

    private IReadOnlyDictionary<string, DroppedPlugin> Look() => new DropFolder(_folder).Look();

    private void Write(string path, string content = "")
    {
        var full = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        if (!path.EndsWith('/'))
        {
            File.WriteAllText(full, content);
        }
    }
}
