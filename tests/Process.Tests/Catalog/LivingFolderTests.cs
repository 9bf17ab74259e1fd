using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Catalog;

public sealed class LivingFolderTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_plugin_that_is_dropped_replaced_and_removed_is_callable_callable_anew_and_gone(bool asFolder)
    {
        await using var rig = await DropFolderRig.StartAsync();
        Assert.Empty(rig.Catalog.Plugins);
        var unknown = Assert.Throws<PluginLoadException>(() => rig.Catalog.GetPool("thumbs"));
        Assert.Contains("There is none", unknown.Message);

        var path = rig.Drop("thumbs", 1, asFolder);
        var added = await rig.NextAsync(PluginChangeKind.Added, "thumbs");
        Assert.StartsWith("sha256:", added.Plugin.Digest);
        var pool = rig.Catalog.GetPool("thumbs");
        Assert.Equal(1, await pool.InvokeAsync<int>("Version").Within("version 1 answers"));

        rig.Drop("thumbs", 2, asFolder);
        var updated = await rig.NextAsync(PluginChangeKind.Updated, "thumbs");
        Assert.Equal(added.Plugin.Digest, updated.Plugin.PreviousDigest);
        Assert.Same(pool, rig.Catalog.GetPool("thumbs"));
        Assert.Equal(2, await pool.InvokeAsync<int>("Version").Within("version 2 answers"));

        File.Delete(path);
        if (asFolder)
        {
            Directory.Delete(Path.GetDirectoryName(path)!);
        }

        await rig.NextAsync(PluginChangeKind.Removed, "thumbs");
        Assert.Empty(rig.Catalog.Plugins);
        Assert.Throws<PluginLoadException>(() => rig.Catalog.GetPool("thumbs"));
        Assert.Equal(RejectionReason.Stopped, (await Assert.ThrowsAsync<CallRejectedException>(() => pool.InvokeAsync<int>("Version"))).Reason);

        rig.Drop("thumbs", 3, asFolder);
        await rig.NextAsync(PluginChangeKind.Added, "thumbs");
        Assert.Equal(3, await pool.InvokeAsync<int>("Version").Within("the pool that was kept serves again"));
    }

    [Fact]
    public async Task A_call_on_the_old_version_is_finished_there_while_new_calls_go_to_the_new_one()
    {
        await using var rig = await DropFolderRig.StartAsync();
        rig.Drop("work", 1);
        await rig.NextAsync(PluginChangeKind.Added, "work");
        var pool = rig.Catalog.GetPool("work");
        var signal = Path.Combine(rig.Store, "go");
        var old = pool.InvokeAsync<int>("Wait", [signal]);
        await rig.Log.WaitForAsync(line => line.Contains("waiting", StringComparison.Ordinal), "the call has begun");

        rig.Drop("work", 2);
        await rig.NextAsync(PluginChangeKind.Updated, "work");
        Assert.Equal(2, await pool.InvokeAsync<int>("Version").Within("the new version answers"));
        Assert.False(old.IsCompleted);
        File.WriteAllText(signal, "");
        Assert.Equal(1, await old.Within("the old version finishes its call"));
    }

    [Theory]
    [InlineData("not a DLL at all")]
    [InlineData("")]
    [InlineData("PK\u0003\u0004 a zip file")]
    public async Task A_broken_update_leaves_the_version_before_serving_and_says_why(string content)
    {
        await using var rig = await DropFolderRig.StartAsync();
        var path = rig.Drop("work", 1);
        await rig.NextAsync(PluginChangeKind.Added, "work");
        File.WriteAllText(path, content);
        var broken = await rig.NextAsync(PluginChangeKind.Broken, "work");
        Assert.Contains("damaged", broken.Plugin.Error!.Message);
        Assert.NotNull(broken.Plugin.Plugin);
        Assert.Equal(1, await rig.Catalog.GetPool("work").InvokeAsync<int>("Version").Within("version 1 goes on"));

        rig.Drop("work", 2);
        Assert.Null((await rig.NextAsync(PluginChangeKind.Updated, "work")).Plugin.Error);
        Assert.Equal(2, await rig.Catalog.GetPool("work").InvokeAsync<int>("Version").Within("the mended version answers"));
    }

    [Fact]
    public async Task An_update_whose_code_throws_at_its_start_leaves_the_version_before_serving()
    {
        await using var rig = await DropFolderRig.StartAsync();
        var path = rig.Drop("work", 1);
        await rig.NextAsync(PluginChangeKind.Added, "work");
        PluginSource.Compile(path, """
            public interface IWork { Task<int> VersionAsync(); }
            [EntryPoint] public class Work : IWork { public Work() => throw new InvalidOperationException("no licence"); public Task<int> VersionAsync() => Task.FromResult(2); }
            """);
        var error = (await rig.NextAsync(PluginChangeKind.Broken, "work")).Plugin.Error!;
        Assert.True(error.Message.Contains("no licence", StringComparison.Ordinal), $"Expected the reason to be told: {error}");
        Assert.Equal(1, await rig.Catalog.GetPool("work").InvokeAsync<int>("Version").Within("version 1 goes on"));
    }

    [Fact]
    public async Task Rolling_back_serves_the_version_before_until_the_folder_changes()
    {
        await using var rig = await DropFolderRig.StartAsync();
        rig.Drop("work", 1);
        await rig.NextAsync(PluginChangeKind.Added, "work");
        await Assert.ThrowsAsync<InvalidOperationException>(() => rig.Catalog.RollbackAsync("work"));
        rig.Drop("work", 2);
        await rig.NextAsync(PluginChangeKind.Updated, "work");

        await rig.Catalog.RollbackAsync("work").Within("the version before serves");
        await rig.NextAsync(PluginChangeKind.RolledBack, "work");
        Assert.Equal(1, await rig.Catalog.GetPool("work").InvokeAsync<int>("Version"));
        await rig.Catalog.RefreshAsync().Within("the folder is looked at");
        Assert.Equal(1, await rig.Catalog.GetPool("work").InvokeAsync<int>("Version"));

        rig.Drop("work", 3);
        await rig.NextAsync(PluginChangeKind.Updated, "work");
        Assert.Equal(3, await rig.Catalog.GetPool("work").InvokeAsync<int>("Version"));
    }

    [Fact]
    public async Task What_lies_there_at_the_start_serves_and_what_is_broken_is_reported_and_harms_nobody()
    {
        await using var rig = await DropFolderRig.StartAsync(folder =>
        {
            PluginSource.Compile(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "good")).FullName, "good.dll"), DropFolderRig.Versioned(1));
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "junk")).FullName, "junk.dll"), "junk");
            Directory.CreateDirectory(Path.Combine(folder, "nothing"));
            File.WriteAllBytes(Path.Combine(folder, "zero.dll"), []);
            Directory.CreateDirectory(Path.Combine(folder, ".staging"));
        });
        Assert.Equal(["good", "junk", "nothing", "zero"], rig.Catalog.Plugins.Select(plugin => plugin.Name));
        Assert.Equal(["good"], rig.Catalog.Plugins.Where(plugin => plugin.Error is null).Select(plugin => plugin.Name));
        Assert.Contains("damaged", Assert.Throws<PluginLoadException>(() => rig.Catalog.GetPool("junk")).Message);
        Assert.Equal(1, await rig.Catalog.GetPool("good").InvokeAsync<int>("Version"));
    }

    [Fact]
    public async Task A_handler_may_roll_back_look_and_stop_and_may_throw()
    {
        await using var rig = await DropFolderRig.StartAsync();
        var stopped = new TaskCompletionSource();
        rig.Catalog.Changed += (_, change) =>
        {
            if (change.Kind == PluginChangeKind.Updated)
            {
                rig.Catalog.RollbackAsync("work").GetAwaiter().GetResult();
                rig.Catalog.RefreshAsync().GetAwaiter().GetResult();
                Assert.Equal(1, rig.Catalog.GetPool("work").Invoke<int>("Version"));
                rig.Catalog.StopAsync().GetAwaiter().GetResult();
                stopped.SetResult();
            }

            throw new InvalidOperationException("a handler's own fault");
        };
        rig.Drop("work", 1);
        await rig.NextAsync(PluginChangeKind.Added, "work");
        rig.Drop("work", 2);
        await stopped.Task.Within("the handler has stopped the catalog");
    }

    [Fact]
    public async Task A_start_that_is_given_up_leaves_nothing_running()
    {
        using var cancel = new CancellationTokenSource();
        var log = new RecordingLogger();
        var starting = DropFolderRig.StartAsync(
            folder => PluginSource.Compile(Path.Combine(folder, "slow.dll"), """
                public interface IWork { Task DoAsync(); }
                [EntryPoint] public class Work : IWork { public Work() { Console.WriteLine("constructing"); Thread.Sleep(Timeout.Infinite); } public Task DoAsync() => null; }
                """),
            options => options.Logger = log,
            cancel.Token);
        await log.WaitForAsync(line => line.Contains("constructing", StringComparison.Ordinal), "the plugin is being constructed");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting.Within("the start is given up"));
    }

    [Fact]
    public async Task A_rollback_that_meets_the_stop_starts_nothing()
    {
        await using var rig = await DropFolderRig.StartAsync();
        rig.Drop("work", 1);
        await rig.NextAsync(PluginChangeKind.Added, "work");
        rig.Drop("work", 2);
        await rig.NextAsync(PluginChangeKind.Updated, "work");
        var pool = rig.Catalog.GetPool("work");
        var stopping = rig.Catalog.StopAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => rig.Catalog.RollbackAsync("work").Within("the rollback ends"));
        await stopping.Within("the catalog stops");
        Assert.Equal(PoolState.Stopped, pool.State);
    }

    [Fact]
    public async Task Disposing_cuts_a_stop_short_that_waits_for_a_call()
    {
        await using var rig = await DropFolderRig.StartAsync();
        rig.Drop("work", 1);
        await rig.NextAsync(PluginChangeKind.Added, "work");
        var endless = rig.Catalog.GetPool("work").InvokeAsync<int>("Wait", [Path.Combine(rig.Store, "never")]);
        await rig.Log.WaitForAsync(line => line.Contains("waiting", StringComparison.Ordinal), "the call has begun");
        var stopping = rig.Catalog.StopAsync();
        await rig.Catalog.DisposeAsync().AsTask().Within("the catalog is disposed");
        await stopping.Within("so does the stop");
        await Assert.ThrowsAsync<CallRejectedException>(() => endless);
    }

    [Fact]
    public async Task A_folder_with_a_file_that_its_writer_holds_for_long_is_served_when_it_is_let_go()
    {
        await using var rig = await DropFolderRig.StartAsync();
        var held = Path.Combine(Directory.CreateDirectory(Path.Combine(rig.Folder, "work")).FullName, "data.bin");
        using (var writer = new FileStream(held, FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            writer.Write("data"u8);
            writer.Flush();
            rig.Drop("work", 1);
            await rig.NextAsync(PluginChangeKind.Broken, "work");
        }

        await rig.NextAsync(PluginChangeKind.Added, "work");
    }

    [Fact]
    public async Task Only_trusted_content_is_taken()
    {
        var built = Path.Combine(PluginSource.NewFolder("work"), "work.dll");
        PluginSource.Compile(built, DropFolderRig.Versioned(1));
        string digest;
        await using (var open = await DropFolderRig.StartAsync(folder => Copy(built, folder)))
        {
            digest = Assert.Single(open.Catalog.Plugins).Digest!;
        }

        await using var rig = await DropFolderRig.StartAsync(folder => Copy(built, folder), options => options.Trust = [digest.ToUpperInvariant().Replace("SHA256", "sha256", StringComparison.Ordinal)]);
        Assert.Equal(1, await rig.Catalog.GetPool("work").InvokeAsync<int>("Version"));
        rig.Drop("work", 2);
        Assert.Contains("not among the 1 trusted digests", (await rig.NextAsync(PluginChangeKind.Broken, "work")).Plugin.Error!.Message);
        Assert.Equal(1, await rig.Catalog.GetPool("work").InvokeAsync<int>("Version"));

        static void Copy(string from, string folder) => File.Copy(from, Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "work")).FullName, "work.dll"));
    }

    [Fact]
    public async Task No_call_fails_while_the_plugin_is_replaced_again_and_again()
    {
        await using var rig = await DropFolderRig.StartAsync();
        var path = rig.Drop("work", 1);
        await rig.NextAsync(PluginChangeKind.Added, "work");
        var pool = rig.Catalog.GetPool("work");
        var (current, done) = (1, false);
        var callers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref done))
            {
                var before = Volatile.Read(ref current);
                var version = await pool.InvokeAsync<int>("Version");
                Assert.True(version >= before, $"Expected version {before} or a later one; {version} answered.");
            }
        })).ToList();
        for (var version = 2; version <= 6; version++)
        {
            rig.Drop("work", version);
            await rig.NextAsync(PluginChangeKind.Updated, "work");
            Volatile.Write(ref current, version);
        }

        Volatile.Write(ref done, true);
        await Task.WhenAll(callers).Within("every call is answered");
        using var unlocked = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }
}
