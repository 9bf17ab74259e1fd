using ProcessPool.Scheduling;
using ProcessPool.Workers;

namespace ProcessPool.Supervision;

/// <summary>How far a worker has come with calls that go together. Its user's lock is around it.</summary>
/// <param name="calls">The calls.</param>
internal sealed class ChunkProgress(Chunk calls)
{
    private readonly bool[] _answered = new bool[calls.Count];
    private int _current = -1;

    /// <summary>Those that have neither a reply nor gone elsewhere.</summary>
    public IEnumerable<int> Unanswered => Enumerable.Range(0, calls.Count).Where(index => !_answered[index]);

    /// <summary>Those that may still go elsewhere.</summary>
    public List<int> Open => [.. Unanswered.Where(calls.IsAssigned)];

    public bool IsAnswered(int index) => _answered[index];

    /// <summary>It has its reply, or goes elsewhere.</summary>
    public void Answered(int index) => _answered[index] = true;

    /// <summary>Whether it comes after the one that executed at the last look.</summary>
    public bool IsBehind(int index) => index > _current;

    /// <summary>Looks which call executes.</summary>
    /// <param name="mark">What the worker has begun: its answers may be here, and nobody has come to read them yet.</param>
    /// <param name="current">The call; -1 when all are answered.</param>
    /// <returns>Whether none has begun since the last look. A sandbox that goes back to an earlier one, or leaves one out, stands still.</returns>
    public bool StandsStill(RecorderMark? mark, out int current)
    {
        current = Array.IndexOf(_answered, false, Math.Max(0, calls.IndexOf(mark?.StartedCall ?? 0)));
        current = current >= 0 ? current : Array.IndexOf(_answered, false);
        var stands = current <= _current;
        _current = current;
        return stands;
    }
}
