using System.Collections.Frozen;
using System.Text;

namespace ProcessPool;

/// <summary>A state machine as data: every move that is allowed. Thread-safe.</summary>
internal sealed class TransitionTable<TState, TTrigger>(string subject, params (TState From, TTrigger On, TState To)[] moves)
    where TState : struct, Enum
    where TTrigger : struct, Enum
{
    private readonly FrozenDictionary<(TState, TTrigger), TState> _moves = moves.ToFrozenDictionary(move => (move.From, move.On), move => move.To);

    /// <summary>The state after a trigger.</summary>
    /// <exception cref="InvalidOperationException">The table has no such move: a fault of this library.</exception>
    public TState Next(TState from, TTrigger on) =>
        _moves.TryGetValue((from, on), out var to) ? to : throw new InvalidOperationException($"A {subject} that is {from} cannot {on}. This is a fault of ProcessPool: please report it.");

    /// <summary>The table for people: a row for each state, a column for each trigger.</summary>
    public string ToMarkdown()
    {
        var triggers = Enum.GetValues<TTrigger>();
        string[] heads = [subject, .. triggers.Select(trigger => trigger.ToString())];
        var text = new StringBuilder(Row(heads)).Append(Row(heads.Select(_ => "---")));
        foreach (var state in Enum.GetValues<TState>())
        {
            text.Append(Row([$"**{state}**", .. triggers.Select(trigger => _moves.TryGetValue((state, trigger), out var to) ? to.ToString() : "–")]));
        }

        return text.ToString();

        static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |\n";
    }
}
