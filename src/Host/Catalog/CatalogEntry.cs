using System.Diagnostics.CodeAnalysis;
using ProcessPool.Diagnostics;
using ProcessPool.Plugins;

namespace ProcessPool.Catalog;

/// <summary>One plugin of a catalog: its pool and its snapshots. One change at a time.</summary>
/// <param name="name">The plugin's name.</param>
/// <param name="store">Where it runs from.</param>
/// <param name="settings">The catalog's.</param>
/// <param name="report">Told of each change.</param>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is not used needs no disposal.")]
internal sealed class CatalogEntry(string name, SnapshotStore store, CatalogSettings settings, Action<PluginChange> report)
{
    /// <summary>How often a plugin that cannot be read is tried before it counts as broken.</summary>
    private const int MaxAttempts = 5;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<Snapshot, Task> _ending = [];
    private Snapshot? _current;
    private Snapshot? _previous;
    private SandboxPool? _pool;
    private int _attempts;
    private volatile CatalogPlugin _seen = new(name, null, null, null, null);

    /// <summary>The plugin as it is.</summary>
    public CatalogPlugin Seen => _seen;

    /// <summary>Its pool; null while nothing of it serves. The same object for all of its versions, also after it was gone for a while.</summary>
    public SandboxPool? Pool => _seen.Plugin is null ? null : _pool;

    /// <summary>Serves what lies in the folder.</summary>
    /// <returns>False when it was changed meanwhile, or cannot be read just now: try again.</returns>
    public async Task<bool> TakeAsync(DroppedPlugin source, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        Snapshot? taken = null;
        try
        {
            if (source.Fault is { } fault)
            {
                throw fault;
            }

            taken = store.Take(source, settings.Trust);
            _attempts = 0;
            if (taken.Digest == _current?.Digest)
            {
                taken.Dispose();
                _seen = _seen with { Error = null };
                return true;
            }

            var kind = _current is null ? PluginChangeKind.Added : PluginChangeKind.Updated;
            await ServeAsync(taken, cancellationToken).ConfigureAwait(false);
            Report(kind);
            return true;
        }
        catch (IOException exception) when (++_attempts < MaxAttempts)
        {
            settings.Logger.PluginNotReadable(name, exception.Message);
            return false;
        }
        catch (Exception exception) when (exception is SandboxPoolException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            taken?.Dispose();
            Report(exception as SandboxPoolException ?? PluginInfo.Unusable(name, exception.Message, exception));
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Serves the version before again.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    /// <exception cref="SandboxPoolException">It does not start; the current one goes on serving.</exception>
    public async Task RollBackAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_current is null || _previous is not { } previous)
            {
                throw new InvalidOperationException($"There is no version of {name} before the one that serves: it was not updated since this program started.");
            }

            _previous = null;
            try
            {
                await ServeAsync(previous, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                _previous = previous;
                throw;
            }

            Report(PluginChangeKind.RolledBack);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>It is gone from the folder: its calls are finished, then its workers end.</summary>
    public async Task RemoveAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            var served = _seen.Plugin is not null;
            _seen = new CatalogPlugin(name, null, null, null, null);
            if (served)
            {
                EndAfter(_current!, await _pool!.RetireAsync().ConfigureAwait(false));
                _current = _previous = null;
                Report(PluginChangeKind.Removed);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends everything.</summary>
    public async Task StopAsync(bool drain, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (_pool is not null)
            {
                await _pool.StopAsync(drain, deadline: null, cancellationToken).ConfigureAwait(false);
            }

            _seen = _seen with { Plugin = null };
            foreach (var snapshot in _ending.Keys.Append(_current))
            {
                snapshot?.Dispose();
            }
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

    private void Report(PluginChangeKind kind)
    {
        foreach (var (ended, _) in _ending.Where(ending => ending.Value.IsCompleted && ending.Key != _previous && ending.Key != _current).ToList())
        {
            ended.Dispose();
            _ending.Remove(ended);
        }

        store.Evict();
        settings.Logger.PluginChanged(name, kind, _seen.Digest ?? "nothing");
        report(new PluginChange(kind, _seen));
    }

    private void Report(SandboxPoolException error)
    {
        _attempts = 0;
        _seen = _seen with { Error = error };
        settings.Logger.PluginBroken(error, name, _current is null ? "nothing of it is served" : "the version before goes on serving");
        report(new PluginChange(PluginChangeKind.Broken, _seen));
    }

    // Its workers may be at long calls: it stays until the last of them has ended, and while it is the version to go back to.
    private void EndAfter(Snapshot snapshot, Task gone) => _ending[snapshot] = Task.WhenAll(_ending.GetValueOrDefault(snapshot, Task.CompletedTask), gone);
}
