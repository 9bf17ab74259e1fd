using Microsoft.Extensions.Logging;
using ProcessPool.Diagnostics;
using ProcessPool.Launch;
using ProcessPool.Plugins;
using ProcessPool.Supervision;
using ProcessPool.Telemetry;
using ProcessPool.Workers;

namespace ProcessPool;

/// <summary>
/// Runs the entry points of one plugin in a pool of sandbox processes. A call that crashes its process costs that one call: the worker
/// is replaced and every other call goes on. All members are thread-safe.
/// </summary>
/// <example><code>
/// await using var pool = await SandboxPool.StartAsync(new() { Plugin = "plugins/Imaging", Workers = 0.5 });
/// var size = await pool.InvokeAsync&lt;long&gt;("Measure", ["photo.jpg"]);
/// </code></example>
public sealed partial class SandboxPool : IAsyncDisposable
{
    private readonly PoolSettings _settings;
    private readonly Func<PoolSettings, string, PluginInfo, IWorkerLauncher> _launcherFor;
    private readonly Func<string, PluginInfo> _read;
    private readonly SemaphoreSlim _lifecycle = new(1, 1);
    private readonly HashSet<Type> _contracts;
    private readonly List<PluginVersion> _superseded = [];
    private volatile PluginVersion? _version;
    private volatile PluginInfo? _plugin;
    private string _pluginPath;
    private bool _isRetired;
    private volatile CancellationTokenSource? _starting;
    private volatile CancellationTokenSource? _draining;
    private int _impatient;
    private SandboxPoolException? _startError;
    private StopReport _stopReport = new(0, 0, 0);

    /// <summary>Sets up a pool; call <see cref="StartAsync(CancellationToken)"/> before use.</summary>
    /// <exception cref="ArgumentException">Options are out of range; the message names every one.</exception>
    public SandboxPool(SandboxPoolOptions options)
        : this(options, (settings, name, plugin) => new WorkerLauncher(settings, name, plugin))
    {
    }

    internal SandboxPool(SandboxPoolOptions options, Func<PoolSettings, string, PluginInfo, IWorkerLauncher> launcherFor, Func<string, PluginInfo>? read = null)
    {
        _read = read ?? PluginInfo.Read;
        ArgumentNullException.ThrowIfNull(options);
        SandboxProgram.EndIfHookWasIgnored();
        _settings = PoolSettings.From(options);
        _contracts = [.. _settings.Contracts];
        _launcherFor = launcherFor;
        _pluginPath = _settings.PluginPath;
        Counts = new PoolCounts(Name, _settings.Time);
    }

    /// <summary>The pool's name.</summary>
    public string Name => _settings.Name;

    /// <summary>How many workers the pool has when it runs.</summary>
    public int WorkerCount => _settings.Workers;

    /// <summary>What is counted of its calls.</summary>
    internal PoolCounts Counts { get; }

    /// <summary>The clock of every timeout.</summary>
    internal TimeProvider Time => _settings.Time;

    /// <summary>The version of the plugin that serves calls; null when there is none.</summary>
    internal PluginInfo? Plugin => _version?.Plugin;

    /// <summary>What the pool is doing.</summary>
    public PoolState State => _version?.Supervisor.State ?? (_isRetired ? PoolState.Stopped : PoolState.Created);

    /// <summary>Whether the pool takes calls: it is <see cref="PoolState.Running"/> or <see cref="PoolState.Degraded"/>.</summary>
    public bool IsRunning => _version?.Supervisor.IsRunning == true;

    /// <summary>
    /// The last thing that happened to a worker and that nobody asked for: a <see cref="WorkerCrashedException"/>, also of an
    /// idle worker, or why a worker could not be started. Null when there was none since the pool was last started.
    /// </summary>
    public SandboxPoolException? LastWorkerError => _startError ?? _version?.Supervisor.LastError;

    /// <summary>Creates a pool and starts it.</summary>
    /// <param name="options">How it is set up.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="ArgumentException">Options are out of range; the message names every one.</exception>
    /// <exception cref="PluginLoadException">The plugin cannot be loaded.</exception>
    /// <exception cref="WorkerStartException">A worker could not be started.</exception>
    /// <exception cref="ConfinementException">What the policy requires cannot be enforced here.</exception>
    public static async Task<SandboxPool> StartAsync(SandboxPoolOptions options, CancellationToken cancellationToken = default)
    {
        var pool = new SandboxPool(options);
        await pool.StartAsync(cancellationToken).ConfigureAwait(false);
        return pool;
    }

