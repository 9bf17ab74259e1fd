using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ProcessPool.Cli.Input;

namespace ProcessPool.Cli.Map;

/// <summary>Makes a call for each line, and makes it again when it fails and may be.</summary>
/// <param name="pool">The pool.</param>
/// <param name="entryPoint">The entry point.</param>
/// <param name="options">What was asked for.</param>
/// <param name="drain">Cancelled when nothing new is to be begun.</param>
internal sealed class MapCalls(SandboxPool pool, EntryPointInfo entryPoint, MapOptions options, CancellationToken drain)
{
    /// <summary>How many lines may be tried again at a time.</summary>
    private const int MaxAgain = 64;

    // Those that wait already go first: their lines are the oldest.
    private static readonly CallOptions Again = new() { Priority = CallPriority.High };

    private readonly ConcurrentDictionary<long, MapItem> _underWay = new();

    /// <summary>Yields what became of each line: in their order, or as completed.</summary>
    /// <param name="items">The lines to call for. Read as there is room.</param>
    /// <param name="stop">Ends the calls under way.</param>
    public IAsyncEnumerable<MapOutcome> RunAsync(IAsyncEnumerable<MapItem> items, CancellationToken stop)
    {
        var outcomes = pool.MapAsync<CallArguments, JsonElement>(entryPoint.Name, ArgumentsAsync(items), options.KeepOrder, cancellationToken: stop);
        return options.Retries > 0 && !options.KeepOrder ? AsCompletedAsync(outcomes, stop) : InTurnAsync(outcomes, stop);
    }

    /// <summary>Whether an error may be another one the next time. Arguments that do not fit never will; a pool that has ended has ended.</summary>
    public static bool MayPass(Exception error) => error is PluginCallException or WorkerCrashedException or CallTimeoutException;

    private async IAsyncEnumerable<CallArguments> ArgumentsAsync(IAsyncEnumerable<MapItem> items)
    {
        var number = 0L;
        await foreach (var item in items)
        {
            _underWay[number++] = item;
            yield return ArgumentsOf(item);
        }
    }

    private CallArguments ArgumentsOf(MapItem item) => options.Raw ? ArgumentText.FromRawLine(item.Line.Text) : ArgumentText.FromLine(item.Line.Text, entryPoint);

    private async IAsyncEnumerable<MapOutcome> InTurnAsync(IAsyncEnumerable<CallOutcome<JsonElement>> outcomes, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var outcome in outcomes.WithCancellation(CancellationToken.None))
        {
            yield return Take(outcome) is var first && IsToBeTriedAgain(first) ? await TryAgainAsync(first, stop) : first;
        }
    }

    // Others go on while some are tried again.
    private async IAsyncEnumerable<MapOutcome> AsCompletedAsync(IAsyncEnumerable<CallOutcome<JsonElement>> outcomes, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var source = outcomes.GetAsyncEnumerator(CancellationToken.None);
        var again = new List<Task<MapOutcome>>();
        var next = source.MoveNextAsync().AsTask();
        var ended = false;
        try
        {
            while (!ended || again.Count > 0)
            {
                var isFull = again.Count >= MaxAgain;
                if (!ended && !isFull && next.IsCompleted)
                {
                    ended = !await next;
                    if (ended)
                    {
                        continue;
                    }

                    var first = Take(source.Current);
                    next = source.MoveNextAsync().AsTask();
                    if (IsToBeTriedAgain(first))
                    {
                        again.Add(TryAgainAsync(first, stop));
                    }
                    else
                    {
                        yield return first;
                    }
                }
                else if (await Task.WhenAny(ended || isFull ? again : [.. again, next]) is Task<MapOutcome> done && again.Remove(done))
                {
                    yield return await done;
                }
            }
        }
        finally
        {
            // Iterators must not be disposed of while they run. Whoever leaves early has cancelled.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private MapOutcome Take(CallOutcome<JsonElement> outcome) => _underWay.TryRemove(outcome.Index, out var item) ? new MapOutcome(item, outcome, 1) : throw new InvalidOperationException($"There is no item {outcome.Index} under way.");

    private bool IsToBeTriedAgain(MapOutcome outcome) => outcome.Tries <= options.Retries && outcome.Outcome.Error is { } error && MayPass(error) && !drain.IsCancellationRequested;

    private async Task<MapOutcome> TryAgainAsync(MapOutcome outcome, CancellationToken stop)
    {
        while (IsToBeTriedAgain(outcome))
        {
            outcome = outcome with
            {
                Tries = outcome.Tries + 1,
                Outcome = await pool.OutcomeAsync<JsonElement>(outcome.Item.Index, entryPoint.Name, ArgumentsOf(outcome.Item), Again, queued: null, stop),
            };
        }

        return outcome;
    }
}
