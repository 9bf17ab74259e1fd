using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;

namespace ProcessPool;

/// <summary>How a pool lives with its host.</summary>
public sealed class PoolLifeOptions
{
    /// <summary>Whether the pool starts with the host, which has then started when its workers are ready. If not, <see cref="SandboxPool.StartAsync(CancellationToken)"/> is the application's to call. Default: true.</summary>
    public bool StartWithHost { get; set; } = true;

    /// <summary>How long calls that were made may take to end when the host stops, from zero to 24 days. Default: null, as long as the host waits (<c>HostOptions.ShutdownTimeout</c>, 30 s).</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The generated validator compares the values itself.")]
    [Range(typeof(TimeSpan), "00:00:00", "24.00:00:00")]
    public TimeSpan? DrainTimeout { get; set; }
}

[OptionsValidator]
internal sealed partial class PoolLifeOptionsValidator : IValidateOptions<PoolLifeOptions>;
