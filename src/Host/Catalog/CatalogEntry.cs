using System.Diagnostics.CodeAnalysis;
using ProcessPool.Diagnostics;
using ProcessPool.Plugins;

namespace ProcessPool.Catalog;

/// <summary>One plugin of a catalog: its pool and its snapshots. One change at a time.</summary>
/// <param name="name">The plugin's name.</param>
/// <param name="store">Where it runs from.</param>
/// <param name="settings">The catalog's.</param>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is not used needs no disposal.")]
internal sealed class CatalogEntry(string name, SnapshotStore store, CatalogSettings settings)
{
    /// <summary>How often a plugin that cannot be read is tried before it counts as broken.</summary>
    private const int MaxAttempts = 5;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<Snapshot, Task> _ending = [];
    private Snapshot? _current;
    private Snapshot? _previous;
    private SandboxPool? _pool;
    private int _attempts;
    private bool _isStopped;
    private volatile CatalogPlugin _seen = new(name, null, null, null, null);

    /// <summary>The plugin as it is.</summary>
    public CatalogPlugin Seen => _seen;

    /// <summary>Its pool; null while nothing of it serves. The same object for all of its versions, also after it was gone for a while.</summary>
    public SandboxPool? Pool => _seen.Plugin is null ? null : _pool;

    /// <summary>Serves what lies in the folder.</summary>
    /// <returns>What has changed; null when nothing has.</returns>
    /// <exception cref="IOException">It was changed meanwhile, or cannot be read just now: try again.</exception>
    public Task<PluginChange?> TakeAsync(DroppedPlugin dropped, CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        Snapshot? taken = null;
        try
        {
            if (dropped.Fault is { } fault)
            {
                throw fault;
            }

            taken = store.Take(dropped, settings.Trust);
            _attempts = 0;
            if (taken.Digest == _current?.Digest)
            {
                _seen = _seen with { Error = null };
                return null;
            }

            var kind = _current is null ? PluginChangeKind.Added : PluginChangeKind.Updated;
            await ServeAsync(taken, cancellationToken).ConfigureAwait(false);
            taken = null;
            return Changed(kind);
        }
        catch (IOException) when (++_attempts < MaxAttempts)
        {
            throw;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _attempts = 0;
            var error = exception as SandboxPoolException ?? PluginInfo.Unusable(dropped.Path, exception.Message, exception);
            var isSaid = exception is IOException && _seen.Error?.Message == error.Message;
            _seen = _seen with { Error = error };
            if (isSaid)
            {
                return null;
            }

            settings.Logger.PluginBroken(exception, name, _current is null ? "nothing of it is served" : "the version before goes on serving");
            return new PluginChange(PluginChangeKind.Broken, _seen);
        }
        finally
        {
            taken?.Dispose();
        }
    }, cancellationToken);

    /// <summary>Serves the version before again.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    /// <exception cref="SandboxPoolException">It does not start; the current one goes on serving.</exception>
    public Task<PluginChange?> RollBackAsync(CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        if (_current is null || _previous is not { } previous)
        {
            throw new InvalidOperationException($"There is no version of {name} before the one that serves: it was not updated since this program started.");
        }

        await ServeAsync(previous, cancellationToken).ConfigureAwait(false);
        return Changed(PluginChangeKind.RolledBack);
    }, cancellationToken);

    /// <summary>It is gone from the folder: its calls are finished, then its workers end.</summary>
    public Task<PluginChange?> RemoveAsync(CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        var was = _seen;
        _seen = new CatalogPlugin(name, null, null, null, null);
        if (was.Plugin is not null)
        {
            EndAfter(_current!, await _pool!.RetireAsync(cancellationToken).ConfigureAwait(false));
            _current = _previous = null;
        }

        return was.Plugin is not null || was.Error is not null ? Changed(PluginChangeKind.Removed) : null;
    }, cancellationToken);

    /// <summary>Ends everything, for good. A second call without draining cuts the first one's draining short.</summary>
    public async Task StopAsync(bool drain, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _isStopped = true;
        _turn.Release();
        if (_pool is not null)
        {
            await _pool.StopAsync(drain, deadline: null, cancellationToken).ConfigureAwait(false);
        }

        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        _seen = _seen with { Plugin = null };
        foreach (var snapshot in _ending.Keys.Append(_current))
        {
            snapshot?.Dispose();
        }

        _current = _previous = null;
        _ending.Clear();
        _turn.Release();
    }

    private async Task<PluginChange?> InTurnAsync(Func<Task<PluginChange?>> change, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _isStopped ? throw new OperationCanceledException("The catalog has stopped.") : await change().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task ServeAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        _pool ??= new SandboxPool(settings.PoolOptions(name, snapshot.Directory));
        var gone = await _pool.SwitchAsync(snapshot.Directory, cancellationToken).ConfigureAwait(false);
        if (_current is not null)
        {
            EndAfter(_current, gone);
        }

        _previous = _current;
        _current = snapshot;
        _seen = new CatalogPlugin(name, _pool.Plugin, snapshot.Digest, _previous?.Digest, null);
    }

    private PluginChange Changed(PluginChangeKind kind)
    {
        ReleaseEnded();
        try
        {
            store.Evict();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            settings.Logger.EvictionFailed(exception);
        }

        settings.Logger.PluginChanged(name, kind, _seen.Digest ?? "nothing");
        return new PluginChange(kind, _seen);
    }

    // Its workers may be at long calls: it stays until the last of them has ended, and while it is the version to go back to.
    private void EndAfter(Snapshot snapshot, Task gone)
    {
        var all = Task.WhenAll(_ending.GetValueOrDefault(snapshot, Task.CompletedTask), gone);
        _ending[snapshot] = all;
        _ = ReleaseAsync();

        async Task ReleaseAsync()
        {
            await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _turn.WaitAsync().ConfigureAwait(false);
            ReleaseEnded();
            _turn.Release();
        }
    }

    private void ReleaseEnded()
    {
        foreach (var (ended, _) in _ending.Where(ending => ending.Value.IsCompleted && ending.Key != _previous && ending.Key != _current).ToList())
        {
            ended.Dispose();
            _ending.Remove(ended);
        }
    }
}
