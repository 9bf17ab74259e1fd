using System.Globalization;

namespace ProcessPool.Confining;

/// <summary>A policy on its way to the sandbox: an environment variable, one line for each value. What a host adds to it, the sandbox needs to know.</summary>
/// <param name="Policy">Level, limits and weakenings.</param>
/// <param name="Readable">All that is granted for reading, the runtime and the plugin included.</param>
/// <param name="Scratch">The scratch folder; "" below Restricted.</param>
/// <param name="Devices">Device files that are granted.</param>
/// <param name="Programs">What may be executed: the runtime's own program.</param>
/// <param name="Descriptors">Which descriptors the sandbox keeps.</param>
/// <param name="Canary">A file that must not be readable.</param>
/// <param name="Host">The host's process id.</param>
internal sealed record PolicyText(
    ConfinementPolicy Policy, string Scratch, IReadOnlyList<string> Readable, IReadOnlyList<string> Devices, IReadOnlyList<string> Programs,
    IReadOnlyList<int> Descriptors, string Canary, int Host)
{
    /// <summary>The variable's name.</summary>
    public const string Variable = "PROCESSPOOL_CONFINEMENT";

    /// <summary>The longest that one variable can be on Linux, less its name.</summary>
    public const int MaxBytes = 100_000;

    public string Write()
    {
        var lines = new List<string> { $"level={Policy.Level}", $"canary={Escape(Canary)}", $"scratch={Escape(Scratch)}", Invariant($"host={Host}") };
        lines.AddRange(Readable.Select(path => "read=" + Escape(path)));
        lines.AddRange(Policy.WritablePaths.Select(path => "write=" + Escape(path)));
        lines.AddRange(Devices.Select(path => "device=" + Escape(path)));
        lines.AddRange(Programs.Select(path => "execute=" + Escape(path)));
        lines.AddRange(Descriptors.Select(descriptor => Invariant($"keep={descriptor}")));
        lines.AddRange(Policy.Weakenings.Select(weakening => $"weaken={weakening}"));
        Add("memory", Policy.MemoryLimit);
        Add("cpu", Policy.CpuTimeLimit is { } time ? (long)Math.Ceiling(time.TotalSeconds) : null);
        Add("processes", Policy.MaxProcesses);
        Add("files", Policy.MaxOpenFiles);
        Add("filebytes", Policy.MaxFileBytes);
        Add("user", Policy.UserId);
        return string.Join('\n', lines);

        void Add(string name, long? value)
        {
            if (value is { } number)
            {
                lines.Add(Invariant($"{name}={number}"));
            }
        }
    }

    /// <remarks>Without generic code over own types: it runs at every start, before anything is compiled.</remarks>
    /// <exception cref="FormatException">It is no policy.</exception>
    public static PolicyText Read(string text)
    {
        var policy = ConfinementPolicy.None;
        var (canary, scratch, host) = ("", "", 0);
        var (readable, devices, programs) = (new List<string>(), new List<string>(), new List<string>());
        var descriptors = new List<int>();
        foreach (var line in text.Split('\n'))
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            if (at < 0)
            {
                throw new FormatException($"'{line}' is no line of a policy.");
            }

            var value = line[(at + 1)..];
            switch (line[..at])
            {
                case "level":
                    policy = policy with { Level = Enum.TryParse<ConfinementLevel>(value, out var level) ? level : throw new FormatException($"'{value}' is no level.") };
                    break;
                case "canary":
                    canary = Uri.UnescapeDataString(value);
                    break;
                case "scratch":
                    scratch = Uri.UnescapeDataString(value);
                    break;
                case "host":
                    host = (int)Number(value);
                    break;
                case "read":
                    readable.Add(Uri.UnescapeDataString(value));
                    break;
                case "write":
                    policy = policy with { WritablePaths = policy.WritablePaths.Add(Uri.UnescapeDataString(value)) };
                    break;
                case "device":
                    devices.Add(Uri.UnescapeDataString(value));
                    break;
                case "execute":
                    programs.Add(Uri.UnescapeDataString(value));
                    break;
                case "keep":
                    descriptors.Add((int)Number(value));
                    break;
                case "weaken":
                    policy = policy with { Weakenings = policy.Weakenings.Add(Weakening.Parse(value)) };
                    break;
                case "memory":
                    policy = policy with { MemoryLimit = Number(value) };
                    break;
                case "cpu":
                    policy = policy with { CpuTimeLimit = TimeSpan.FromSeconds(Number(value)) };
                    break;
                case "processes":
                    policy = policy with { MaxProcesses = (int)Number(value) };
                    break;
                case "files":
                    policy = policy with { MaxOpenFiles = (int)Number(value) };
                    break;
                case "filebytes":
                    policy = policy with { MaxFileBytes = Number(value) };
                    break;
                case "user":
                    policy = policy with { UserId = (int)Number(value) };
                    break;
                default:
                    throw new FormatException($"'{line}' is no line of a policy.");
            }
        }

        return new PolicyText(policy, scratch, readable, devices, programs, descriptors, canary, host);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static string Escape(string path) => path.Replace("%", "%25", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
