using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A worker that gets its calls together, one of which does not end by itself. No process, no real time.</summary>
internal sealed class ChunkStage
{
    private readonly TaskCompletionSource _go = new();
    private readonly TaskCompletionSource _begun = new();

    /// <summary>How often the pool looks.</summary>
    public static TimeSpan Look { get; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Answers all calls but one, when they may go.</summary>
    public FakeWorker Executing(Invocation call, Task<CallReply> reply)
    {
        var worker = new FakeWorker("w");
        worker.OnInvoke = async (request, _) =>
        {
            worker.Mark = new RecorderMark(request.Id, 0, 0);
            await _go.Task;
            if (request.Id != call.Request.Id)
            {
                return Some.Reply;
            }

            _begun.TrySetResult();
            return await reply;
        };
        return worker;
    }

    /// <summary>The first call of all holds the worker until the others wait. Ends when the one that is not to end has begun, and the pool has looked for the first time.</summary>
    public async Task<long> BeginAsync(PoolRig rig, FakeWorker worker)
    {
        _go.SetResult();
        await _begun.Task.Within("the call begins");

        // The pool looks from when on it has sent a chunk.
        foreach (var _ in worker.Chunks)
        {
            await rig.Time.NextAsync(due => due == Look).Within("the pool is about to look");
        }

        var looks = worker.Looks;
        await PassAsync(rig, () => worker.Looks > looks);
        return rig.Time.GetTimestamp();
    }

    /// <summary>Lets time pass, in steps as small as the pool's own looks; what they set off may go on elsewhere.</summary>
    public static async Task PassAsync(PoolRig rig, Func<bool> until, Action? meanwhile = null)
    {
        for (var i = 0; i < 100_000 && !until(); i++)
        {
            meanwhile?.Invoke();
            rig.Time.Advance(Look);
            await Task.Yield();
        }

        Assert.True(until(), "Expected that to happen in the end.");
    }
}
