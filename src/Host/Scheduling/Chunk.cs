using ProcessPool.Calls;
using ProcessPool.Protocol;

namespace ProcessPool.Scheduling;

/// <summary>Calls of one entry point that go to a worker together.</summary>
internal abstract class Chunk
{
    public abstract string EntryPoint { get; }

    public abstract int Count { get; }

    /// <summary>Whether nothing has happened to any of them that would need a call of its own.</summary>
    public virtual bool IsPlain(int index) => false;

    /// <summary>The call, by itself.</summary>
    public abstract Invocation this[int index] { get; }

    public abstract long IdOf(int index);

    /// <summary>Which call has this id; -1: none of them.</summary>
    public abstract int IndexOf(long id);

    /// <summary>The span that the call is part of; null: it is not traced.</summary>
    public abstract TraceParent? TraceOf(int index);

    /// <summary>How long the call may execute; null: as long as the pool's calls may.</summary>
    public abstract TimeSpan? TimeoutOf(int index);

    /// <summary>What the call may ask of its host; null: nothing.</summary>
    public abstract Callbacks? CallbacksOf(int index);

    /// <summary>Whether its worker has asked for anything on the call's behalf: then it has begun, whatever else that says.</summary>
    public abstract bool HasAsked(int index);

    /// <summary>Whether its calls may wait as long as it takes: they are a map's.</summary>
    public abstract bool MayWait { get; }

    /// <summary>As it travels.</summary>
    public abstract CallChunk ToMessage();

    /// <summary>A plain one has succeeded.</summary>
    /// <param name="index">Which one.</param>
    /// <param name="json">Its result.</param>
    public virtual void Succeed(int index, ReadOnlySpan<byte> json) => throw new NotSupportedException();

    /// <summary>What was read at once has been handed over.</summary>
    public virtual void Received()
    {
    }

    /// <summary>Whether its caller has its result, or has left.</summary>
    public bool IsSettled(int index) => !IsPlain(index) && this[index].Phase == CallPhase.Settled;

    /// <summary>Whether it may still go elsewhere.</summary>
    public bool IsAssigned(int index) => IsPlain(index) || this[index].Phase == CallPhase.Assigned;
}

/// <summary>Calls that waited in the queue.</summary>
internal sealed class QueuedCalls(List<Invocation> calls) : Chunk
{
    public override string EntryPoint => calls[0].Request.EntryPoint;

    public override int Count => calls.Count;

    public override Invocation this[int index] => calls[index];

    public override long IdOf(int index) => calls[index].Request.Id;

    public override int IndexOf(long id) => calls.FindIndex(call => call.Request.Id == id);

    public override TraceParent? TraceOf(int index) => calls[index].Request.Trace;

    public override TimeSpan? TimeoutOf(int index) => calls[index].Options.Timeout;

    public override Callbacks? CallbacksOf(int index) => calls[index].Callbacks;

    public override bool HasAsked(int index) => calls[index].Callbacks is { WasUsed: true };

    public override bool MayWait => calls.TrueForAll(call => call.Options.IsOfMap);

    public override CallChunk ToMessage() => CallChunk.Of(calls.ConvertAll(call => call.Request));
}
