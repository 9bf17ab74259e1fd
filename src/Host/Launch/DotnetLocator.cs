using System.Runtime.InteropServices;
using ProcessPool.Plugins;

namespace ProcessPool.Launch;

/// <summary>Finds the <c>dotnet</c> that runs sandboxes: the one that runs this process where possible, then those that any program of .NET would find.</summary>
/// <param name="processPath">This process's program.</param>
/// <param name="runtimeDirectory">Where this process's runtime is.</param>
/// <param name="variable">Reads an environment variable.</param>
/// <param name="readLine">Reads the first line of a file; null when there is none.</param>
/// <param name="look">What is wrong with a <c>dotnet</c> at a path; null when it will do.</param>
internal sealed class DotnetLocator(string? processPath, string runtimeDirectory, Func<string, string?> variable, Func<string, string?> readLine, Func<string, string?> look)
{
    private static readonly FrameworkNeed OfSandbox = new(FrameworkNeed.Core, new Version(10, 0));
    private static readonly string Name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";

    /// <summary>On this machine, for this process.</summary>
    public static DotnetLocator Here { get; } = new(Environment.ProcessPath, RuntimeEnvironment.GetRuntimeDirectory(), Environment.GetEnvironmentVariable, ReadLine, Look);

    /// <summary>The program; null when there is none that could run a sandbox.</summary>
    public string? Find() => Places().Select(place => place.Path).OfType<string>().FirstOrDefault(path => look(path) is null);

    /// <summary>Where it was looked for, and what was there.</summary>
    public string Describe() => string.Join("; ", Places().Select(place => $"{place.Name}: {(place.Path is null ? "none" : $"{place.Path} {look(place.Path)}")}"));

    private IEnumerable<(string Name, string? Path)> Places()
    {
        yield return ("DOTNET_HOST_PATH", Value("DOTNET_HOST_PATH"));
        yield return ("this program", Path.GetFileName(processPath) == Name ? processPath : null);
        yield return ("this program's runtime", AboveRuntime());
        var architecture = RuntimeInformation.ProcessArchitecture.ToString().ToUpperInvariant();
        foreach (var root in new[] { $"DOTNET_ROOT_{architecture}", "DOTNET_ROOT" })
        {
            yield return (root, Below(Value(root)));
        }

        if (OperatingSystem.IsWindows())
        {
            yield return ("the usual place", Below(Value("ProgramFiles"), "dotnet"));
        }
        else
        {
            foreach (var file in new[] { $"/etc/dotnet/install_location_{architecture.ToLowerInvariant()}", "/etc/dotnet/install_location" })
            {
                yield return (file, Below(readLine(file)?.Trim()));
            }

            foreach (var folder in OperatingSystem.IsMacOS() ? new[] { "/usr/local/share/dotnet" } : ["/usr/share/dotnet", "/usr/lib/dotnet"])
            {
                yield return ("the usual place", Below(folder));
            }
        }

        foreach (var folder in (Value("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Where(Path.IsPathRooted))
        {
            yield return ("PATH", Below(folder));
        }
    }

    private string? Value(string name) => variable(name) is { Length: > 0 } value ? value : null;

    // <root>/shared/Microsoft.NETCore.App/<version>/; the runtime of a self-contained program lies elsewhere, and what is above that is anybody's.
    private string? AboveRuntime()
    {
        var framework = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(runtimeDirectory));
        return Path.GetFileName(framework) == FrameworkNeed.Core && Path.GetDirectoryName(framework) is { } shared && Path.GetFileName(shared) == "shared" ? Below(Path.GetDirectoryName(shared)) : null;
    }

    private static string? Below(string? folder, string below = "") => string.IsNullOrEmpty(folder) ? null : Path.Combine(folder, below, Name);

    private static string? ReadLine(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadLines(file).FirstOrDefault() : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What is wrong with a <c>dotnet</c> on this machine; null when it will do.</summary>
    public static string? Look(string path)
    {
        if (!File.Exists(path))
        {
            return "is not there";
        }

        try
        {
            var installed = new InstalledFrameworks(path);
            return installed.Has(OfSandbox) ? null : $"has no .NET {OfSandbox.Version} or later in {installed.Location}";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"cannot be looked at: {exception.Message}";
        }
    }
}
