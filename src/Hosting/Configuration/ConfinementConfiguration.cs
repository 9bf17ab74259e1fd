using System.Globalization;

namespace ProcessPool.Hosting.Configuration;

/// <summary>The keys of a policy's section.</summary>
internal static class ConfinementConfiguration
{
    private static readonly Weakening[] Plain = [Weakening.ChildProcesses, Weakening.Network, Weakening.SharedMemory, Weakening.FileAttributes, Weakening.InheritedEnvironment];

    /// <summary>What the section makes of a policy.</summary>
    public static ConfinementPolicy Read(SectionReader keys, ConfinementPolicy policy)
    {
        keys.Choice<ConfinementLevel>(nameof(policy.Level), level => policy = policy with { Level = level });
        keys.List(nameof(policy.ReadablePaths), text => text, paths => policy = policy with { ReadablePaths = [.. paths] });
        keys.List(nameof(policy.WritablePaths), text => text, paths => policy = policy with { WritablePaths = [.. paths] });
        keys.List(nameof(policy.Weakenings), ParseWeakening, weakenings => policy = policy with { Weakenings = [.. weakenings] });
        keys.Bytes(nameof(policy.MemoryLimit), value => policy = policy with { MemoryLimit = value });
        keys.Time(nameof(policy.CpuTimeLimit), value => policy = policy with { CpuTimeLimit = value });
        keys.Fraction(nameof(policy.CpuRate), value => policy = policy with { CpuRate = value });
        keys.Number(nameof(policy.MaxThreads), value => policy = policy with { MaxThreads = value });
        keys.Number(nameof(policy.MaxProcesses), value => policy = policy with { MaxProcesses = value });
        keys.Number(nameof(policy.MaxOpenFiles), value => policy = policy with { MaxOpenFiles = value });
        keys.Bytes(nameof(policy.MaxFileBytes), value => policy = policy with { MaxFileBytes = value });
        keys.Bytes(nameof(policy.MaxScratchBytes), value => policy = policy with { MaxScratchBytes = value });
        keys.Number(nameof(policy.UserId), value => policy = policy with { UserId = value });
        return policy;
    }

    // As a report writes them: "Network", "ConnectTo(80,443)", "BestEffort(Files)".
    private static Weakening ParseWeakening(string text)
    {
        if (Plain.FirstOrDefault(weakening => string.Equals($"{weakening}", text, StringComparison.OrdinalIgnoreCase)) is { } plain)
        {
            return plain;
        }

        var at = text.IndexOf('(', StringComparison.Ordinal);
        var detail = at > 0 && text.EndsWith(')') ? text[(at + 1)..^1] : "";
        return (at > 0 ? text[..at] : "") switch
        {
            nameof(Weakening.ConnectTo) => Weakening.ConnectTo([.. detail.Split(',').Select(port => int.Parse(port, CultureInfo.InvariantCulture))]),
            nameof(Weakening.BestEffort) when SectionReader.NameIn<ConfinementLayer>(detail) is { } layer => Weakening.BestEffort(layer),
            _ => throw new FormatException($"expected one of {string.Join(", ", Plain.Select(weakening => $"{weakening}"))}, ConnectTo(443), BestEffort(Files)"),
        };
    }
}
