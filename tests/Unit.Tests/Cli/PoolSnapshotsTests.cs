using ProcessPool.Cli.Top;

namespace ProcessPool.Unit.Tests.Cli;

public sealed class PoolSnapshotsTests
{
    private readonly PoolSnapshots _snapshots = new();

    [Fact]
    public void Pools_and_their_workers_are_a_snapshot_when_its_end_comes()
    {
        Assert.Null(Pool("pdf", calls: 7, exits: "crash=2 timeout=1"));
        Assert.Null(Worker("pdf", "pdf-10"));
        Assert.Null(Worker("pdf", "pdf-9"));
        Assert.Null(Pool("api"));
        var snapshot = End(1, pools: 2);
        Assert.NotNull(snapshot);
        Assert.Equal(["api", "pdf"], snapshot.Pools.Select(pool => pool.Name));
        var pdf = snapshot.Pools[1];
        Assert.Equal(("shuttingDown", 2, 3, 7L, 1L, 4L), (pdf.State, pdf.Size, pdf.Queued, pdf.Calls, pdf.Failed, pdf.Retries));
        Assert.Equal([new("crash", 2), new("timeout", 1)], pdf.Exits);
        Assert.Equal(["pdf-9", "pdf-10"], pdf.Workers.Select(worker => worker.Name));
        Assert.Equal(new WorkerLine("pdf-9", 4711, "busy", 5, 1000, 2.0, 60.0), pdf.Workers[0]);
        Assert.Empty(snapshot.Pools[0].Workers);
    }

    [Fact]
    public void Rates_are_of_the_time_since_the_snapshot_before()
    {
        Pool("pdf", calls: 100);
        Worker("pdf", "pdf-1", processor: 10);
        var first = End(1, pools: 1);
        Assert.Null(first!.Pools[0].CallsPerSecond);
        Assert.Null(first.Pools[0].Workers[0].Processors);

        Pool("pdf", calls: 150);
        Worker("pdf", "pdf-1", processor: 11);
        Worker("pdf", "pdf-2", processor: 3);
        var second = End(3, pools: 1);
        Assert.Equal(25, second!.Pools[0].CallsPerSecond);
        Assert.Equal([0.5, null], second.Pools[0].Workers.Select(worker => worker.Processors));
    }

    [Fact]
    public void What_counts_less_than_before_is_something_new_and_has_no_rate()
    {
        Pool("pdf", calls: 100);
        Worker("pdf", "pdf-1", processor: 10);
        End(1, pools: 1);
        Pool("pdf", calls: 5);
        Worker("pdf", "pdf-1", processor: 1);
        var second = End(2, pools: 1);
        Assert.Null(second!.Pools[0].CallsPerSecond);
        Assert.Null(second.Pools[0].Workers[0].Processors);
    }

    [Fact]
    public void A_snapshot_that_began_before_one_listened_is_none_and_the_next_is_whole()
    {
        Worker("api", "api-1");
        Pool("pdf");
        Assert.Null(End(1, pools: 2));
        Assert.Null(End(2, pools: 1));
        Pool("pdf");
        Assert.Equal("pdf", End(3, pools: 1)!.Pools[0].Name);
        Assert.Empty(End(4, pools: 0)!.Pools);
    }

    [Fact]
    public void Pools_of_one_name_are_two_pools()
    {
        Pool("pdf", calls: 1);
        Pool("pdf", calls: 10);
        End(1, pools: 2);
        Pool("pdf", calls: 2);
        Pool("pdf", calls: 20);
        Assert.Equal([1, 10], End(2, pools: 2)!.Pools.Select(pool => pool.CallsPerSecond ?? -1));
    }

    [Fact]
    public void Events_that_do_not_fit_are_left_out_and_those_of_later_versions_are_read()
    {
        Assert.Null(_snapshots.Take(20, TimeSpan.Zero, []));
        Assert.Null(_snapshots.Take(20, TimeSpan.Zero, ["pdf", "Running", "two", 3, 1L, 1L, 4L, ""]));
        Assert.Null(_snapshots.Take(99, TimeSpan.Zero, ["pdf"]));
        Assert.Null(_snapshots.Take(22, TimeSpan.Zero, [null]));
        _snapshots.Take(20, TimeSpan.Zero, ["pdf", "Running", 2, 3, 1L, 1L, 4L, "crash=x =1 killed=3 a=b=c", "later"]);
        Worker("other", "other-1");
        Worker("pdf", "pdf-1", processor: double.NaN);
        var pool = Assert.Single(End(1, pools: 1)!.Pools);
        Assert.Empty(pool.Workers);
        Assert.Equal([new("killed", 3)], pool.Exits.Where(exit => exit.Key.Length > 0));
    }

    [Fact]
    public void Texts_are_clean_and_short_and_lines_are_bounded()
    {
        Pool("\u001b[31mred\n" + new string('x', 1000));
        for (var i = 0; i < 20_000; i++)
        {
            Worker("\u001b[31mred\n" + new string('x', 1000), $"w-{i}");
        }

        var pool = End(1, pools: 1)!.Pools[0];
        Assert.StartsWith(" [31mred x", pool.Name);
        Assert.Equal(80, pool.Name.Length);
        Assert.Equal(9_999, pool.Workers.Count);
    }

    [Fact]
    public void The_table_shows_each_pool_with_its_workers_and_no_escape_codes()
    {
        Pool("pdf", calls: 100, exits: "crash=2 timeout=1");
        Worker("pdf", "pdf-1", processor: 10);
        End(1, pools: 1);
        Pool("pdf", calls: 350, exits: "crash=2 timeout=1");
        Worker("pdf", "pdf-1", processor: 10.5, resident: 45_300_000, uptime: 3_725);
        var lines = PoolTable.Plain("process 1", End(2, pools: 1)!).Split('\n');
        Assert.Equal("process 1", lines[0]);
        Assert.Equal("pdf  shuttingDown  1 of 2 workers  3 queued  350 calls  250/s  1 failed  4 made again  ended: 2 crash, 1 timeout", lines[2]);
        Assert.Equal(["worker", "pid", "state", "calls", "memory", "cpu", "uptime"], Words(lines[3]));
        Assert.Equal(["pdf-1", "4711", "busy", "5", "45", "MB", "50%", "1:02:05"], Words(lines[4]));
        Assert.Equal(5, lines.Length);
        Assert.Equal(new string('x', 159) + "…", PoolTable.Plain(new string('x', 500), End(3, pools: 0)!).Split('\n')[0]);
        Assert.EndsWith("no running pool", PoolTable.Plain("[process] 1", End(4, pools: 0)!));

        static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    private Snapshot? Pool(string name, long calls = 0, string exits = "") => _snapshots.Take(20, TimeSpan.Zero, [name, "ShuttingDown", 2, 3, calls, 1L, 4L, exits]);

    private Snapshot? Worker(string pool, string name, double processor = 2, long resident = 1000, double uptime = 60) =>
        _snapshots.Take(21, TimeSpan.Zero, [pool, name, 4711, "Busy", 5L, resident, processor, uptime]);

    private Snapshot? End(int second, int pools) => _snapshots.Take(22, TimeSpan.FromSeconds(second), [pools]);
}
