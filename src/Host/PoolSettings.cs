using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ProcessPool.Binding.Contracts;
using ProcessPool.Binding.Payload;
using ProcessPool.Calls;
using ProcessPool.Diagnostics;
using ProcessPool.Protocol;
using ProcessPool.Telemetry;

namespace ProcessPool;

/// <summary>The options, checked and frozen.</summary>
internal sealed record PoolSettings
{
    private const int MaxMessageBytesLimit = 1024 * 1024 * 1024;
    private const int MaxWorkers = 10_000;
    private const long MinMemoryLimit = 32 * 1024 * 1024;
    // A slot has five restarts without a completed call: a call that always kills must not use them up.
    public const int MaxRetries = 3;
    private const int MaxQueueCapacity = 1_000_000_000;
    private const int QueuePerWorker = 16;

    // What every kind of timer can take.
    public static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    public required string PluginPath { get; init; }
    public required string Name { get; init; }
    public required int RequestedWorkers { get; init; }
    public required int Workers { get; init; }
    public required int MinWorkers { get; init; }
    public required bool Debug { get; init; }
    public required IReadOnlyDictionary<string, string?> Environment { get; init; }
    public required Func<int, IEnumerable<KeyValuePair<string, string?>>>? WorkerEnvironment { get; init; }
    public required bool InheritEnvironment { get; init; }
    public required GpuAccess Gpu { get; init; }
    public required GpuAssignment? GpuAssignment { get; init; }
    public required ConfinementPolicy Confinement { get; init; }
    public required string? WorkingDirectory { get; init; }
    public required int QueueCapacity { get; init; }
    public required WhenFull WhenFull { get; init; }
    public required TimeSpan? QueueTimeout { get; init; }
    public required RestartPolicy Restart { get; init; }
    public required RecyclePolicy Recycle { get; init; }
    public required int Standby { get; init; }
    public required long? MemoryLimit { get; init; }
    public required int MaxMessageBytes { get; init; }
    public required TimeSpan StartTimeout { get; init; }
    public required TimeSpan? CallTimeout { get; init; }
    public required TimeSpan CancelGrace { get; init; }
    public required TimeSpan StopTimeout { get; init; }
    public required int Retries { get; init; }
    public required int MaxCallbacksPerSecond { get; init; }
    public required IReadOnlyDictionary<string, string> PluginSettings { get; init; }
    public required IReadOnlyList<Type> Contracts { get; init; }
    public required PayloadJson Json { get; init; }
    public required HostServices Services { get; init; }
    public required ILogger Logger { get; init; }
    public required PluginLoggers PluginLoggers { get; init; }
    public PluginSources PluginSources { get; } = new();
    public required TimeProvider Time { get; init; }

    /// <summary>How many items of a map may be under way at least: enough to keep the queue full.</summary>
    public int MapWindow => QueueCapacity + Workers;

    /// <summary>Everything that is wrong with the options, a line each.</summary>
    public static List<string> FaultsOf(SandboxPoolOptions options)
    {
        var faults = new List<string>();
        Require(!string.IsNullOrWhiteSpace(options.Plugin), "Plugin is not set: give the plugin's folder or its DLL.");
        Require(options.Name is null || options.Name.Trim().Length > 0, "Name is empty: leave it null to use the plugin's name.");
        var processors = System.Environment.ProcessorCount;
        var workers = options.Workers.Resolve(processors, options.AllowOversubscription);
        Require(workers <= MaxWorkers, $"Workers is {workers}; it must be at most {MaxWorkers}.");
        Require(options.MinWorkers is null || options.MinWorkers >= 1 && options.MinWorkers <= options.Workers.Resolve(processors, allowOversubscription: true), $"MinWorkers is {options.MinWorkers}; it must be from 1 to Workers ({options.Workers.Resolve(processors, allowOversubscription: true)}).");
        Require(options.QueueCapacity is null or (>= 1 and <= MaxQueueCapacity), $"QueueCapacity is {options.QueueCapacity}; it must be from 1 to {MaxQueueCapacity}.");
        Require(options.MaxMessageBytes is >= WireLimits.MinMessageBytes and <= MaxMessageBytesLimit,
            $"MaxMessageBytes is {options.MaxMessageBytes}; it must be from {WireLimits.MinMessageBytes} (2 MiB) to {MaxMessageBytesLimit} (1 GiB).");
        RequirePositive(options.StartTimeout, nameof(options.StartTimeout));
        RequirePositive(options.CallTimeout ?? Longest, nameof(options.CallTimeout));
        RequirePositive(options.QueueTimeout ?? Longest, nameof(options.QueueTimeout));
        Require(Enum.IsDefined(options.WhenFull), $"WhenFull is {options.WhenFull}; it must be Wait or Reject.");
        Require(Enum.IsDefined(options.Gpu), $"Gpu is {options.Gpu}; it must be Off or On.");
        Require(options.Confinement is not null, "Confinement is null: take ConfinementPolicy.None.");
        faults.AddRange(options.Confinement?.Faults() ?? []);
        Require(!options.Debug || options.Confinement is null or { IsSandbox: false, HasLimits: false }, "Confinement does not go with Debug: there is no process to confine.");
        Require(options.Standby is >= 0 and <= MaxWorkers, $"Standby is {options.Standby}; it must be from 0 to {MaxWorkers}.");
        Require(options.MemoryLimit is null or >= MinMemoryLimit, $"MemoryLimit is {options.MemoryLimit}; it must be at least {MinMemoryLimit} (32 MiB), less than an idle sandbox needs.");
        Require(!options.Debug || options.MemoryLimit is null && options.Recycle?.AboveMemory is null, "MemoryLimit and Recycle.AboveMemory do not go with Debug: there is no process to measure.");
        Require(options.Restart is not null, "Restart is null.");
        Require(options.Recycle is not null, "Recycle is null.");
        faults.AddRange(options.Restart?.Faults() ?? []);
        faults.AddRange(options.Recycle?.Faults(options.MemoryLimit) ?? []);
        Require(options.CancelGrace >= TimeSpan.Zero && options.CancelGrace <= Longest, $"CancelGrace is {options.CancelGrace}; it must be from zero to {Longest.Days} days.");
        Require(options.StopTimeout >= TimeSpan.Zero && options.StopTimeout <= Longest, $"StopTimeout is {options.StopTimeout}; it must be from zero to {Longest.Days} days.");
        Require(options.WorkingDirectory is null || Directory.Exists(options.WorkingDirectory),
            $"WorkingDirectory '{options.WorkingDirectory}' does not exist.");
        Require(options.Retries is >= 0 and <= MaxRetries, $"Retries is {options.Retries}; it must be from 0 to {MaxRetries}.");
        Require(options.MaxCallbacksPerSecond >= 1, $"MaxCallbacksPerSecond is {options.MaxCallbacksPerSecond}; it must be at least 1.");
        faults.AddRange(options.Exposed.Select(exposed => HostServices.Fault(exposed.Service)).OfType<string>());
        faults.AddRange(options.Exposed.SelectMany(exposed => ContractRules.Members(exposed.Service).OfType<System.Reflection.MethodInfo>()).GroupBy(ContractRules.EntryPoint)
            .Where(group => group.Count() > 1).Select(group => $"{group.Key} is exposed twice: a plugin could not tell them apart."));
        foreach (var contract in options.Contracts)
        {
            try
            {
                ContractRules.RefuseUnsupported(contract);
            }
            catch (NotSupportedException exception)
            {
                faults.Add(exception.Message);
            }
        }

        Require(options.TimeProvider is not null, "TimeProvider is null.");
        foreach (var name in options.Environment.Keys.Where(name => name.Length == 0 || name.Contains('=') || name.Contains('\0')))
        {
            faults.Add($"Environment has the name '{name}', which no environment variable can have.");
        }

        Require(!options.Environment.Values.Any(value => value?.Contains('\0') == true), "Environment has a value with a zero character, which no environment variable can have.");

        return faults;

        void Require(bool condition, string fault)
        {
            if (!condition)
            {
                faults.Add(fault);
            }
        }

        void RequirePositive(TimeSpan value, string name) => Require(
            value > TimeSpan.Zero && value <= Longest, $"{name} is {value}; it must be above zero and at most {Longest.Days} days.");
    }

