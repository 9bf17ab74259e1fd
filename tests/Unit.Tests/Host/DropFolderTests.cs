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
    public void A_reference_whose_name_is_a_path_brings_nothing_from_there()
    {
        var elsewhere = Directory.CreateDirectory(Path.Combine(_folder, "..", "elsewhere")).FullName;
        PluginSource.Compile(Path.Combine(elsewhere, "Secret.dll"), "public static class S { public static int One => 1; }");
        var plugin = Path.Combine(_folder, "p.dll");
        PluginSource.Compile(Path.Combine(_folder, "AAAAAAAAAAAAAAAAAA.dll"), "public static class S { public static int One => 1; }");
        PluginSource.Compile(plugin, "public static class P { [EntryPoint] public static int One() => S.One; }", Path.Combine(_folder, "AAAAAAAAAAAAAAAAAA.dll"));

        // The reference's name, changed in the file as no compiler would: of the same length, so that nothing else moves.
        var bytes = File.ReadAllBytes(plugin);
        var at = bytes.AsSpan().IndexOf("AAAAAAAAAAAAAAAAAA"u8);
        "../elsewhere/Secret"u8[..18].CopyTo(bytes.AsSpan(at));
        File.WriteAllBytes(plugin, bytes);
        File.Copy(Path.Combine(elsewhere, "Secret.dll"), Path.Combine(_folder, "Secre.dll"));
        File.Copy(Path.Combine(elsewhere, "Secret.dll"), Path.Combine(elsewhere, "Secre.dll"));
        Assert.Equal(["p.dll"], Look()["p"].Files.Select(file => file.Path));
    }

    [Fact]
    public async Task A_named_pipe_is_an_empty_file_and_nothing_waits_for_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no named pipes among files.");
        Write("p/p.runtimeconfig.json", "{}");
        foreach (var path in new[] { "x.dll", "p/p.dll", "p/p.xml", "p/q.json", "p/p.deps.json" })
        {
            using var make = System.Diagnostics.Process.Start("mkfifo", [Path.Combine(_folder, path)]);
            await make.WaitForExitAsync();
        }

        var sources = await Task.Run(Look).Within("the look ends");
        Assert.NotNull(sources["x"].Fault);
        Assert.Throws<PluginLoadException>(() => PluginInfo.Read(Path.Combine(_folder, "p")));
        using var store = new TemporaryStore();
        using var snapshot = await Task.Run(() => store.Store.Take(sources["p"], null)).Within("the copy ends");
        Assert.Equal(0, new FileInfo(Path.Combine(snapshot.Directory, "q.json")).Length);
    }

    [Fact]
    public void A_bare_DLL_that_is_a_link_is_refused()
    {
        Write("../elsewhere/secret.dll", "secret");
        File.CreateSymbolicLink(Path.Combine(_folder, "p.dll"), Path.Combine(_folder, "..", "elsewhere", "secret.dll"));
        Assert.Contains("link", Look()["p"].Fault!.Message);
    }

    [Fact]
    public void An_assembly_is_read_again_when_it_or_one_beside_it_is_another_build_and_not_when_it_was_only_touched()
    {
        var path = Path.Combine(_folder, "p.dll");
        PluginSource.Compile(path, Plugin);
        var read = new List<string>();
        var folder = new DropFolder(_folder, each =>
        {
            read.Add(Path.GetFileName(each));
            return ProcessPool.Plugins.AssemblyScan.Read(each);
        });
        folder.Look();
        folder.Look();
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(1));
        Assert.Equal(["p"], folder.Look().Keys);
        Assert.Equal(["p.dll"], read);

        PluginSource.Compile(Path.Combine(_folder, "q.dll"), Plugin.Replace("One", "Two", StringComparison.Ordinal));
        Assert.Equal(["p", "q"], folder.Look().Keys.Order());
        Assert.Equal(["p.dll", "p.dll", "q.dll"], read.Order());
    }

    [Fact]
    public void A_file_that_its_writer_still_holds_is_a_plugin_as_soon_as_it_is_let_go()
    {
        var path = Path.Combine(_folder, "p.dll");
        PluginSource.Compile(path, Plugin);
        var folder = new DropFolder(_folder);
        using (new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.NotNull(folder.Look()["p"].Fault);
        }

        Assert.Null(folder.Look()["p"].Fault);
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

    private sealed class TemporaryStore : IDisposable
    {
        private readonly string _root = Directory.CreateTempSubdirectory("processpool-store-").FullName;

        public SnapshotStore Store => new(_root);

        public void Dispose() => Folders.Delete(_root);
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
