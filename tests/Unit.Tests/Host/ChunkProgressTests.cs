using ProcessPool.Scheduling;
using ProcessPool.Supervision;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

public sealed class ChunkProgressTests
{
    private readonly QueuedCalls _calls = new([Some.Call(), Some.Call(), Some.Call()]);
    private readonly ChunkProgress _progress;

    public ChunkProgressTests() => _progress = new ChunkProgress(_calls);

    [Fact]
    public void Answers_and_what_was_begun_are_progress()
    {
        Assert.True(Look(null).GoesOn, "Expected the first look to say so.");
        Assert.False(Look(null).GoesOn, "Expected nothing to have happened.");
        Assert.True(Look(0).GoesOn, "Expected a beginning to count.");
        _progress.Reply(0);
        Assert.Equal((true, true), (Look(0) is var look && look.GoesOn, look.HasReplied));
        Assert.False(Look(0).GoesOn, "Expected nothing to have happened.");
        _progress.Take(1);
        Assert.Equal((true, false), (Look(0) is var taken && taken.GoesOn, taken.HasReplied));
    }

    [Fact]
    public void The_first_without_an_answer_is_owed_but_for_one_that_nobody_waits_for()
    {
        Assert.Equal((0, false), Owed(Look(null)));
        Assert.Equal((0, true), Owed(Look(2)));
        _progress.Reply(0);
        Assert.Equal((1, false), Owed(Look(2)));
        Assert.Equal((2, false), Owed(Look(2, letGo: 1)));
        _progress.Reply(2);
        Assert.Equal((1, false), Owed(Look(2)));
        _progress.Reply(1);
        Assert.Equal((-1, false), Owed(Look(2)));
        Assert.Equal((-1, true), Owed(Look(2)));
    }

    [Fact]
    public void The_one_that_the_worker_names_counts_while_it_has_no_answer()
    {
        Assert.Equal((-1, true), Named(Look(null)));
        Assert.Equal((1, false), Named(Look(1)));
        Assert.Equal((1, true), Named(Look(1)));
        _progress.Reply(1);
        Assert.Equal((-1, false), Named(Look(1)));
        Assert.Equal((2, false), Named(Look(2)));
    }

    [Fact]
    public void What_may_go_elsewhere_is_more_than_the_one_that_executes()
    {
        for (var i = 0; i < _calls.Count; i++)
        {
            _calls[i].Assign();
        }

        Assert.Equal([0, 1, 2], _progress.Movable(Look(null)));
        Assert.Equal([0, 1, 2], _progress.Movable(Look(0)));
        _calls[1].Cancel();
        Assert.Equal([0, 2], _progress.Movable(Look(0, letGo: 1)));
        _calls[2].Cancel();
        Assert.Empty(_progress.Movable(Look(0)));

        // Where nobody says which one executes, it is the one that is owed.
        Assert.Empty(_progress.Movable(Look(null)));
        Assert.Equal([0], _progress.Movable(Look(2)));
    }

    private static (int Index, bool Again) Owed(ChunkLook look) => (look.Owed, look.IsOwedAgain);

    private static (int Index, bool Again) Named(ChunkLook look) => (look.Named, look.IsNamedAgain);

    private ChunkLook Look(int? begun, int letGo = -1) => _progress.Look(begun is { } index ? new RecorderMark(_calls.IdOf(index), 0, 0) : null, index => index == letGo);
}
