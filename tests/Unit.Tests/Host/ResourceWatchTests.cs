using ProcessPool.Launch;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>What the pool looks at by itself, when that is slow, fails, or shows nothing. No process, no real time.</summary>
public sealed class ResourceWatchTests
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    private readonly List<FakeWorker> _started = [];

    [Theory]
    [InlineData(CrashReason.MemoryLimit)]
    [InlineData(CrashReason.ThreadLimit)]
    public async Task A_worker_that_cannot_be_watched_is_killed_the_second_time(CrashReason reason)
    {
        var rig = await StartAsync(1, options =>
        {
            options.MemoryLimit = reason == CrashReason.MemoryLimit ? 100_000_000 : null;
            options.Confinement = ConfinementPolicy.Limits with { MaxThreads = 100 };
        });
        ProcessUse? use = ProcessUse.Unreadable;
        var worker = _started[0];
        worker.OnReadUse = () => use;
        rig.Time.Advance(Period);
        use = new ProcessUse(1, 1, 1);
        rig.Time.Advance(Period);
        use = ProcessUse.Unreadable;
        rig.Time.Advance(Period);
        Assert.False(worker.Killed, "Once may be an accident.");
        rig.Time.Advance(Period);
        Assert.Equal(reason, (await worker.Exited).Reason);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_worker_that_is_gone_or_ends_is_not_blamed_for_showing_nothing()
    {
        var rig = await StartAsync(1, options => options.MemoryLimit = 100_000_000);
        var worker = _started[0];
        foreach (var use in new ProcessUse?[] { null, new ProcessUse(0, 0, 1) })
        {
            worker.OnReadUse = () => use;
            rig.Time.Advance(4 * Period);
            Assert.False(worker.Killed, $"It shows {use}.");
        }

        await rig.StopAsync();
    }

    [Fact]
    public async Task Without_a_limit_what_cannot_be_read_does_no_harm()
    {
        var rig = await StartAsync(1, _ => { });
        _started[0].OnReadUse = () => ProcessUse.Unreadable;
        rig.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(_started[0].Killed, "Nothing is to be watched.");
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_folder_that_takes_long_to_look_through_delays_no_look_at_others()
    {
        var rig = await StartAsync(2, options => options.Confinement = ConfinementPolicy.Limits with { MaxScratchBytes = 1_000 });
        var (slow, quick) = (0, 0);
        _started[0].OnReadScratch = () =>
        {
            slow++;
            rig.Time.Advance(TimeSpan.FromMilliseconds(100));
            return 0;
        };
        _started[1].OnReadScratch = () => ++quick;
        for (var passed = 0; passed < 8; passed++)
        {
            rig.Time.Advance(Period);
        }

        Assert.Equal((1, 8), (slow, quick));

        // Twenty times as long as it took.
        rig.Time.Advance(2 * Period);
        Assert.Equal(2, slow);
        await rig.StopAsync();
    }

    [Fact]
    public async Task A_look_that_fails_is_logged_once_and_others_are_looked_at()
    {
        var rig = await StartAsync(2, options => options.MemoryLimit = 100_000_000);
        _started[0].OnReadUse = () => throw new InvalidOperationException("a look");
        rig.Time.Advance(4 * Period);
        Assert.Single(rig.Log.Entries, entry => entry.Id == 43);
        _started[1].Memory = 100_000_001;
        rig.Time.Advance(Period);
        Assert.Equal(CrashReason.MemoryLimit, (await _started[1].Exited).Reason);
        await rig.StopAsync();
    }

    private Task<PoolRig> StartAsync(int workers, Action<SandboxPoolOptions> change) => new PoolRig(
        _ =>
        {
            var worker = PoolRig.Answering();
            lock (_started)
            {
                _started.Add(worker);
            }

            return worker;
        },
        options =>
        {
            options.Workers = workers;
            change(options);
        }).StartedAsync();
}
