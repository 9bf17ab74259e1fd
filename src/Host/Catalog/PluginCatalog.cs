using ProcessPool.Catalog;
using ProcessPool.Diagnostics;
using ProcessPool.Plugins;

namespace ProcessPool;

/// <summary>
/// The plugins of a drop folder, each in a pool of its own that runs as long as the plugin is there. A folder or DLL that is put there becomes callable, a changed one is switched to without a failed call, a broken one leaves
/// the version before serving, a removed one finishes its calls. All members are thread-safe.
/// </summary>
/// <example><code>
/// await using var catalog = await PluginCatalog.StartAsync(new() { Directory = "plugins" });
/// var thumbnail = await catalog.GetPool("thumbs").InvokeAsync&lt;byte[]&gt;("Create", [image, 200]);
/// </code></example>
public sealed class PluginCatalog : IAsyncDisposable
{
    /// <summary>How often <see cref="RefreshAsync"/> looks at what does not settle.</summary>
    private const int MaxLooks = 20;

    /// <summary>How often the folder is looked at where its changes are not announced, as on many network drives.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly CatalogSettings _settings;
    private readonly SnapshotStore _store;
    private readonly DropFolder _folder;
    private readonly Settling _settling;
    private readonly Dictionary<string, CatalogEntry> _entries = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task> _work = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _looking = new(1, 1);
    private readonly SemaphoreSlim _news = new(0);
    private readonly CancellationTokenSource _stopped = new();
    private FileSystemWatcher? _watcher;
    private Task _watching = Task.CompletedTask;
    private bool _isStarted;

    /// <summary>Sets up a catalog; call <see cref="StartAsync(CancellationToken)"/> before use.</summary>
    /// <exception cref="ArgumentException">Options are out of range; the message names every one.</exception>
    /// <exception cref="IOException">The folder for snapshots cannot be made, or others may write to it.</exception>
    public PluginCatalog(PluginCatalogOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _settings = CatalogSettings.From(options);
        _store = new SnapshotStore(options.SnapshotDirectory);
        _folder = new DropFolder(_settings.Directory);
        _settling = new Settling(_settings.SettleTime, _settings.Time);
    }

    /// <summary>Raised after each change, on the thread pool; for one plugin in order. A handler may call the catalog. What it throws is logged.</summary>
    public event EventHandler<PluginChange>? Changed;

