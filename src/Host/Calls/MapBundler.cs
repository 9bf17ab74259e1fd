using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ProcessPool.Binding.Payload;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Supervision;

namespace ProcessPool.Calls;

/// <summary>Makes bundles of a map's items, as large as calls are short. What needs a call of its own, it leaves alone. One thread writes; adding and closing are under one lock.</summary>
/// <param name="pool">The pool.</param>
/// <param name="settings">The pool's.</param>
/// <param name="entryPoint">The entry point.</param>
/// <param name="options">What the calls have different.</param>
internal sealed class MapBundler<TItem, TResult>(SandboxPool pool, PoolSettings settings, string entryPoint, CallOptions? options)
{
    private static readonly bool IsExact = typeof(TItem) == typeof(string) || typeof(TItem).IsValueType && !LiveArgument.IsLive(typeof(TItem));

    private readonly ArrayBufferWriter<byte> _payload = new();
    private readonly List<ReadOnlyMemory<byte>> _attachments = [];
    private Utf8JsonWriter? _writer;
    private PluginVersion? _version;
    private Bundle? _bundle;
    private long _firstIndex;

    /// <summary>Makes one; null when the calls of this map cannot go together.</summary>
    public static MapBundler<TItem, TResult>? For(SandboxPool pool, PoolSettings settings, string entryPoint, CallOptions? options) =>
        settings is { Debug: false, CallTimeout: null, QueueTimeout: null, WhenFull: WhenFull.Wait, Recycle.AfterCalls: null, Services.IsEmpty: true }
        && options is null or { Timeout: null, AffinityKey: null }
            ? new(pool, settings, entryPoint, options)
            : null;

    /// <summary>How many items may be under way so that no worker waits for the next ones.</summary>
    /// <param name="size">How many items a bundle has.</param>
    public int ReadAhead(int size) => size * (2 * settings.Workers + 1);

    /// <summary>Whether the bundle is to be closed.</summary>
    public bool IsFull => _bundle?.IsFull == true;

    /// <summary>How many items a bundle is to have just now; 1: none.</summary>
    public int Size => pool.Version is { } version ? version.Supervisor.Chunks.Of(entryPoint) : 1;

    /// <summary>Adds the item that was written last to the open bundle, or to a new one.</summary>
    /// <returns>False when it is to be a call of its own.</returns>
    public bool TryAdd(long index)
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

            _bundle = new Bundle(entryPoint, pool.TakeCallIds(size), size);
            _firstIndex = index;
        }

        _bundle.Add(_payload.WrittenSpan);
        return true;
    }

    /// <summary>Whether there is an open bundle.</summary>
    public bool IsOpen => _bundle is not null;

    /// <summary>Closes the open bundle.</summary>
    public MapBundle<TResult> Close(CancellationToken cancellationToken)
    {
        var bundle = _bundle!;
        _bundle = null;
        return new MapBundle<TResult>(pool, settings, _version!, bundle, _firstIndex, options, cancellationToken);
    }

    /// <summary>Writes an item, to be added.</summary>
    /// <returns>False when it is to be a call of its own.</returns>
    public bool TryWrite(TItem item)
    {
        if (Size < 2)
        {
            return false;
        }

        if (!IsExact && (item is CallArguments || LiveArgument.From(item) is not null))
        {
            return false;
        }

        _payload.ResetWrittenCount();
        _attachments.Clear();
        _writer ??= new Utf8JsonWriter(_payload, new JsonWriterOptions { Encoder = settings.Json.Options.Encoder, SkipValidation = true });
        _writer.Reset();
        using var scope = AttachmentScope.ForWriting(_attachments);
        try
        {
            _writer.WriteStartArray();
            if (IsExact)
            {
                JsonSerializer.Serialize(_writer, item, (JsonTypeInfo<TItem>)settings.Json.Of(typeof(TItem)));
            }
            else
            {
                JsonSerializer.Serialize(_writer, item, settings.Json.Of(item?.GetType() ?? typeof(object)));
            }

            _writer.WriteEndArray();
            _writer.Flush();
        }
        catch (Exception)
        {
            // By itself it fails with what is wrong with it.
            return false;
        }

        return _attachments.Count == 0 && _payload.WrittenCount <= Invocation.MaxTogetherBytes;
    }
}
