using System.Runtime.Versioning;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ProcessPool.Confining;
using ProcessPool.Confining.Linux;
using ProcessPool.Protocol;

namespace ProcessPool.Launch;

/// <summary>What the pool's policy means for the start of one sandbox, and what was achieved of it. Linux. On Windows there is a job object, of which the report says nothing because it was never tried; elsewhere nothing is confined, and the report says so.</summary>
/// <param name="settings">The pool's.</param>
/// <param name="dotnet">The program that runs the sandbox.</param>
/// <param name="sandbox">The sandbox program.</param>
/// <param name="plugin">The plugin's entry assembly.</param>
/// <param name="scratch">The sandbox's scratch folder.</param>
/// <param name="index">The worker's index.</param>
/// <param name="site">For errors.</param>
internal sealed class ConfinedLaunch(PoolSettings settings, string dotnet, string sandbox, string plugin, ScratchDirectory scratch, int index, FaultSite site) : IDisposable
{
    // Starts a program with limits, without a shell: part of util-linux.
    private static readonly string? Prlimit = new[] { "/usr/bin/prlimit", "/bin/prlimit" }.FirstOrDefault(File.Exists);

    // A host that could not end a sandbox of another user, or not see what it does, does not give it one.
    private readonly ConfinementPolicy _policy = settings.Confinement is { UserId: not null } policy && OperatingSystem.IsLinux() && Capabilities.MissingForUsers.Count > 0 ? policy with { UserId = null } : settings.Confinement;
    private string? _canary;
    private ControlGroup? _group;
    private JobObject? _job;

    private IEnumerable<string> Readable =>
    [
        // Not the whole folder: a user's own has his keys beside the runtime.
        Path.Combine(RealFolderOf(dotnet), "host"), Path.Combine(RealFolderOf(dotnet), "shared"), Path.GetDirectoryName(sandbox)!, Path.GetDirectoryName(plugin)!, scratch.RuntimeOptions, .. GrantedFiles.Readable,
        .. _policy.IsSandbox && !_policy.Denies(ConfinementLayer.Network) ? GrantedFiles.ForNetwork : [],
        .. _policy.IsSandbox && !_policy.Denies(ConfinementLayer.ChildProcesses) ? GrantedFiles.ForChildren : [],
        .. settings.Gpu == GpuAccess.On ? GrantedFiles.OfDrivers : [],
        .. _policy.ReadablePaths,
    ];

    private IEnumerable<string> Writable => [scratch.Path, "/dev/null", .. _policy.WritablePaths];

    private IEnumerable<string> Devices => settings.Gpu == GpuAccess.On ? GrantedFiles.OfGpu(settings.GpuAssignment?.DeviceOf(index)) : [];

    /// <summary>The program and its first arguments, before those of <c>dotnet</c>.</summary>
    public (string Program, IEnumerable<string> Arguments) Program() =>
        OperatingSystem.IsLinux() && _policy is { IsSandbox: false, Level: ConfinementLevel.Limits, HasResourceLimits: true } && Prlimit is not null
            ? (Prlimit, [.. ResourceLimits.CommandLine(ResourceLimits.Of(_policy)), dotnet])
            : (dotnet, []);

    /// <summary>What the environment has besides; on the spawner thread, when the descriptors are known.</summary>
    /// <exception cref="ConfinementException">There is no place for a file that must not be readable.</exception>
    public void AddTo(IDictionary<string, string?> environment, SandboxArguments pipes)
    {
        if (!OperatingSystem.IsLinux() || _policy.Level == ConfinementLevel.None)
        {
            return;
        }

        if (_policy.IsSandbox)
        {
            // No socket in a folder that others use; the private folder for what is temporary; no writable mapping of code beside its executable one.
            environment["DOTNET_EnableDiagnostics"] = "0";
            environment["HOME"] = environment["TMPDIR"] = scratch.Path;
            if (_policy.Denies(ConfinementLayer.SharedMemory))
            {
                environment["DOTNET_EnableWriteXorExecute"] = "0";
            }

            RefuseGrants();
            _canary = MakeCanary();
        }

        var text = (_policy.IsSandbox
            ? new PolicyText(_policy, scratch.Path, [.. Readable], [.. Devices], [RealPath.Of(dotnet), .. GrantedFiles.Loaders], pipes.Descriptors, _canary!, Environment.ProcessId)
            : new PolicyText(_policy, "", [], [], [], pipes.Descriptors, "", Environment.ProcessId)).Write();
        if (Encoding.UTF8.GetByteCount(text) > PolicyText.MaxBytes)
        {
            throw new ConfinementException($"The policy grants so many paths ({_policy.ReadablePaths.Length + _policy.WritablePaths.Length}) that they cannot be passed to a process. Grant folders that contain them.", null, site);
        }

        environment[PolicyText.Variable] = text;
    }

