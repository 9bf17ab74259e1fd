using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Confinement;

/// <summary>What a user of confinement sees: reports, refusals, the command line.</summary>
public sealed class ConfinedPoolTests
{
    private static readonly string Plugin = PluginSource.Members("""
        [EntryPoint] public static string Read(string path) => File.ReadAllText(path);
        [EntryPoint] public static void Write(string path, string text) => File.WriteAllText(path, text);
        [EntryPoint] public static string Variable(string name) => Environment.GetEnvironmentVariable(name);
        [EntryPoint] public static int Run(string program) { using var process = System.Diagnostics.Process.Start(program); process.WaitForExit(); return process.ExitCode; }
        [EntryPoint] public static string Opens(string[] paths) => string.Join(',', paths.Select(path => { try { using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite); return "yes"; } catch (UnauthorizedAccessException) { return "no"; } }));
        [EntryPoint] public static string Connect(int port) { try { using var client = new System.Net.Sockets.TcpClient("127.0.0.1", port); return "connected"; } catch (System.Net.Sockets.SocketException exception) { return $"{exception.SocketErrorCode}"; } }
        [EntryPoint] public static string Scratch() => Environment.CurrentDirectory;
        """, "Confined");

    [Theory]
    [InlineData("Restricted")]
    [InlineData("Strict")]
    public async Task A_confined_worker_carries_a_report_that_was_proven(string level)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        await using var pool = await StartAsync(level == "Strict" ? ConfinementPolicy.Strict : ConfinementPolicy.Restricted);
        var report = pool.Confinement!;
        Assert.True(report.IsProven);
        Assert.True(report.IsComplete, $"Expected every layer to hold:\n{report}");
        Assert.Equal(LayerState.Enforced, report[ConfinementLayer.Files].State);
        Assert.StartsWith("Landlock ABI ", report[ConfinementLayer.Files].Mechanism);
    }

    [Fact]
    public async Task What_is_granted_can_be_read_and_written_and_nothing_beside_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        var folder = Directory.CreateTempSubdirectory("processpool-tests-").FullName;
        try
        {
            var (readable, writable, other) = (Directory.CreateDirectory(Path.Combine(folder, "readable")).FullName, Directory.CreateDirectory(Path.Combine(folder, "writable")).FullName, Path.Combine(folder, "other"));
            await File.WriteAllTextAsync(Path.Combine(readable, "a"), "read me");
            await File.WriteAllTextAsync(other, "not me");
            await using var pool = await StartAsync(ConfinementPolicy.Strict with { ReadablePaths = [readable], WritablePaths = [writable] });
            Assert.Equal("read me", await pool.InvokeAsync<string>("Read", [Path.Combine(readable, "a")]));
            await pool.InvokeAsync("Write", [Path.Combine(writable, "b"), "written"]);
            Assert.Equal("written", await File.ReadAllTextAsync(Path.Combine(writable, "b")));
            await RefusedAsync("Read", other);
            await RefusedAsync("Write", Path.Combine(readable, "a"), "changed");
            await RefusedAsync("Write", Path.Combine(folder, "new"), "made");

            async Task RefusedAsync(string entryPoint, params object?[] arguments) =>
                Assert.Equal("System.UnauthorizedAccessException", (await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<JsonElement>(entryPoint, CallArguments.Create(arguments)))).Error.Type);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_weakening_gives_back_what_it_names()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        await using var pool = await StartAsync(ConfinementPolicy.Restricted with { Weakenings = [Weakening.ChildProcesses, Weakening.InheritedEnvironment] });
        Assert.Equal(0, await pool.InvokeAsync<int>("Run", ["/bin/true"]).Within("the program ends"));
        // The tests' own, of Pools.cs.
        Assert.Equal("0", await pool.InvokeAsync<string>("Variable", ["DOTNET_TC_CallCounting"]));
        Assert.Equal(LayerState.NotAsked, pool.Confinement![ConfinementLayer.ChildProcesses].State);
        Assert.Equal(LayerState.Enforced, pool.Confinement[ConfinementLayer.Files].State);
    }

    [Fact]
    public async Task Ports_that_are_weakened_can_be_connected_to_and_no_others()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        using var granted = new TcpListener(IPAddress.Loopback, 0);
        using var other = new TcpListener(IPAddress.Loopback, 0);
        granted.Start();
        other.Start();
        var (port, otherPort) = (((IPEndPoint)granted.LocalEndpoint).Port, ((IPEndPoint)other.LocalEndpoint).Port);
        await using (var pool = await StartAsync(ConfinementPolicy.Strict with { Weakenings = [Weakening.ConnectTo(port)] }))
        {
            Assert.Equal("connected", await pool.InvokeAsync<string>("Connect", [port]).Within("the connection is made"));
            Assert.Equal("AccessDenied", await pool.InvokeAsync<string>("Connect", [otherPort]).Within("the connection is refused"));
            Assert.Equal(LayerState.Partial, pool.Confinement![ConfinementLayer.Network].State);
        }

        await using var open = await StartAsync(ConfinementPolicy.Strict with { Weakenings = [Weakening.Network] });
        Assert.Equal("connected", await open.InvokeAsync<string>("Connect", [otherPort]).Within("the connection is made"));
    }

    [Fact]
    public async Task A_script_of_a_stranger_runs_with_the_one_weakening_that_its_compiler_needs()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        var options = Pools.Options(Path.Combine(Repository.Plugins, "CSharpScript"));
        options.Confinement = ConfinementPolicy.Strict with { Weakenings = [Weakening.SharedMemory] };
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        Assert.Equal("42", await pool.InvokeAsync<string>("EvaluateAsync", ["6 * 7"]));
        var refused = await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<string>("EvaluateAsync", ["System.IO.File.ReadAllText(\"/etc/passwd\")"]));
        Assert.Equal("System.UnauthorizedAccessException", refused.Error.Type);
    }

    [Fact]
    public async Task A_folder_that_leads_to_what_runs_is_not_granted_for_writing_however_it_is_written()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        var folder = Directory.CreateTempSubdirectory("processpool-tests-").FullName;
        try
        {
            var home = Path.GetDirectoryName(Plugin)!;
            var link = Directory.CreateSymbolicLink(Path.Combine(folder, "link"), Path.GetDirectoryName(home)!).FullName;
            string[] written = [home, Path.Combine(link, Path.GetFileName(home)), Path.Combine(home, "..", Path.GetFileName(home)), Path.Combine(folder, "link", "..") + "/", Path.GetTempPath()];
            foreach (var path in written)
            {
                var refused = await Assert.ThrowsAsync<ConfinementException>(() => StartAsync(ConfinementPolicy.Restricted with { WritablePaths = [path] }));
                Assert.Contains("change what runs from", refused.Message);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_policy_that_lets_workers_read_each_others_folders_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        var refused = await Assert.ThrowsAsync<ConfinementException>(() => StartAsync(ConfinementPolicy.Restricted with { ReadablePaths = ["/"] }));
        Assert.Contains("the scratch folders of other workers", refused.Message);
    }

    [Fact]
    public async Task A_worker_opens_the_GPU_that_it_was_given_and_no_other()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        Assert.SkipUnless(Environment.UserName == "root" && !Path.Exists("/dev/nvidia0"), "It takes root, and a machine without GPUs, to make device files that look like them.");
        string[] devices = ["/dev/nvidia0", "/dev/nvidia1"];
        try
        {
            Assert.SkipUnless(devices.All(Targets.MakeNullDevice), "No device files can be made here.");
            var options = Pools.Options(Plugin, workers: 2);
            options.Confinement = ConfinementPolicy.Restricted;
            options.GpuAssignment = GpuAssignment.RoundRobin(0, 1);
            await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
            await using var one = await pool.LeaseAsync();
            await using var other = await pool.LeaseAsync();
            Assert.Equal(["no,yes", "yes,no"], new[] { await one.InvokeAsync<string>("Opens", [devices]), await other.InvokeAsync<string>("Opens", [devices]) }.Order());

            options.GpuAssignment = null;
            options.Gpu = GpuAccess.Off;
            await using var without = await SandboxPool.StartAsync(options).Within("the pool starts");
            Assert.Equal("no,no", await without.InvokeAsync<string>("Opens", [devices]));
            Assert.Equal(LayerState.Enforced, without.Confinement![ConfinementLayer.Gpu].State);
        }
        finally
        {
            Array.ForEach(devices, File.Delete);
        }
    }

    [Fact]
    public async Task The_doctor_says_layer_by_layer_what_this_machine_can_enforce()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        var result = await Cli.RunAsync("doctor", "--json");
        using var levels = JsonDocument.Parse(result.Output);
        Assert.Equal(["limits", "restricted", "strict"], levels.RootElement.EnumerateArray().Select(level => level.GetProperty("level").GetString()));
        var strict = levels.RootElement[2];
        Assert.True(strict.GetProperty("isProven").GetBoolean());
        Assert.Contains(strict.GetProperty("layers").EnumerateArray(), layer => layer.GetProperty("layer").GetString() == "files" && layer.GetProperty("state").GetString() == "enforced");
    }

    [Fact]
    public async Task The_command_line_confines_as_it_is_told()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Confinement is for Linux.");
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "content");
            var refused = await Cli.RunAsync("run", Plugin, "Read", file, "--confine", "restricted");
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains("UnauthorizedAccessException", refused.Error);
            Assert.Equal("\"content\"\n", (await Cli.RunAsync("run", Plugin, "Read", file, "--confine", "Strict", "--allow-read", file, "--memory", "512M")).Output);
            (string Option, string Value, string Answer)[] wrong = [("--memory", "lots", "'lots' is not a size"), ("--cpus", "0,5", "'0,5' is not a number of processors"), ("--threads", "99999999999", "is not a number of threads"), ("--allow-read", "", "has an empty path"), ("--confine", "tight", "'tight' is not a level")];
            foreach (var (option, value, answer) in wrong)
            {
                var usage = await Cli.RunAsync("run", Plugin, "Read", file, option, value);
                Assert.Equal((2, true), (usage.ExitCode, usage.Error.Contains(answer, StringComparison.Ordinal)));
            }

            Assert.Contains("take ConfinementPolicy.Restricted", (await Cli.RunAsync("run", Plugin, "Read", file, "--allow-read", file)).Error);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Task<SandboxPool> StartAsync(ConfinementPolicy policy)
    {
        var options = Pools.Options(Plugin);
        options.Confinement = policy;
        return SandboxPool.StartAsync(options).Within("the pool starts");
    }
}