    /// <summary>All plugins in the folder, the broken ones too, by name.</summary>
    public IReadOnlyList<CatalogPlugin> Plugins
    {
        get
        {
            lock (_gate)
            {
                return [.. _entries.Values.Select(entry => entry.Seen).Where(plugin => plugin.Plugin is not null || plugin.Error is not null).OrderBy(plugin => plugin.Name, StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Creates a catalog and starts it.</summary>
    /// <exception cref="ArgumentException">Options are out of range; the message names every one.</exception>
    /// <inheritdoc cref="StartAsync(CancellationToken)"/>
    public static async Task<PluginCatalog> StartAsync(PluginCatalogOptions options, CancellationToken cancellationToken = default)
    {
        var catalog = new PluginCatalog(options);
        try
        {
            await catalog.StartAsync(cancellationToken).ConfigureAwait(false);
            return catalog;
        }
        catch
        {
            await catalog.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What lies in a drop folder, by metadata alone: nothing is copied, loaded or started.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static IReadOnlyList<CatalogPlugin> Discover(string directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        return [.. new DropFolder(Path.GetFullPath(directory)).Look().OrderBy(dropped => dropped.Key, StringComparer.Ordinal).Select(dropped => Describe(dropped.Key, dropped.Value))];

        static CatalogPlugin Describe(string name, DroppedPlugin dropped)
        {
            try
            {
                return dropped.Fault is null
                    ? new CatalogPlugin(name, PluginInfo.Read(dropped.Path), SnapshotStore.DigestOf(dropped), null, null)
                    : new CatalogPlugin(name, null, null, null, dropped.Fault);
            }
            catch (Exception exception) when (exception is PluginLoadException or IOException or UnauthorizedAccessException)
            {
                return new CatalogPlugin(name, null, null, null, exception as PluginLoadException ?? PluginInfo.Unusable(dropped.Path, exception.Message, exception));
            }
        }
    }

    /// <summary>Starts a pool for each plugin that lies in the folder, and watches it from now on. Returns when they serve or are known to be broken.</summary>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="InvalidOperationException">The catalog was started already.</exception>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopped.IsCancellationRequested, this);
            if (_isStarted)
            {
                throw new InvalidOperationException("The catalog was started already.");
            }

            _isStarted = true;
        }

        if (_settings.Watch)
        {
            _watcher = Watch();
        }

        await RefreshAsync(cancellationToken).ConfigureAwait(false);
        if (_settings.Watch)
        {
            using var noFlow = ExecutionContext.SuppressFlow();
            _watching = Task.Run(WatchAsync, CancellationToken.None);
        }
    }

    /// <summary>The pool of a plugin. It may be stored: it is the same one for all versions of the plugin. It is the catalog's: do not stop or dispose it.</summary>
    /// <param name="name">The name of the plugin's folder, or of its DLL, case-sensitive.</param>
    /// <exception cref="PluginLoadException">There is no such plugin, or nothing of it can be served; the message says why.</exception>
    public SandboxPool GetPool(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        CatalogEntry? entry;
        lock (_gate)
        {
            _entries.TryGetValue(name, out entry);
        }

        return entry?.Pool ?? throw new PluginLoadException(
            LoadStage.Resolve,
            name,
            entry?.Seen.Error is { } error
                ? $"Plugin {name} is not served: {error.Message}"
                : $"There is no plugin '{name}' in {_settings.Directory}. There {(Plugins is [_, ..] all ? $"is: {string.Join(", ", all.Select(plugin => plugin.Name))}" : "is none")}.",
            inner: entry?.Seen.Error);
    }

    /// <summary>
    /// Looks at the folder now, and returns when what has settled there serves or is known to be broken. What is still being changed after 20 times
    /// <see cref="PluginCatalogOptions.SettleTime"/> is not waited for.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public async Task RefreshAsync(CancellationToken cancellationToken = default)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            var (work, isMoving) = await LookAsync(cancellationToken).ConfigureAwait(false);
            if (work.Count == 0 && !isMoving)
            {
                return;
            }

            await Task.WhenAll(work).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (isMoving)
            {
                await Task.Delay(_settings.SettleTime, _settings.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Goes back to the version that served before. What lies in the folder is taken again when it changes next. A second call goes forth again.</summary>
    /// <param name="name">The plugin's name.</param>
    /// <param name="cancellationToken">Gives up starting the version before.</param>
    /// <exception cref="PluginLoadException">There is no such plugin.</exception>
    /// <exception cref="InvalidOperationException">There is no version before.</exception>
    /// <exception cref="SandboxPoolException">The version before cannot be started; the current one goes on serving.</exception>
    public async Task RollbackAsync(string name, CancellationToken cancellationToken = default)
    {
        GetPool(name);
        CatalogEntry entry;
        lock (_gate)
        {
            entry = _entries[name];
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopped.Token);
        Raise(await entry.RollBackAsync(stop.Token).ConfigureAwait(false));
    }

    /// <summary>Stops watching and all pools, without draining.</summary>
    public ValueTask DisposeAsync() => new(StopAsync(drain: false));

    /// <summary>Stops watching and all pools.</summary>
    /// <param name="drain">Whether calls that were made before are finished first.</param>
    /// <param name="cancellationToken">Cuts the draining short.</param>
    public async Task StopAsync(bool drain = true, CancellationToken cancellationToken = default)
    {
        _watcher?.Dispose();
        await _stopped.CancelAsync().ConfigureAwait(false);
        Task[] work;
        CatalogEntry[] entries;
        lock (_gate)
        {
            work = [.. _work.Values];
            entries = [.. _entries.Values];
        }

        await Task.WhenAll(entries.Select(entry => entry.StopAsync(drain, cancellationToken))).ConfigureAwait(false);
        await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // One that takes long to start does not hold up the others.
    private async Task WatchAsync()
    {
        while (!_stopped.IsCancellationRequested)
        {
            var isMoving = false;
            try
            {
                (_, isMoving) = await LookAsync(_stopped.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (!_stopped.IsCancellationRequested)
            {
                _settings.Logger.DropFolderNotReadable(exception, _settings.Directory);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            // What moves is looked at again when it may have settled, however many changes are announced meanwhile.
            await (isMoving ? Task.Delay(_settings.SettleTime, _settings.Time, _stopped.Token) : WaitForNewsAsync()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WaitForNewsAsync()
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(_stopped.Token);
        var time = Task.Delay(LookInterval, _settings.Time, enough.Token);
        await Task.WhenAny(_news.WaitAsync(enough.Token), time).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        while (_news.Wait(0, CancellationToken.None))
        {
            // Many changes are one reason to look.
        }
    }

    /// <summary>One look: begins to handle what has settled.</summary>
    /// <returns>What is being handled, and whether something is still changing.</returns>
    private async Task<(List<Task> Work, bool IsMoving)> LookAsync(CancellationToken cancellationToken)
    {
        await _looking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Not under the gate: the folder may be a slow one, and callers ask for their pools meanwhile.
            var dropped = await Task.Run(_folder.Look, cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                _stopped.Token.ThrowIfCancellationRequested();
                var settled = _settling.Look(dropped, out var isMoving, _work.ContainsKey);
                foreach (var name in settled)
                {
                    Begin_NeedsLock(name, dropped.GetValueOrDefault(name));
                }

                return ([.. _work.Values], isMoving);
            }
        }
        finally
        {
            _looking.Release();
        }
    }

    private void Begin_NeedsLock(string name, DroppedPlugin? dropped)
    {
        var entry = _entries.TryGetValue(name, out var known) ? known : _entries[name] = new CatalogEntry(name, _store, _settings);
        using var noFlow = ExecutionContext.SuppressFlow();
        _work[name] = Task.Run(() => HandleAsync(name, entry, dropped));
    }

    private async Task HandleAsync(string name, CatalogEntry entry, DroppedPlugin? dropped)
    {
        PluginChange? change = null;
        try
        {
            change = await (dropped is null ? entry.RemoveAsync(_stopped.Token) : entry.TakeAsync(dropped, _stopped.Token)).ConfigureAwait(false);
            lock (_gate)
            {
                _settling.Handled(name, dropped);
            }

            if (entry.Seen.Error is { InnerException: IOException })
            {
                _ = LookAgainAsync(name);
            }
        }
        catch (IOException exception)
        {
            _settings.Logger.PluginNotReadable(name, exception.Message);
            await Task.Delay(_settings.SettleTime, _settings.Time, _stopped.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (OperationCanceledException)
        {
            // The catalog stops, or the user has stopped the pool: it is tried again, if there is still a catalog.
        }
        finally
        {
            lock (_gate)
            {
                _work.Remove(name);
            }
        }

        // Nothing is held any more: a handler may roll back, refresh or stop.
        Raise(change);
        _news.Release();
    }

    // What could not be read may be readable without looking different.
    private async Task LookAgainAsync(string name)
    {
        await Task.Delay(LookInterval, _settings.Time, _stopped.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _settling.Forget(name);
        }

        _news.Release();
    }

    private void Raise(PluginChange? change)
    {
        try
        {
            if (change is not null)
            {
                Changed?.Invoke(this, change);
            }
        }
        catch (Exception exception)
        {
            _settings.Logger.ChangeHandlerThrew(exception);
        }
    }

    private FileSystemWatcher? Watch()
    {
        var watcher = new FileSystemWatcher(_settings.Directory) { IncludeSubdirectories = true };
        watcher.Created += (_, _) => _news.Release();
        watcher.Changed += (_, _) => _news.Release();
        watcher.Deleted += (_, _) => _news.Release();
        watcher.Renamed += (_, _) => _news.Release();
        watcher.Error += (_, error) => _settings.Logger.NotWatched(error.GetException(), _settings.Directory);
        try
        {
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException)
        {
            _settings.Logger.NotWatched(exception, _settings.Directory);
            watcher.Dispose();
            return null;
        }
    }
}
