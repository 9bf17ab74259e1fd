using System.Collections.Immutable;

namespace ProcessPool;

/// <summary>Which of the machine's GPUs each worker gets. Immutable. Never tried with a real GPU.</summary>
/// <example><code>
/// new SandboxPoolOptions { Plugin = "plugins/Model", Workers = 4, GpuAssignment = GpuAssignment.RoundRobin(0, 1, 2, 3) }
/// </code></example>
public sealed class GpuAssignment
{
    private GpuAssignment(ImmutableArray<int> devices) => Devices = devices;

    internal ImmutableArray<int> Devices { get; }

    /// <summary>Worker 0 gets the first device, worker 1 the second …, and after the last one the first again.</summary>
    /// <param name="devices">Their numbers, in the order of their PCI addresses, from 0.</param>
    /// <exception cref="ArgumentException">There is none, or one is negative.</exception>
    public static GpuAssignment RoundRobin(params ReadOnlySpan<int> devices)
    {
        if (devices.Length == 0)
        {
            throw new ArgumentException("Give the number of at least one GPU.", nameof(devices));
        }

        foreach (var device in devices)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(device, nameof(devices));
        }

        return new GpuAssignment([.. devices]);
    }

    /// <summary>The device of a worker.</summary>
    /// <param name="worker">The worker's index, from 0.</param>
    public int DeviceOf(int worker) => Devices[worker % Devices.Length];
}
