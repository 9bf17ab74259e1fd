using ProcessPool.Catalog;
using ProcessPool.Diagnostics;

namespace ProcessPool;

/// <summary>
/// The plugins of a drop folder, each in a pool of its own. A folder or DLL that is put there becomes callable, a changed one is switched to without a failed call, a broken one leaves
/// the version before serving, a removed one finishes its calls. All members are thread-safe.
/// </summary>
/// <example><code>
/// await using var catalog = await PluginCatalog.StartAsync(new() { Directory = "plugins" });
/// var thumbnail = await catalog.GetPool("thumbs").InvokeAsync&lt;byte[]&gt;("Create", [image, 200]);
/// </code></example>
public sealed class PluginCatalog : IAsyncDisposable
{
    /// <summary>How often the folder is looked at where its changes are not announced, as on many network drives.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly CatalogSettings _settings;
    private readonly SnapshotStore _store;
    private readonly DropFolder _folder;
    private readonly Settling _settling;
    private readonly Dictionary<string, CatalogEntry> _entries = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task> _work = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _news = new(0);
    private readonly CancellationTokenSource _stopped = new();
    private FileSystemWatcher? _watcher;
    private Task _watching = Task.CompletedTask;
    private bool _isStarted;

    /// <summary>Sets up a catalog; call <see cref="StartAsync(CancellationToken)"/> before use.</summary>
    /// <exception cref="ArgumentException">Options are out of range; the message names every one.</exception>
    public PluginCatalog(PluginCatalogOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _settings = CatalogSettings.From(options);
        _store = new SnapshotStore(options.SnapshotDirectory);
        _folder = new DropFolder(_settings.Directory);
        _settling = new Settling(_settings.SettleTime, _settings.Time);
    }

    /// <summary>Raised after each change, on the thread pool, one at a time for each plugin. What a handler throws is logged.</summary>
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
        await catalog.StartAsync(cancellationToken).ConfigureAwait(false);
        return catalog;
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
            catch (PluginLoadException exception)
            {
                return new CatalogPlugin(name, null, null, null, exception);
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

    /// <summary>The pool of a plugin. It may be stored: it is the same one for all versions of the plugin.</summary>
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

    /// <summary>Looks at the folder now, and returns when what has settled there serves or is known to be broken.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public async Task RefreshAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var work = Look(out var isMoving);
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

        await entry.RollBackAsync(cancellationToken).ConfigureAwait(false);
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
        await _watching.ConfigureAwait(false);
        Task[] work;
        CatalogEntry[] entries;
        lock (_gate)
        {
            work = [.. _work.Values];
            entries = [.. _entries.Values];
        }

        await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(entries.Select(entry => entry.StopAsync(drain, cancellationToken))).ConfigureAwait(false);
    }

    // One that takes long to start does not hold up the others.
    private async Task WatchAsync()
    {
        while (!_stopped.IsCancellationRequested)
        {
            var isMoving = false;
            try
            {
                _ = Look(out isMoving);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                _settings.Logger.DropFolderNotReadable(exception, _settings.Directory);
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
    /// <param name="isMoving">Whether something is still changing.</param>
    /// <returns>What is being handled.</returns>
    private List<Task> Look(out bool isMoving)
    {
        lock (_gate)
        {
            if (_stopped.IsCancellationRequested)
            {
                isMoving = false;
                return [];
            }

            var sources = _folder.Look();
            foreach (var name in _settling.Look(sources, out isMoving).Where(name => !_work.ContainsKey(name)))
            {
                var entry = _entries.TryGetValue(name, out var known) ? known : _entries[name] = new CatalogEntry(name, _store, _settings, Raise);
                var source = sources.GetValueOrDefault(name);
                using var noFlow = ExecutionContext.SuppressFlow();
                _work[name] = Task.Run(() => HandleAsync(name, entry, source));
            }

            return [.. _work.Values];
        }
    }

    private async Task HandleAsync(string name, CatalogEntry entry, DroppedPlugin? source)
    {
        try
        {
            var isDone = true;
            if (source is null)
            {
                await entry.RemoveAsync().ConfigureAwait(false);
            }
            else if (!await entry.TakeAsync(source, _stopped.Token).ConfigureAwait(false))
            {
                isDone = false;
                await Task.Delay(_settings.SettleTime, _settings.Time, _stopped.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            if (isDone)
            {
                lock (_gate)
                {
                    _settling.Handled(name, source);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The catalog stops.
        }
        finally
        {
            lock (_gate)
            {
                _work.Remove(name);
            }

            _news.Release();
        }
    }

    private void Raise(PluginChange change)
    {
        try
        {
            Changed?.Invoke(this, change);
        }
        catch (Exception exception)
        {
            _settings.Logger.ChangeHandlerThrew(exception);
        }
    }

    private FileSystemWatcher Watch()
    {
        var watcher = new FileSystemWatcher(_settings.Directory) { IncludeSubdirectories = true };
        watcher.Created += (_, _) => _news.Release();
        watcher.Changed += (_, _) => _news.Release();
        watcher.Deleted += (_, _) => _news.Release();
        watcher.Renamed += (_, _) => _news.Release();
        watcher.EnableRaisingEvents = true;
        return watcher;
    }
}
