using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ProcessPool.Launch;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

public sealed class DotnetLocatorTests
{
    private const string Runtime = "/runtime/shared/Microsoft.NETCore.App/10.0.1/";

    private static readonly string Architecture = RuntimeInformation.ProcessArchitecture.ToString();

    private static readonly Dictionary<string, string> Variables = new()
    {
        ["DOTNET_HOST_PATH"] = "/host/dotnet",
        [$"DOTNET_ROOT_{Architecture.ToUpperInvariant()}"] = "/root-of-architecture",
        ["DOTNET_ROOT"] = "/root",
        ["PATH"] = "/path-one:relative::/path-two",
    };

    private static readonly Dictionary<string, string> Files = new()
    {
        [$"/etc/dotnet/install_location_{Architecture.ToLowerInvariant()}"] = "/installed-for-architecture\n",
        ["/etc/dotnet/install_location"] = "/installed",
    };

    [Fact]
    public void Dotnet_is_the_one_that_runs_this_program_and_then_those_that_any_program_would_find()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The usual places are those of Linux.");
        string[] order =
        [
            "/host/dotnet", "/own/dotnet", "/runtime/dotnet", "/root-of-architecture/dotnet", "/root/dotnet", "/installed-for-architecture/dotnet", "/installed/dotnet",
            "/usr/share/dotnet/dotnet", "/usr/lib/dotnet/dotnet", "/path-one/dotnet", "/path-two/dotnet",
        ];
        Assert.Equal(order, order.Select((_, first) => Locator("/own/dotnet", Runtime, order[first..]).Find()));
        Assert.Null(Locator("/own/dotnet", Runtime, []).Find());
    }

    [Fact]
    public void A_program_that_is_not_dotnet_and_what_lies_above_the_runtime_of_a_self_contained_one_are_not_taken()
    {
        Assert.Null(Locator("/app/Program", Runtime, ["/app/Program"]).Find());
        Assert.Null(Locator("/home/me/app/Program", "/home/me/app/", ["/dotnet", "/home/dotnet", "/home/me/app/dotnet"]).Find());
    }

    [Fact]
    public void Where_there_is_none_every_place_is_named_with_what_was_there()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The usual places are those of Linux.");
        var locator = new DotnetLocator("/app/Program", "/app/", name => name == "DOTNET_ROOT" ? "/old" : null, _ => null, path => path == "/old/dotnet" ? "has no .NET 10.0 or later" : "is not there");
        Assert.Equal(
            $"DOTNET_HOST_PATH: none; this program: none; this program's runtime: none; DOTNET_ROOT_{Architecture.ToUpperInvariant()}: none; DOTNET_ROOT: /old/dotnet has no .NET 10.0 or later; "
            + $"/etc/dotnet/install_location_{Architecture.ToLowerInvariant()}: none; /etc/dotnet/install_location: none; the usual place: /usr/share/dotnet/dotnet is not there; the usual place: /usr/lib/dotnet/dotnet is not there",
            locator.Describe());
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void One_whose_frameworks_may_not_be_read_is_passed_over_and_told_of()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Modes are those of Linux.");
        var root = Directory.CreateTempSubdirectory("dotnet-").FullName;
        var framework = Path.Combine(root, "shared", "Microsoft.NETCore.App");
        Directory.CreateDirectory(Path.Combine(framework, "10.0.1"));
        File.WriteAllText(Path.Combine(root, "dotnet"), "");
        Assert.Null(DotnetLocator.Look(Path.Combine(root, "dotnet")));
        File.SetUnixFileMode(root, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(framework, UnixFileMode.None);
        try
        {
            var locator = new DotnetLocator(null, "/app/", name => name == "DOTNET_ROOT" ? root : null, _ => null, path => path.StartsWith(root, StringComparison.Ordinal) ? DotnetLocator.Look(path) : "is not there");
            OrdinaryUser.Run(() =>
            {
                Assert.Null(locator.Find());
                Assert.Contains($"DOTNET_ROOT: {root}/dotnet cannot be looked at: Access to the path '{framework}' is denied.", locator.Describe(), StringComparison.Ordinal);
            });
        }
        finally
        {
            Folders.Delete(root);
        }
    }

    private static DotnetLocator Locator(string program, string runtime, string[] usable) =>
        new(program, runtime, Variables.GetValueOrDefault, Files.GetValueOrDefault, path => usable.Contains(path) ? null : "is not there");
}
