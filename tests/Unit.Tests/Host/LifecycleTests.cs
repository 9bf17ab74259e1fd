using ProcessPool.Scheduling;
using ProcessPool.Supervision;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>Every move of the two state machines, as docs/lifecycle.md shows them.</summary>
public sealed class LifecycleTests
{
    private static readonly string Document = Path.Combine(Repository.Root, "docs", "lifecycle.md");

    [Fact]
    public void Every_pair_of_state_and_trigger_does_what_the_document_says()
    {
        Check(WorkerLifecycle.Table);
        Check(CallLifecycle.Table);
    }

    [Fact]
    public void A_move_that_is_not_in_the_table_is_loud()
    {
        var life = new WorkerLifecycle();
        life.Fire(WorkerTrigger.Ready);
        var fault = Assert.Throws<InvalidOperationException>(() => life.Fire(WorkerTrigger.Assign));
        Assert.Contains("A worker that is Standby cannot Assign", fault.Message);
        Assert.Equal(WorkerPhase.Standby, life.Phase);
    }

    [Fact]
    public void A_call_is_settled_once_however_many_try()
    {
        var call = Some.Call();
        call.Assign();
        var won = 0;
        Parallel.For(0, 100, i =>
        {
            if (i % 2 == 0 ? call.Succeed(new SettledCall(Some.Reply, call, new Incarnation(new FakeWorker("p-0"), 0, 1, 0), "p")) : call.Fail(new FormatException()))
            {
                Interlocked.Increment(ref won);
            }
        });
        Assert.Equal(1, won);
        call.Return();
        Assert.Equal(CallPhase.Settled, call.Phase);
    }

    private static void Check<TState, TTrigger>(TransitionTable<TState, TTrigger> table)
        where TState : struct, Enum
        where TTrigger : struct, Enum
    {
        var printed = table.ToMarkdown();
        Assert.True(File.ReadAllText(Document).Contains(printed, StringComparison.Ordinal), $"Expected {Document} to have this table:\n{printed}");
        var rows = printed.TrimEnd().Split('\n').Skip(2).Select(row => row.Trim('|', ' ').Split(" | ")).ToDictionary(row => Enum.Parse<TState>(row[0].Trim('*')), row => row[1..]);
        foreach (var state in Enum.GetValues<TState>())
        {
            foreach (var (index, trigger) in Enum.GetValues<TTrigger>().Index())
            {
                if (rows[state][index] == "–")
                {
                    Assert.Throws<InvalidOperationException>(() => table.Next(state, trigger));
                }
                else
                {
                    Assert.Equal(Enum.Parse<TState>(rows[state][index]), table.Next(state, trigger));
                }
            }
        }
    }
}
