using System.Globalization;

namespace ProcessPool.Confining;

/// <summary>A policy on its way to the sandbox: an environment variable, one line for each value. What a host adds to it, the sandbox needs to know.</summary>
/// <param name="Level">The level.</param>
/// <param name="Policy">The limits and weakenings.</param>
/// <param name="Readable">All that is granted for reading, the runtime and the plugin included.</param>
/// <param name="Writable">All that is granted for writing.</param>
/// <param name="Devices">Device files that are granted.</param>
/// <param name="Programs">What may be executed: the runtime's own program.</param>
/// <param name="Descriptors">Which descriptors the sandbox keeps.</param>
/// <param name="Canary">A file that must not be readable.</param>
/// <param name="Host">The host's process id.</param>
internal sealed record PolicyText(
    ConfinementLevel Level, ConfinementPolicy Policy, IReadOnlyList<string> Readable, IReadOnlyList<string> Writable, IReadOnlyList<string> Devices, IReadOnlyList<string> Programs,
    IReadOnlyList<int> Descriptors, string Canary, int Host)
{
    /// <summary>The variable's name.</summary>
    public const string Variable = "PROCESSPOOL_CONFINEMENT";

    /// <summary>The longest that one variable can be on Linux, less its name.</summary>
    public const int MaxBytes = 100_000;

    public string Write()
    {
        var lines = new List<string> { $"level={Level}", $"canary={Escape(Canary)}", Invariant($"host={Host}") };
        lines.AddRange(Readable.Select(path => "read=" + Escape(path)));
        lines.AddRange(Writable.Select(path => "write=" + Escape(path)));
        lines.AddRange(Devices.Select(path => "device=" + Escape(path)));
        lines.AddRange(Programs.Select(path => "execute=" + Escape(path)));
        lines.AddRange(Descriptors.Select(descriptor => Invariant($"keep={descriptor}")));
        lines.AddRange(Policy.Weakenings.Select(weakening => $"weaken={weakening}"));
        Add("memory", Policy.MemoryLimit);
        Add("cpu", Policy.CpuTimeLimit is { } time ? (long)Math.Ceiling(time.TotalSeconds) : null);
        Add("processes", Policy.MaxProcesses);
        Add("files", Policy.MaxOpenFiles);
        Add("filebytes", Policy.MaxFileBytes);
        return string.Join('\n', lines);

        void Add(string name, long? value)
        {
            if (value is { } number)
            {
                lines.Add(Invariant($"{name}={number}"));
            }
        }
    }

    /// <exception cref="FormatException">It is no policy.</exception>
    public static PolicyText Read(string text)
    {
        var values = text.Split('\n').Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2).ToLookup(pair => pair[0], pair => pair[1]);
        var level = Enum.Parse<ConfinementLevel>(values["level"].Single());
        var policy = level switch
        {
            ConfinementLevel.Restricted => ConfinementPolicy.Restricted,
            ConfinementLevel.Strict => ConfinementPolicy.Strict,
            ConfinementLevel.Limits => ConfinementPolicy.Limits,
            _ => ConfinementPolicy.None,
        };
        policy = policy with
        {
            Weakenings = [.. values["weaken"].Select(Weakening.Parse)],
            MemoryLimit = Number("memory"),
            CpuTimeLimit = Number("cpu") is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            MaxProcesses = (int?)Number("processes"),
            MaxOpenFiles = (int?)Number("files"),
            MaxFileBytes = Number("filebytes"),
        };
        return new PolicyText(
            level, policy, Paths("read"), Paths("write"), Paths("device"), Paths("execute"), [.. values["keep"].Select(number => int.Parse(number, CultureInfo.InvariantCulture))],
            Uri.UnescapeDataString(values["canary"].Single()), (int)Number("host")!.Value);

        long? Number(string name) => values[name].FirstOrDefault() is { } number ? long.Parse(number, CultureInfo.InvariantCulture) : null;
        string[] Paths(string name) => [.. values[name].Select(Uri.UnescapeDataString)];
    }

    private static string Escape(string path) => path.Replace("%", "%25", StringComparison.Ordinal).Replace("\n", "%0A", StringComparison.Ordinal).Replace("\r", "%0D", StringComparison.Ordinal);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
