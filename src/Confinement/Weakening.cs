using System.Collections.Immutable;
using System.Globalization;

namespace ProcessPool;

/// <summary>
/// Something that a level forbids and a policy allows all the same. A value of its own type, so that a search for <c>Weakening</c> finds every one in a program. Immutable.
/// </summary>
public sealed record Weakening
{
    private Weakening(string kind, string detail = "") => (Kind, Detail) = (kind, detail);

    /// <summary>The plugin may start other programs, which are confined like it. Any program that it may read can be started.</summary>
    public static Weakening ChildProcesses { get; } = new(nameof(ChildProcesses));

    /// <summary>All of the network over IPv4 and IPv6.</summary>
    public static Weakening Network { get; } = new(nameof(Network));

    /// <summary>The plugin may use memory that others can share (<see cref="ConfinementLevel.Strict"/> forbids it).</summary>
    public static Weakening SharedMemory { get; } = new(nameof(SharedMemory));

    /// <summary>The plugin may change modes, owners and times of every file that its user owns, also outside of what it may read (<see cref="ConfinementLevel.Strict"/> forbids it).</summary>
    public static Weakening FileAttributes { get; } = new(nameof(FileAttributes));

    /// <summary>The plugin has this process's environment.</summary>
    public static Weakening InheritedEnvironment { get; } = new(nameof(InheritedEnvironment));

    internal string Kind { get; }

    internal string Detail { get; }

    /// <summary>TCP connections to these ports of any machine, this one included. Names need ports 53 too. Where the kernel cannot tell ports apart (before Linux 6.7) the plugin is not loaded.</summary>
    /// <exception cref="ArgumentException">There is no port.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A port is not from 1 to 65,535.</exception>
    public static Weakening ConnectTo(params ReadOnlySpan<int> ports)
    {
        if (ports.Length == 0)
        {
            throw new ArgumentException("Give at least one port; Weakening.Network allows all of them.", nameof(ports));
        }

        foreach (var port in ports)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(port, 1, nameof(ports));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue, nameof(ports));
        }

        return new(nameof(ConnectTo), string.Join(',', ports.ToArray().Select(port => port.ToString(CultureInfo.InvariantCulture))));
    }

    /// <summary>Where this layer cannot be enforced the plugin is loaded all the same; the report says so.</summary>
    public static Weakening BestEffort(ConfinementLayer layer) => new(nameof(BestEffort), $"{layer}");

    /// <summary>What is allowed.</summary>
    public override string ToString() => Detail.Length == 0 ? Kind : $"{Kind}({Detail})";

    internal static Weakening Parse(string text) =>
        text.IndexOf('(', StringComparison.Ordinal) is > 0 and var at ? new(text[..at], text[(at + 1)..^1]) : new(text);

    internal ImmutableArray<int> Ports => Kind == nameof(ConnectTo) && Detail.Length > 0 ? [.. Detail.Split(',').Select(port => int.Parse(port, CultureInfo.InvariantCulture))] : [];
}
