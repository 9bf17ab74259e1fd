using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>What a look at calls that go together has found.</summary>
/// <param name="GoesOn">There was an answer, or another call was begun, since the look before.</param>
/// <param name="HasReplied">There was a reply.</param>
/// <param name="Named">The call without an answer that the worker says it executes; -1: none.</param>
/// <param name="IsNamedAgain">It said so at the look before, too.</param>
/// <param name="Owed">The first call whose answer somebody waits for; -1: none. A worker answers in turn: it executes that one or has just done so, whatever it says.</param>
/// <param name="IsOwedAgain">It was owed at the look before, too.</param>
/// <param name="OwesMore">Others wait behind that one.</param>
internal readonly record struct ChunkLook(bool GoesOn, bool HasReplied, int Named, bool IsNamedAgain, int Owed, bool IsOwedAgain, bool OwesMore);

/// <summary>How far a worker has come with calls that go together. Its user's lock is around it.</summary>
/// <param name="calls">The calls.</param>
internal sealed class ChunkProgress(Chunk calls)
{
    private readonly bool[] _answered = new bool[calls.Count];
    private int _taken;
    private int _replies;
    private (int Replies, int Taken, long Begun, int Named, int Owed) _seen = (0, 0, -1, -1, -1);

    /// <summary>Those that have neither a reply nor gone elsewhere.</summary>
    public IEnumerable<int> Unanswered => Enumerable.Range(0, calls.Count).Where(index => !_answered[index]);

    /// <summary>Those that may still go elsewhere.</summary>
    public List<int> Open => [.. Unanswered.Where(calls.IsAssigned)];

    /// <summary>Those that may still go elsewhere, if they are more than the one that the worker executes.</summary>
    public List<int> Movable(ChunkLook look) =>
        Unanswered.Skip(1).Any() && Open is var open && open.Exists(index => index != (look.Named >= 0 ? look.Named : look.Owed)) ? open : [];

    public bool IsAnswered(int index) => _answered[index];

    /// <summary>It has its reply.</summary>
    public void Reply(int index)
    {
        _answered[index] = true;
        _replies++;
    }

    /// <summary>It was taken back.</summary>
    public void Take(int index)
    {
        _answered[index] = true;
        _taken++;
    }

    /// <summary>Looks.</summary>
    /// <param name="mark">What the worker has begun counts too: its answers may be here, and nobody has come to read them yet.</param>
    /// <param name="isLetGo">Whether nobody waits for a call's answer.</param>
    public ChunkLook Look(RecorderMark? mark, Func<int, bool> isLetGo)
    {
        var begun = mark?.StartedCall ?? 0;
        var named = calls.IndexOf(begun) is >= 0 and var index && !_answered[index] ? index : -1;
        List<int> owed = [.. Unanswered.Where(each => !isLetGo(each)).Take(2)];
        var first = owed.Count > 0 ? owed[0] : -1;
        var look = new ChunkLook(
            (_replies, _taken, begun) != (_seen.Replies, _seen.Taken, _seen.Begun), _replies != _seen.Replies, named, named == _seen.Named, first, first == _seen.Owed, owed.Count > 1);
        _seen = (_replies, _taken, begun, named, first);
        return look;
    }
}