    /// <summary>Starts all workers and returns when they are ready. A stopped pool may be started again.</summary>
    /// <param name="cancellationToken">Gives up starting; nothing is left running.</param>
    /// <exception cref="InvalidOperationException">The pool has been started already.</exception>
    /// <exception cref="PluginLoadException">The plugin cannot be loaded.</exception>
    /// <exception cref="WorkerStartException">A worker could not be started. Nothing is left running.</exception>
    /// <exception cref="ConfinementException">What the policy requires cannot be enforced here. Nothing is left running.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        await _lifecycle.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_version is { Supervisor.State: not PoolState.Stopped })
            {
                throw new InvalidOperationException($"Pool {Name} is {State}; stop it before starting it again.");
            }

            await StartVersionAsync(_pluginPath, publishFirst: true, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    /// <summary>
    /// What the plugin is made of in a worker: each assembly and native library, from where, and why. Null when no worker is alive just now.
    /// </summary>
    public Task<LoadReport?> GetLoadReportAsync(CancellationToken cancellationToken = default) =>
        _version?.Supervisor.GetLoadReportAsync(cancellationToken) ?? Task.FromResult<LoadReport?>(null);

    /// <summary>
    /// What was achieved of <see cref="SandboxPoolOptions.Confinement"/> in a worker, before its plugin was loaded. Null when no worker is alive just now.
    /// </summary>
    public ConfinementReport? Confinement => _version?.Supervisor.Confinement;

    /// <summary>
    /// Serves another version of the plugin from now on. Its workers start beside the old ones; when they are ready, new calls go to them, and the old ones finish what was begun or
    /// queued. Starts a pool that is not running.
    /// </summary>
    /// <returns>Ends when the last worker of the old version has ended.</returns>
    /// <exception cref="SandboxPoolException">The new version cannot be loaded or started; the old one goes on serving.</exception>
    internal async Task<Task> SwitchAsync(string pluginPath, CancellationToken cancellationToken)
    {
        await _lifecycle.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var before = _version is { Supervisor.State: not PoolState.Stopped } running ? running : null;
            await StartVersionAsync(pluginPath, publishFirst: before is null, cancellationToken).ConfigureAwait(false);
            _pluginPath = pluginPath;
            _isRetired = false;
            return before is null ? Task.CompletedTask : Supersede(before);
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    /// <summary>Takes no calls any more until <see cref="SwitchAsync"/>; those that were made before are finished.</summary>
    /// <returns>Ends when the last worker has ended.</returns>
    internal async Task<Task> RetireAsync(CancellationToken cancellationToken)
    {
        await _lifecycle.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var before = _version;
            _isRetired = true;
            _version = null;
            return before is null ? Task.CompletedTask : Supersede(before);
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    private Task Supersede(PluginVersion version)
    {
        _superseded.RemoveAll(each => each.IsGone);
        _superseded.Add(version);
        return version.Supersede();
    }

    /// <param name="pluginPath">The version's folder.</param>
    /// <param name="publishFirst">Whether it is current while it starts, so that its state is the pool's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async Task StartVersionAsync(string pluginPath, bool publishFirst, CancellationToken cancellationToken)
    {
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        PluginVersion? version = null;
        try
        {
            _startError = null;
            _starting = starting;
            RefuseTooDeep();
            var plugin = _read(pluginPath);
            Accept(plugin, publish: publishFirst);

            if (_settings.RequestedWorkers > _settings.Workers)
            {
                _settings.Logger.WorkersClamped(_settings.RequestedWorkers, _settings.Workers);
            }

            if (_settings.Debug)
            {
                _settings.Logger.DebugMode(Name);
            }

            version = new PluginVersion(new Supervisor(Name, _settings, _launcherFor(_settings, Name, plugin), Counts), plugin);
            _settings.PluginSources.Open();
            if (publishFirst)
            {
                _version = version;
            }

            await version.Supervisor.StartAsync(starting.Token).ConfigureAwait(false);
            Accept(plugin, publish: true);
            _version = version;
            _settings.Logger.PoolStarted(Name, _settings.Workers, plugin.EntryAssembly);
            PoolEvents.Log.PoolStarted(Name, _settings.Workers, plugin.EntryAssembly);
        }
        catch (Exception exception)
        {
            _startError = publishFirst ? exception as SandboxPoolException : null;
            if (version is { Supervisor.State: not PoolState.Stopped })
            {
                await version.Supervisor.StopAsync(drain: false, null, CancellationToken.None).ConfigureAwait(false);
            }

            throw;
        }
        finally
        {
            _starting = null;
        }
    }

    /// <summary>
    /// Stops all workers, in parallel. Does nothing when the pool is not running; gives up a start that is under way, and without draining cuts short a drain that is. May be called from a callback.
    /// </summary>
    /// <param name="drain">Whether calls that were made before are finished first; if not, they fail with <see cref="CallRejectedException"/>.</param>
    /// <param name="deadline">How long draining may take, up to 24 days; then what is unfinished fails. Null: as long as it takes.</param>
    /// <param name="cancellationToken">Cuts the draining short: what is unfinished then fails.</param>
    /// <returns>What it has cost; of the last stop, when the pool was not running.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The deadline is out of range.</exception>
    public async Task<StopReport> StopAsync(bool drain = true, TimeSpan? deadline = null, CancellationToken cancellationToken = default)
    {
        if (deadline < TimeSpan.Zero || deadline > PoolSettings.Longest)
        {
            throw new ArgumentOutOfRangeException(nameof(deadline), deadline, $"The deadline must be from zero to {PoolSettings.Longest.Days} days.");
        }

        GiveUp(_starting);
        if (!drain)
        {
            Interlocked.Increment(ref _impatient);
            GiveUp(_draining);
        }

        await WaitForTurnAsync(deadline, cancellationToken).ConfigureAwait(false);
        using var draining = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            _draining = draining;
            if (_version is { Supervisor.State: not PoolState.Stopped } || _superseded.Count > 0)
            {
                var patient = drain && Volatile.Read(ref _impatient) == 0;
                // The current one first: what the others refuse is not to be made there.
                var current = _version?.Supervisor.StopAsync(patient, deadline, draining.Token) ?? Task.FromResult(new StopReport(0, 0, 0));
                var reports = await Task.WhenAll(_superseded.Select(version => version.EndAsync(patient, deadline, _settings.Time, draining.Token)).Append(current)).ConfigureAwait(false);
                _superseded.Clear();
                _stopReport = new StopReport(reports.Sum(report => report.Completed), reports.Sum(report => report.Cancelled), reports.Sum(report => report.Killed));
                _settings.Logger.PoolStopped(Name, _stopReport.Completed, _stopReport.Cancelled, _stopReport.Killed);
                PoolEvents.Log.PoolStopped(Name);
                _settings.PluginSources.Close();
            }

            return _stopReport;
        }
        finally
        {
            _draining = null;
            if (!drain)
            {
                Interlocked.Decrement(ref _impatient);
            }

            _lifecycle.Release();
        }
    }

    /// <summary>
    /// Gives every slot its restarts back, and starts workers where none could be started any more: for a pool that is <see cref="PoolState.Broken"/> or
    /// <see cref="PoolState.Degraded"/>, when the cause is mended. Does nothing when the pool is not running.
    /// </summary>
    public void Reset() => _version?.Supervisor.Reset();

    /// <summary>Stops without draining: unfinished calls fail with <see cref="CallRejectedException"/>.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(drain: false).ConfigureAwait(false);

    // A contract may have come into use since it was looked at last.
    private void Accept(PluginInfo plugin, bool publish)
    {
        lock (_contracts)
        {
            foreach (var contract in _contracts)
            {
                ContractComparison.RefuseDifferences(contract, plugin);
            }

            _plugin = publish ? plugin : _plugin;
        }
    }

    private static void GiveUp(CancellationTokenSource? underWay)
    {
        try
        {
            underWay?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    // A drain that is under way is cut short when this caller's time is up, as its own would be.
    private async Task WaitForTurnAsync(TimeSpan? deadline, CancellationToken cancellationToken)
    {
        var turn = _lifecycle.WaitAsync(CancellationToken.None);
        if (turn.IsCompleted)
        {
            return;
        }

        await turn.WaitAsync(deadline ?? Timeout.InfiniteTimeSpan, _settings.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!turn.IsCompleted)
        {
            GiveUp(_draining);
        }

        await turn.ConfigureAwait(false);
    }

    private void RefuseTooDeep()
    {
        var depth = PoolDepth.Current;
        if (depth >= PoolDepth.Limit)
        {
            throw new WorkerStartException(
                $"Pool {Name} is not started: there are {depth} pools around this code already, each started by a plugin of the one before. Does the plugin start a pool of itself?",
                new FaultSite(Name));
        }
    }
}
