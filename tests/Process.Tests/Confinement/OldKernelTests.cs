using System.Runtime.InteropServices;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Confinement;

/// <summary>A kernel that lacks what a level needs: the plugin is not loaded, and the error names what is missing. The kernel is made older by a filter around the whole host.</summary>
public sealed class OldKernelTests
{
    private const int CreateLandlockRules = 444;
    private const int InstallFilter = 317;
    private const int CloseRange = 436;

    // Refuses one system call to itself and to what it starts, as if the kernel did not have it; then runs a program.
    private static readonly string Older = PluginSource.Members("""
        [EntryPoint] public static unsafe string[] Run(int call, string program, string[] arguments)
        {
            ulong Instruction(ushort code, byte ifTrue, byte ifFalse, uint operand) => code | (ulong)ifTrue << 16 | (ulong)ifFalse << 24 | (ulong)operand << 32;
            var filter = stackalloc ulong[4] { Instruction(0x20, 0, 0, 0), Instruction(0x15, 0, 1, (uint)call), Instruction(0x06, 0, 0, 0x00050026), Instruction(0x06, 0, 0, 0x7fff0000) };
            var installed = stackalloc ulong[2] { 4, (ulong)filter };
            if (prctl(38, 1, 0, 0, 0) != 0 || syscall(317, 1, 1, (nint)installed) != 0) { throw new InvalidOperationException("The filter was refused."); }
            var start = new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = System.Diagnostics.Process.Start(start);
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return [$"{process.ExitCode}", output, error.Result];
        }
        [DllImport("libc")] private static extern int prctl(int option, nint a, nint b, nint c, nint d);
        [DllImport("libc")] private static extern nint syscall(nint number, nint a, nint b, nint c);
        """, "Older");

    private static readonly string Plugin = PluginSource.Members("[EntryPoint] public static int One() => 1;", "Modest");

    [Theory]
    [InlineData(CreateLandlockRules, "Files, but the kernel has no Landlock: it needs Linux 5.13")]
    [InlineData(InstallFilter, "Network, but the kernel refuses system call filters")]
    [InlineData(CloseRange, "Descriptors, but the kernel, or a container's profile, refuses close_range: it needs Linux 5.11")]
    public async Task What_is_missing_is_named_and_the_plugin_is_not_loaded(int call, string missing)
    {
        var (exitCode, output, error) = await RunAsync(call, "--confine", "restricted");
        Assert.Equal("", output);
        Assert.Contains($"The plugin is not loaded: Restricted requires ", error);
        Assert.Contains(missing, error);
        Assert.Contains("processpool doctor", error);
        Assert.Equal("3", exitCode);
    }

    [Fact]
    public async Task Limits_hold_without_any_of_it() => Assert.Equal(("0", "1\n", ""), await RunAsync(CreateLandlockRules, "--confine", "limits"));

    private static async Task<(string ExitCode, string Output, string Error)> RunAsync(int call, params string[] options)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "The filter has the numbers of Linux on x64.");
        Pools.SkipWhenConfined("starts other programs");
        await using var pool = await Pools.StartAsync(Older);
        string[] arguments = ["exec", Cli.Program, "run", Plugin, "One", "--jobs", "1", .. options];
        var end = await pool.InvokeAsync<string[]>("Run", [call, "dotnet", arguments]).Within("the program ends");
        return (end[0], end[1], end[2]);
    }
}
