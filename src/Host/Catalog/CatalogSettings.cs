using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProcessPool.Diagnostics;

namespace ProcessPool.Catalog;

/// <summary>The options, checked and frozen.</summary>
internal sealed record CatalogSettings(
    string Directory, Action<string, SandboxPoolOptions>? ConfigurePool, IReadOnlySet<string>? Trust, TimeSpan SettleTime, bool Watch, ILogger Logger, TimeProvider Time)
{
    /// <summary>Everything that is wrong with the options, a line each.</summary>
    public static List<string> FaultsOf(PluginCatalogOptions options)
    {
        var faults = new List<string>();
        if (string.IsNullOrWhiteSpace(options.Directory) || !System.IO.Directory.Exists(options.Directory))
        {
            faults.Add($"Directory '{options.Directory}' does not exist: make the drop folder first.");
        }
        else if (options.SnapshotDirectory is { } store && $"{Path.GetFullPath(store)}{Path.DirectorySeparatorChar}".StartsWith(Path.GetFullPath(options.Directory) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            faults.Add($"SnapshotDirectory '{store}' is in the drop folder: the copies would be taken for plugins.");
        }

        if (options.SettleTime <= TimeSpan.Zero || options.SettleTime > TimeSpan.FromHours(1))
        {
            faults.Add($"SettleTime is {options.SettleTime}; it must be above zero and at most 1 h.");
        }

        faults.AddRange((options.Trust ?? []).Where(digest => !IsDigest(digest)).Select(digest => $"Trust has '{digest}', which is not of the form sha256:<64 hexadecimal digits>."));
        if (options.TimeProvider is null)
        {
            faults.Add("TimeProvider is null.");
        }

        return faults;
    }

    /// <exception cref="ArgumentException">Options are out of range; the message has a line for each.</exception>
    public static CatalogSettings From(PluginCatalogOptions options) => FaultsOf(options) is { Count: > 0 } faults
        ? throw new ArgumentException(string.Join(Environment.NewLine, faults), nameof(options))
        : new CatalogSettings(
            Path.GetFullPath(options.Directory), options.ConfigurePool, options.Trust?.Select(digest => digest.ToLowerInvariant()).ToHashSet(), options.SettleTime, options.Watch,
            options.Logger is null ? NullLogger.Instance : new GuardedLogger(options.Logger), options.TimeProvider!);

    /// <summary>How the pool of one plugin is set up.</summary>
    /// <exception cref="PluginLoadException">The user's own set-up threw.</exception>
    public SandboxPoolOptions PoolOptions(string name, string snapshot)
    {
        var options = new SandboxPoolOptions { Workers = 1, Logger = Logger, TimeProvider = Time };
        try
        {
            ConfigurePool?.Invoke(name, options);
        }
        catch (Exception exception)
        {
            throw new PluginLoadException(LoadStage.Resolve, name, $"{name} cannot be set up: ConfigurePool threw {exception.GetType()}: {exception.Message}", inner: exception);
        }

        options.Name ??= name;
        options.Plugin = snapshot;
        return options;
    }

    private static bool IsDigest(string? text) =>
        text?.StartsWith(SnapshotStore.Prefix, StringComparison.OrdinalIgnoreCase) == true && text.Length == SnapshotStore.Prefix.Length + 64 && text[SnapshotStore.Prefix.Length..].All(char.IsAsciiHexDigit);
}
