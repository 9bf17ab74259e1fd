using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>How far a worker has come with calls that go together, as the looks at it see it. Its user's lock is around it.</summary>
/// <param name="calls">The calls.</param>
internal sealed class ChunkProgress(Chunk calls)
{
    private readonly bool[] _answered = new bool[calls.Count];
    private int _answers;
    private (int Answers, long Begun) _seen = (0, -1);
    private int _owed = -1;

    /// <summary>Those that have neither a reply nor gone elsewhere.</summary>
    public IEnumerable<int> Unanswered => Enumerable.Range(0, calls.Count).Where(index => !_answered[index]);

    /// <summary>Those that may still go elsewhere.</summary>
    public List<int> Open => [.. Unanswered.Where(calls.IsAssigned)];

    public bool IsAnswered(int index) => _answered[index];

    /// <summary>It has its reply, or goes elsewhere.</summary>
    public void Answered(int index)
    {
        _answered[index] = true;
        _answers++;
    }

    /// <summary>Whether there was an answer or another call was begun since the last look.</summary>
    /// <param name="mark">What the worker has begun counts too: its answers may be here, and nobody has come to read them yet.</param>
    public bool GoesOn(RecorderMark? mark)
    {
        var seen = (_answers, mark?.StartedCall ?? 0);
        var goesOn = seen != _seen;
        _seen = seen;
        return goesOn;
    }

    /// <summary>Whether the worker owes the same call's answer as at the last look. It answers in turn, so that is the one that executes, whatever it says itself.</summary>
    /// <param name="isLetGo">Whether nobody waits for a call any more that has not begun.</param>
    /// <param name="index">The call; -1: it owes none.</param>
    public bool OwesTheSame(Func<int, bool> isLetGo, out int index)
    {
        index = Unanswered.Where(index => !isLetGo(index)).FirstOrDefault(-1);
        var isSame = index == _owed;
        _owed = index;
        return isSame;
    }
}
