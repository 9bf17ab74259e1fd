using ProcessPool.Workers;

namespace ProcessPool.Testing;

/// <summary>What is to go wrong. Thread-safe.</summary>
internal sealed class Script
{
    private readonly Lock _gate = new();
    private readonly List<(string EntryPoint, int? Call, WorkerExit? Death)> _faults = [];
    private readonly List<(int? Start, string Message)> _failures = [];
    private readonly Dictionary<string, int> _calls = new(StringComparer.Ordinal);
    private int _starts;

    /// <param name="entryPoint">Whose calls.</param>
    /// <param name="call">Which one; null: each.</param>
    /// <param name="death">How the worker dies; null: the call hangs.</param>
    public void Add(string entryPoint, int? call, WorkerExit? death)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(entryPoint);
        ArgumentOutOfRangeException.ThrowIfLessThan(call ?? 1, 1);
        lock (_gate)
        {
            _faults.Add((entryPoint, call, death));
        }
    }

    public void FailStart(int? start, string message)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(start ?? 1, 1);
        lock (_gate)
        {
            _failures.Add((start, message));
        }
    }

    /// <summary>Refuses faults of what is not there: a test that waits for one would pass without it.</summary>
    /// <exception cref="ArgumentException">There is such a fault.</exception>
    public void Check(IReadOnlyCollection<string> entryPoints)
    {
        lock (_gate)
        {
            if (_faults.Find(fault => !entryPoints.Contains(fault.EntryPoint)).EntryPoint is { } unknown)
            {
                throw new ArgumentException($"The script has a fault of '{unknown}', which is no entry point of it. There are: {string.Join(", ", entryPoints.Order(StringComparer.Ordinal))}.");
            }
        }
    }

    /// <summary>A worker starts.</summary>
    /// <returns>Why it does not; null: it does.</returns>
    public string? NextStart()
    {
        lock (_gate)
        {
            _starts++;
            return _failures.Find(failure => failure.Start is null || failure.Start == _starts).Message;
        }
    }

    /// <summary>A worker is given a call.</summary>
    /// <returns>Whether something goes wrong, and if so how the worker dies; null: the call hangs.</returns>
    public (bool IsFault, WorkerExit? Death) NextCall(string entryPoint)
    {
        lock (_gate)
        {
            var number = _calls[entryPoint] = _calls.GetValueOrDefault(entryPoint) + 1;
            var fault = _faults.Find(each => each.EntryPoint == entryPoint && (each.Call is null || each.Call == number));
            return (fault.EntryPoint is not null, fault.Death);
        }
    }
}
