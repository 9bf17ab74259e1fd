using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;

namespace ProcessPool;

/// <summary>How a <see cref="SandboxPool"/> is set up. Copied when the pool is created; later changes have no effect.</summary>
public sealed class SandboxPoolOptions
{
    /// <summary>The plugin: a folder with one entry assembly, or the path of that DLL. Required.</summary>
    public string Plugin { get; set; } = "";

    /// <summary>The pool's name, a prefix of its workers' names. Default: the name of the plugin's folder, or of its DLL.</summary>
    public string? Name { get; set; }

    /// <summary>How many workers. Default: one for each processor. A number above the processors is clamped unless <see cref="AllowOversubscription"/>.</summary>
    public WorkerCount Workers { get; set; } = WorkerCount.All;

    /// <summary>
    /// How many workers are to be ready before the pool counts as started; the others start after them, while calls are served already, and the pool is
    /// <see cref="PoolState.Degraded"/> until they are there. From 1 to <see cref="Workers"/>. Default: null, all of them.
    /// </summary>
    public int? MinWorkers { get; set; }

    /// <summary>Allows more workers than processors, which suits calls that mostly wait. Default: false.</summary>
    public bool AllowOversubscription { get; set; }

    /// <summary>
    /// Runs the same sandbox program inside this process, in a load context of its own, so that a debugger sees the plugin.
    /// Semantics stay; isolation does not: a crash ends this process, <see cref="Environment"/> and <see cref="WorkingDirectory"/>
    /// are not applied, output is not captured. Default: false.
    /// </summary>
    public bool Debug { get; set; }

    /// <summary>
    /// Environment variables of the sandboxes; a null value removes one. In values, <c>{worker}</c> stands for the
    /// worker's index and <c>{pool}</c> for the pool's name. They win over everything the pool sets by itself. No two living workers have the same
    /// index: it runs from 0 to <see cref="Workers"/> - 1, and further where <see cref="Standby"/> or recycling keeps more of them alive.
    /// </summary>
    public IDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>Further variables for one worker, by its index; they win over <see cref="Environment"/>. Called at every start of a worker.</summary>
    public Func<int, IEnumerable<KeyValuePair<string, string?>>>? WorkerEnvironment { get; set; }

    /// <summary>
    /// Whether sandboxes inherit this process's environment (less runtime hooks such as <c>DOTNET_STARTUP_HOOKS</c> and <c>LD_PRELOAD</c>).
    /// If false they get only what a process needs to run: path, temporary folder, language, time zone. Default: true.
    /// </summary>
    public bool InheritEnvironment { get; set; } = true;

    /// <summary>Whether sandboxes may use GPUs. Default: <see cref="GpuAccess.Off"/>. Variables that you or this process's environment set win.</summary>
    public GpuAccess Gpu { get; set; } = GpuAccess.Off;

    /// <summary>
    /// Gives each worker one GPU, by the variables that CUDA and ROCm look at; <c>{gpu}</c> in <see cref="Environment"/> stands for its number. From <see cref="ConfinementLevel.Restricted"/> up only the device files of that one can be opened.
    /// <see cref="Gpu"/> is then <see cref="GpuAccess.On"/>. Variables in <see cref="Environment"/> win; those of this process's environment do not. Default: null.
    /// </summary>
    public GpuAssignment? GpuAssignment { get; set; }

    /// <summary>
    /// What the sandboxes may do: files, network, processes, resources. Default: <see cref="ConfinementPolicy.Limits"/>. From <see cref="ConfinementLevel.Restricted"/> up their environment is clean
    /// (<see cref="InheritEnvironment"/> has no effect; <see cref="Weakening.InheritedEnvironment"/> has) and their <c>HOME</c> and <c>TMPDIR</c> are the scratch folder; not in debug mode.
    /// </summary>
    public ConfinementPolicy Confinement { get; set; } = ConfinementPolicy.Limits;

    /// <summary>The sandboxes' working directory. Default: a private scratch folder for each worker, deleted when the worker ends.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>How many calls may wait for a worker, from 1 to 1,000,000,000. Default: 16 for each worker.</summary>
    public int? QueueCapacity { get; set; }

    /// <summary>What happens to a call when the queue is full. Default: <see cref="WhenFull.Wait"/>.</summary>
    public WhenFull WhenFull { get; set; } = WhenFull.Wait;

    /// <summary>How long a call may wait for a worker before it fails with <see cref="CallTimeoutException"/>; items of a map wait as long as it takes. Short calls are sent together, and one that stands behind a long one may begin late, by a quarter of this time or a second at most; below 100 ms they are sent one by one. Above zero and at most 24 days. Default: null, no limit.</summary>
    public TimeSpan? QueueTimeout { get; set; }

    /// <summary>How workers that died are replaced.</summary>
    public RestartPolicy Restart { get; set; } = new();

    /// <summary>When healthy workers are replaced by fresh ones. Default: only after an <see cref="OutOfMemoryException"/>.</summary>
    public RecyclePolicy Recycle { get; set; } = new();