    /// <summary>What the host does to the process, before the sandbox is told of a plugin. What fails is missing from the report.</summary>
    public void Take(int processId, SafeProcessHandle process)
    {
        try
        {
            if (OperatingSystem.IsWindows() && _policy.Level != ConfinementLevel.None)
            {
                _job = JobObject.TryMake(_policy, process);
            }

            if (OperatingSystem.IsLinux() && ControlGroup.Parent is { } parent)
            {
                _group = ControlGroup.Make(parent, $"processpool-{Environment.ProcessId}-{Path.GetFileName(scratch.Path)}", _policy);
                _group?.Add(processId);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _group?.Dispose();
            _group = null;
        }
    }

    /// <summary>What was achieved.</summary>
    /// <param name="proof">What the sandbox has tried; null below Restricted.</param>
    /// <param name="processId">The sandbox.</param>
    /// <exception cref="FormatException">It is no proof.</exception>
    public ConfinementReport Examine(string? proof, int processId)
    {
        if (!OperatingSystem.IsLinux())
        {
            // Nothing is looked at there: nothing is said to hold.
            return new ReportMaker(settings.Confinement, null, null, settings.Gpu == GpuAccess.Off, []).Make();
        }

        DeleteCanary();
        var view = Look(processId);
        List<string> granted = [.. Readable, .. Writable];
        return new ReportMaker(settings.Confinement, proof is null ? null : ConfinementProof.Read(proof), view, settings.Gpu == GpuAccess.Off, [.. view?.OpenFiles.Where(file => IsStrange(file, granted)) ?? []], layer => _group?.Bounds(processId, _policy, layer) == true).Make();
    }

    /// <summary>Ends all that is in the sandbox's group, if it has one.</summary>
    public void Kill() => _group?.Kill();

    public void Dispose()
    {
        DeleteCanary();
        _group?.Dispose();
        if (OperatingSystem.IsWindows())
        {
            _job?.Dispose();
        }
    }

    // Where /proc does not show it (gVisor), nothing was seen, and nothing is said to hold because of that.
    [SupportedOSPlatform("linux")]
    private static ProcessView? Look(int processId)
    {
        try
        {
            return ProcessView.Of(processId);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return null;
        }
    }

    private bool IsStrange(string file, List<string> granted) => !(file.StartsWith("pipe:", StringComparison.Ordinal) || file.StartsWith("anon_inode:", StringComparison.Ordinal) || file.StartsWith("/memfd:", StringComparison.Ordinal)
        // The runtime's own, for debuggers; none from Restricted up.
        || !_policy.IsSandbox && file.StartsWith("socket:", StringComparison.Ordinal)
        || granted.Exists(path => IsIn(file, path)));

    // What a plugin writes there would run unconfined: in the next sandbox before it is confined, or in this program. And the other workers' scratch folders are theirs.
    private void RefuseGrants()
    {
        var others = RealFolderOf(scratch.Path);
        string[] trusted = [RealFolderOf(dotnet), RealFolderOf(sandbox), RealFolderOf(plugin), RealPath.Of(AppContext.BaseDirectory), others];
        if (_policy.ReadablePaths.Append(Path.GetDirectoryName(plugin)!).FirstOrDefault(path => IsIn(others, RealPath.Of(path))) is { } readable)
        {
            throw new ConfinementException($"The policy lets the plugin read {readable}, and so the scratch folders of other workers in {others}. Grant less, give the plugin a folder of its own, or set TMPDIR to a folder elsewhere.", null, site);
        }

        foreach (var path in _policy.WritablePaths)
        {
            if (trusted.FirstOrDefault(folder => IsIn(RealPath.Of(path), folder) || IsIn(folder, RealPath.Of(path))) is { } touched)
            {
                throw new ConfinementException($"The policy lets the plugin write {path}, and so change what runs from {touched}. Grant a folder that holds data alone.", null, site);
            }
        }
    }

    // The host can read it, and the sandbox must not: so it lies where nothing is granted.
    [UnsupportedOSPlatform("windows")]
    private string MakeCanary()
    {
        var granted = Readable.Concat(Writable).Select(RealPath.Of).ToList();
        foreach (var place in new[] { Path.GetTempPath(), "/var/tmp", "/dev/shm", Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "/run/user" })
        {
            try
            {
                if (place.Length == 0 || granted.Any(path => IsIn(RealPath.Of(place), path)))
                {
                    continue;
                }

                var folder = Directory.CreateDirectory(Path.Combine(place, $"processpool-canary-{Guid.NewGuid():N}")).FullName;
                var canary = Path.Combine(folder, "canary");
                File.WriteAllText(canary, "A sandbox that can read this is not confined.");

                // For everybody: a refusal is then the sandbox's confinement, and not that it is another user.
                File.SetUnixFileMode(canary, (UnixFileMode)0b110_110_110);
                File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
                return canary;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The next one.
            }
        }

        throw new ConfinementException("The policy grants every place where a file could be made that must not be readable: whether the sandbox is confined cannot be tried. Grant less than the whole file system and all of its temporary folders.", null, site);
    }

    private void DeleteCanary()
    {
        if (_canary is { } canary)
        {
            _canary = null;
            try
            {
                Directory.Delete(Path.GetDirectoryName(canary)!, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Somebody who cleans temporary folders was here before, or put something there.
            }
        }
    }

    private static bool IsIn(string path, string folder) => path == folder || path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + "/", StringComparison.Ordinal) || folder == "/";

    private static string RealFolderOf(string path) => Path.GetDirectoryName(RealPath.Of(path))!;
}
