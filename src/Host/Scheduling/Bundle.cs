using System.Buffers;
using ProcessPool.Calls;
using ProcessPool.Protocol;
using ProcessPool.Supervision;

namespace ProcessPool.Scheduling;

/// <summary>
/// Items of a map that go to a worker together: one entry in the queue, one message. An item becomes a call of its own only when something happens to it: it
/// fails, its worker dies, it is taken back. One thread fills it, then one receives while another takes the outcomes.
/// </summary>
/// <param name="entryPoint">The entry point.</param>
/// <param name="firstId">The first item's call id.</param>
/// <param name="capacity">How many items it takes at most.</param>
internal sealed class Bundle(string entryPoint, long firstId, int capacity) : Chunk
{
    private const int BufferBytes = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _payloads = new();
    private readonly List<int> _ends = [];
    private ReadOnlyMemory<byte>[] _results = [];
    private bool[] _succeeded = [];
    private Invocation?[]? _calls;
    private Callbacks?[]? _callbacks;
    private Func<int, Invocation>? _makeCall;
    private Action? _onProgress;
    private Memory<byte> _room;

    public override string EntryPoint => entryPoint;

    public override int Count => _ends.Count;

    public bool IsFull => _ends.Count == capacity;

    /// <summary>The span that its items are part of; null: they are not traced.</summary>
    public TraceParent? Trace { get; init; }

    /// <summary>How long an item may execute; null: as long as the pool's calls may.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Makes what an item may ask of its host; null: nothing.</summary>
    public Func<Callbacks>? MakeCallbacks { get; init; }

    /// <summary>Who runs it; where the plain results come from.</summary>
    public Incarnation? Incarnation { get; set; }

    public override long IdOf(int index) => firstId + index;

    public override int IndexOf(long id) => id >= firstId && id - firstId < Count ? (int)(id - firstId) : -1;

    public override TraceParent? TraceOf(int index) => Trace;

    public override TimeSpan? TimeoutOf(int index) => Timeout;

    /// <summary>The arguments of an item.</summary>
    public ReadOnlyMemory<byte> PayloadOf(int index) => _payloads.WrittenMemory[(index == 0 ? 0 : _ends[index - 1]).._ends[index]];

    /// <summary>Adds an item.</summary>
    public void Add(ReadOnlySpan<byte> payload)
    {
        _payloads.Write(payload);
        _ends.Add(_payloads.WrittenCount);
    }

    /// <summary>Cancelled when nobody wants the outcomes any more.</summary>
    public CancellationToken CancellationToken { get; private set; }

    /// <summary>It is complete, and about to be queued.</summary>
    /// <param name="makeCall">Makes an item's call, for a worker that has it.</param>
    /// <param name="onProgress">Told when outcomes are there; may come on any thread.</param>
    /// <param name="cancellationToken">Cancelled when nobody wants them any more.</param>
    public void Close(Func<int, Invocation> makeCall, Action onProgress, CancellationToken cancellationToken)
    {
        (_makeCall, _onProgress, CancellationToken) = (makeCall, onProgress, cancellationToken);
        _results = new ReadOnlyMemory<byte>[Count];
        _succeeded = new bool[Count];
    }

    // There are none where waiting is limited, but a map's.
    public override bool MayWait => true;

    public override Callbacks? CallbacksOf(int index)
    {
        lock (_gate)
        {
            return MakeCallbacks is null ? null : (_callbacks ??= new Callbacks?[Count])[index] ??= MakeCallbacks();
        }
    }

    public override bool HasAsked(int index)
    {
        lock (_gate)
        {
            return _callbacks?[index] is { WasUsed: true };
        }
    }

    public override CallChunk ToMessage()
    {
        var ids = new long[Count];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = firstId + i;
        }

        return new CallChunk(entryPoint, ids, [.. _ends], _payloads.WrittenMemory) { Trace = Trace };
    }

    public override bool IsPlain(int index) => Volatile.Read(ref _calls) is null || Volatile.Read(ref _calls![index]) is null;

    public override Invocation this[int index]
    {
        get
        {
            lock (_gate)
            {
                _calls ??= new Invocation?[Count];
                return _calls[index] ??= _makeCall!(index);
            }
        }
    }

    public override void Succeed(int index, ReadOnlySpan<byte> json)
    {
        if (_room.Length < json.Length)
        {
            _room = new byte[Math.Max(BufferBytes, json.Length)];
        }

        json.CopyTo(_room.Span);
        _results[index] = _room[..json.Length];
        _room = _room[json.Length..];
        Volatile.Write(ref _succeeded[index], true);
    }

    public override void Received() => _onProgress!();

    /// <summary>Takes the result of an item that has succeeded and never was a call of its own. Once.</summary>
    /// <returns>False for others.</returns>
    public bool TryTakeResult(int index, out ReadOnlyMemory<byte> json)
    {
        json = default;
        if (!Volatile.Read(ref _succeeded[index]))
        {
            return false;
        }

        (json, _results[index]) = (_results[index], default);
        return true;
    }
}