    /// <summary>Checks everything and reports every fault at once.</summary>
    /// <exception cref="ArgumentException">At least one option is out of range; the message has a line for each.</exception>
    public static PoolSettings From(SandboxPoolOptions options)
    {
        if (FaultsOf(options) is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join(System.Environment.NewLine, faults), nameof(options));
        }

        var processors = System.Environment.ProcessorCount;
        var workers = options.Workers.Resolve(processors, options.AllowOversubscription);
        var json = PayloadJson.ForHost(options.JsonTypeInfoResolver);
        var name = options.Name ?? NameOf(Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Plugin)));
        return new PoolSettings
        {
            Retries = options.Retries,
            MaxCallbacksPerSecond = options.MaxCallbacksPerSecond,
            PluginSettings = new Dictionary<string, string>(options.Settings),
            Contracts = [.. options.Contracts],
            Json = json,
            Services = new HostServices(options.Exposed, json),
            PluginPath = Path.GetFullPath(options.Plugin),
            Name = name,
            RequestedWorkers = options.Workers.Resolve(processors, allowOversubscription: true),
            Workers = workers,
            MinWorkers = Math.Min(options.MinWorkers ?? workers, workers),
            Debug = options.Debug,
            Environment = new Dictionary<string, string?>(options.Environment),
            WorkerEnvironment = options.WorkerEnvironment,
            InheritEnvironment = options.Confinement!.IsSandbox ? !options.Confinement.Denies(ConfinementLayer.Environment) : options.InheritEnvironment,
            Gpu = options.GpuAssignment is null ? options.Gpu : GpuAccess.On,
            GpuAssignment = options.GpuAssignment,
            Confinement = options.Confinement!,
            WorkingDirectory = options.WorkingDirectory is null ? null : Path.GetFullPath(options.WorkingDirectory),
            QueueCapacity = options.QueueCapacity ?? workers * QueuePerWorker,
            WhenFull = options.WhenFull,
            QueueTimeout = options.QueueTimeout,
            Restart = options.Restart!,
            Recycle = options.Recycle!,
            Standby = options.Standby,
            // Resident memory has more in it than the kernel's limit counts: the program's files, shared memory.
            MemoryLimit = options.MemoryLimit ?? options.Confinement.MemoryLimit + ConfinementPolicy.BesidePrivateMemory,
            MaxMessageBytes = options.MaxMessageBytes,
            StartTimeout = options.StartTimeout,
            CallTimeout = options.CallTimeout,
            CancelGrace = options.CancelGrace,
            StopTimeout = options.StopTimeout,
            Logger = (options.Logger ?? options.LoggerFactory?.CreateLogger($"{nameof(ProcessPool)}.{name}")) is { } logger ? new GuardedLogger(logger) : NullLogger.Instance,
            PluginLoggers = new PluginLoggers(options.LoggerFactory),
            Time = options.TimeProvider!,
        };
    }

    private static string NameOf(string plugin) => plugin.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) ? Path.GetFileNameWithoutExtension(plugin) : Path.GetFileName(plugin);
}
