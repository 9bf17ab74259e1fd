namespace ProcessPool.Scheduling;

/// <summary>Shares out affinity keys among takers: equal keys have the same one. Not thread-safe: it belongs to a queue.</summary>
internal sealed class AffineTakers
{
    private readonly List<Taker> _takers = [];

    /// <summary>The calls that are set apart for each.</summary>
    public IEnumerable<WaitingCalls> Calls => _takers.Select(taker => taker.Own);

    public int Count => _takers.Count;

    public void Add(Taker taker) => _takers.Add(taker);

    /// <summary>Who is to get a call; null: anybody. While a key's taker is not active, the same next one stands in.</summary>
    public Taker? Of(Invocation call)
    {
        if (call.Options.AffinityKey is not { } key || _takers.Count == 0)
        {
            return null;
        }

        var start = (int)((uint)key.GetHashCode(StringComparison.Ordinal) % (uint)_takers.Count);
        for (var i = 0; i < _takers.Count; i++)
        {
            var taker = _takers[(start + i) % _takers.Count];
            if (taker.IsActive)
            {
                return taker;
            }
        }

        return null;
    }
}
