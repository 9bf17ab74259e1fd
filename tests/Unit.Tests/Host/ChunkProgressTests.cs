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
        Assert.True(_progress.GoesOn(null), "Expected the first look to say so.");
        Assert.False(_progress.GoesOn(null), "Expected nothing to have happened.");
        Assert.True(_progress.GoesOn(Mark(0)), "Expected a beginning to count.");
        _progress.Answered(0);
        Assert.True(_progress.GoesOn(Mark(0)), "Expected an answer to count.");
        Assert.False(_progress.GoesOn(Mark(0)), "Expected nothing to have happened.");
    }

    [Fact]
    public void The_first_without_an_answer_is_owed_but_for_one_that_nobody_waits_for()
    {
        Expect(false, 0);
        Expect(true, 0);
        _progress.Answered(0);
        Expect(false, 1);
        Expect(false, 2, letGo: 1);
        _progress.Answered(2);
        Expect(false, 1);
        _progress.Answered(1);
        Expect(false, -1);
        Expect(true, -1);
    }

    private void Expect(bool isSame, int owed, int letGo = -1)
    {
        Assert.Equal(isSame, _progress.OwesTheSame(index => index == letGo, out var found));
        Assert.Equal(owed, found);
    }

    private RecorderMark Mark(int index) => new(_calls.IdOf(index), 0, 0);
}