    /// <summary>
    /// How many further workers are kept started and idle, to take the place of one that died or is recycled without its start being waited for. They
    /// have indexes too, after those of the first workers. From 0 to 10,000. Default: 0.
    /// </summary>
    public int Standby { get; set; }

    /// <summary>
    /// A worker whose process uses more resident memory than this, in bytes, is killed, and its call fails with <see cref="CrashReason.MemoryLimit"/>. Looked at
    /// four times a second, so a fast plugin gets further; its managed heap cannot (<c>DOTNET_GCHeapHardLimit</c>): there an allocation fails with <see cref="OutOfMemoryException"/>, which is the plugin's to handle. A worker is watched from when its process runs, while it loads its plugin too. At least 32 MiB. Default: null, no limit. Not in debug mode.
    /// </summary>
    public long? MemoryLimit { get; set; }

    /// <summary>The largest message in bytes, arguments or result with all their attachments. 2 MiB to 1 GiB. Default: 64 MiB.</summary>
    public int MaxMessageBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>How long each stage of a worker's start may take. Above zero and at most 24 days. Default: 30 s.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a call may execute before it fails with <see cref="CallTimeoutException"/> and its worker is replaced. A worker that was given the call and does not begin it, such as a process that was stopped, has the time twice. Above zero and at most 24 days. Default: null, no limit.</summary>
    public TimeSpan? CallTimeout { get; set; }

    /// <summary>
    /// How long a call that was cancelled may take to end before its worker is killed; one that timed out too, if its entry point takes a
    /// <see cref="CancellationToken"/> (otherwise its worker is killed at once). From zero to 24 days. Default: 2 s.
    /// </summary>
    public TimeSpan CancelGrace { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a worker that is told to stop may take before it is killed. From zero to 24 days. Default: 5 s.</summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often a call of an entry point with <see cref="IdempotentAttribute"/> may be made again when its worker died while executing it; other calls never are. Not within a
    /// lease, and not for calls with streams or progress handlers. From 0 to 3. Default: 0.
    /// </summary>
    public int Retries { get; set; }

    /// <summary>
    /// Contracts that host code will use (<see cref="SandboxPool.GetProxy{T}"/>, <see cref="SandboxPool.LeaseAsync{T}"/>): compared with the plugin's at start, before any process is
    /// started. A contract that is not listed is compared when it is used first.
    /// </summary>
    public ICollection<Type> Contracts { get; } = [];

    /// <summary>What the plugin finds in <see cref="IPluginContext.Settings"/>. Keys are case-sensitive.</summary>
    public IDictionary<string, string> Settings { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// How the types of arguments and results are serialized: a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>, needed where reflection-based JSON is switched off
    /// (Native AOT, file-based apps). Asked before the built-in everyday types. Default: null.
    /// </summary>
    public IJsonTypeInfoResolver? JsonTypeInfoResolver { get; set; }

    /// <summary>
    /// How many calls to exposed services, reports of progress and reads of stream arguments one worker is answered in a second; further ones wait. At least 1. Default: 10,000.
    /// </summary>
    public int MaxCallbacksPerSecond { get; set; } = 10_000;

    /// <summary>Looks for everything that is wrong with the options: what the constructor of <see cref="SandboxPool"/> would refuse.</summary>
    /// <returns>A sentence for each fault; none when a pool can be made.</returns>
    public IReadOnlyList<string> Validate() => PoolSettings.FaultsOf(this);

    internal List<(Type Service, object Implementation)> Exposed { get; } = [];

    /// <summary>
    /// Lets the plugin call the methods of this interface in the host, while one of its calls executes (<see cref="IPluginContext.GetHostService{T}"/>). Nothing else of the
    /// object can be reached. The plugin is not to be trusted with what it passes: check paths, ids and sizes.
    /// </summary>
    /// <typeparam name="T">An interface whose methods return tasks. The plugin has its own copy of it.</typeparam>
    /// <param name="implementation">Called on the thread pool, by many workers at a time.</param>
    /// <returns>These options.</returns>
    [RequiresDynamicCode("Calls the service by reflection; not for Native AOT.")]
    public SandboxPoolOptions Expose<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.All)] T>(T implementation)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(implementation);
        Exposed.Add((typeof(T), implementation));
        return this;
    }

    /// <summary>Receives the pool's events and the workers' standard output and error, line by line. What it throws is ignored. Default: none.</summary>
    public ILogger? Logger { get; set; }

    /// <summary>
    /// Makes the loggers of the plugin's own records: under their own categories, with their event ids, properties and scopes, within the trace of the call, in a scope that names the pool and the worker. The category is the
    /// plugin's choice, the scope is not. Without it they go to <see cref="Logger"/> as lines. It makes <see cref="Logger"/> too, where that is null, under <c>ProcessPool.</c> and the pool's name. Default: none.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>The clock of every timeout. Default: <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
