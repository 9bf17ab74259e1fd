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
        Expect(false, 0, null);
        Expect(true, 0, null);
        Expect(true, 0, _calls.IdOf(0));
        _progress.Answered(0);
        Expect(false, 1, _calls.IdOf(0));
        Expect(false, 2, _calls.IdOf(2));
        Expect(true, 2, _calls.IdOf(2));
    }

    [Fact]
    public void To_go_back_or_to_name_a_call_of_others_is_none()
    {
        Expect(false, 2, _calls.IdOf(2));
        Expect(true, 1, _calls.IdOf(1));
        Expect(true, 0, long.MaxValue);
    }

    [Fact]
    public void One_that_was_left_out_is_the_one_that_executes()
    {
        Expect(false, 2, _calls.IdOf(2));
        _progress.Answered(1);
        _progress.Answered(2);
        Expect(true, 0, _calls.IdOf(2));
        _progress.Answered(0);
        Expect(true, -1, _calls.IdOf(2));
    }

    private void Expect(bool standsStill, int current, long? begun)
    {
        Assert.Equal(standsStill, _progress.StandsStill(begun is { } id ? new RecorderMark(id, 0, 0) : null, out var found));
        Assert.Equal(current, found);
    }
}
