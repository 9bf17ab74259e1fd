using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Supervision;

namespace ProcessPool.Calls;

/// <summary>Makes bundles of calls of one entry point, as large as its calls are short. Its user makes one call of it after the other.</summary>
/// <param name="pool">The pool.</param>
/// <param name="settings">The pool's.</param>
/// <param name="entryPoint">The entry point.</param>
/// <param name="options">What the calls have different.</param>
internal sealed class Bundler<T>(SandboxPool pool, PoolSettings settings, string entryPoint, CallOptions? options)
{
    // A worker may be over its number of calls by some bundles.
    private readonly int _maxSize = Math.Max(1, settings.Recycle.AfterCalls / 10 ?? int.MaxValue);

    private readonly Func<Callbacks>? _makeCallbacks = settings.Services.IsEmpty ? null : () => new Callbacks([], settings.Services, settings.MaxMessageBytes);

    private PluginVersion? _version;
    private Bundle? _bundle;
    private long _firstIndex;

    /// <summary>Makes one; null when no calls of this kind can go together.</summary>
    public static Bundler<T>? For(SandboxPool pool, PoolSettings settings, string entryPoint, CallOptions? options) =>
        !settings.Debug && options?.AffinityKey is null
        && (settings is { WhenFull: WhenFull.Wait, QueueTimeout: null } || options?.IsOfMap == true)
        && Invocation.MayGoTogether(options?.Timeout ?? settings.CallTimeout) && Invocation.MayGoTogether(settings.QueueTimeout)
            ? new(pool, settings, entryPoint, options)
            : null;

    /// <summary>The span that the calls are part of; null: they are not traced.</summary>
    public TraceParent? Trace { get; set; }

    /// <summary>The entry point.</summary>
    public string EntryPoint => entryPoint;

    /// <summary>How many calls a bundle is to have just now; 1: none. While a worker has served as many calls as it may and waits for its replacement, none: it may be the one that takes it.</summary>
    public int Size => pool.Version is not { Supervisor: var supervisor } || settings.Recycle.AfterCalls is not null && supervisor.IsRecycling ? 1 : Math.Min(_maxSize, supervisor.Chunks.Of(entryPoint));

    /// <summary>Whether there is an open bundle.</summary>
    public bool IsOpen => _bundle is not null;

    /// <summary>Whether the bundle is to be closed.</summary>
    public bool IsFull => _bundle?.IsFull == true;

    /// <summary>How many calls may be under way so that no worker waits for the next ones.</summary>
    /// <param name="size">How many calls a bundle has.</param>
    public int ReadAhead(int size) => size * (2 * settings.Workers + 1);

    /// <summary>Adds a call to the open bundle, or to a new one.</summary>
    /// <param name="index">Its index; in an open bundle, the one after the last one's.</param>
    /// <param name="payload">Its arguments, small and plain.</param>
    /// <returns>False when it is to be made by itself.</returns>
    public bool TryAdd(long index, ReadOnlySpan<byte> payload)
    {
        if (_bundle is null)
        {
            _version = pool.Version;
            if (_version?.Plugin.TryFind(entryPoint) is not { Streams: false })
            {
                return false;
            }

            var size = Size;
            if (size < 2)
            {
                return false;
            }

            _bundle = new Bundle(entryPoint, pool.TakeCallIds(size), size) { Trace = Trace, Timeout = options?.Timeout, MakeCallbacks = _makeCallbacks };
            _firstIndex = index;
        }

        _bundle.Add(payload);
        return true;
    }

    /// <summary>Closes the open bundle.</summary>
    public BundleOutcomes<T> Close(CancellationToken cancellationToken)
    {
        var bundle = _bundle!;
        _bundle = null;
        return new BundleOutcomes<T>(pool, settings, _version!, bundle, _firstIndex, options, cancellationToken);
    }
}
