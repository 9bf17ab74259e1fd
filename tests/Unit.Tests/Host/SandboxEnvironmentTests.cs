using System.Collections;
using ProcessPool.Launch;

namespace ProcessPool.Unit.Tests.Host;

public sealed class SandboxEnvironmentTests
{
    [Fact]
    public void Thread_caps_and_gpu_off_are_set_by_default()
    {
        var variables = Build([]);
        foreach (var name in new[] { "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS" })
        {
            Assert.Equal("1", variables[name]);
        }

        Assert.Equal(("-1", "-1", "-1"), (variables["CUDA_VISIBLE_DEVICES"], variables["HIP_VISIBLE_DEVICES"], variables["ROCR_VISIBLE_DEVICES"]));
        Assert.Equal(Math.Max(1, Environment.ProcessorCount / 2).ToString(), variables["DOTNET_PROCESSOR_COUNT"]);
        Assert.DoesNotContain("CUDA_VISIBLE_DEVICES", Build([], options => options.Gpu = GpuAccess.On).Keys);
    }

    [Fact]
    public void What_the_host_or_the_user_sets_wins()
    {
        var host = new Hashtable { ["OMP_NUM_THREADS"] = "8", ["CUDA_VISIBLE_DEVICES"] = "0", ["A"] = "host" };
        var variables = Build(host, options =>
        {
            options.Environment["CUDA_VISIBLE_DEVICES"] = "1";
            options.Environment["A"] = null;
            options.Environment["WHO"] = "{pool} {worker}";
            options.WorkerEnvironment = worker => [new("MINE", $"{{worker}}{worker}"), new("WHO", "me")];
        });
        Assert.Equal(("8", "1", "me", "11"), (variables["OMP_NUM_THREADS"], variables["CUDA_VISIBLE_DEVICES"], variables["WHO"], variables["MINE"]));
        Assert.DoesNotContain("A", variables.Keys);
    }

    [Fact]
    public void Runtime_hooks_are_not_inherited()
    {
        var variables = Build(new Hashtable { ["LD_PRELOAD"] = "x", ["DOTNET_STARTUP_HOOKS"] = "x", ["SECRET"] = "s" });
        Assert.DoesNotContain("LD_PRELOAD", variables.Keys);
        Assert.DoesNotContain("DOTNET_STARTUP_HOOKS", variables.Keys);
        Assert.Equal("s", variables["SECRET"]);
    }

    [Fact]
    public void A_clean_environment_has_only_what_a_process_needs()
    {
        var variables = Build(new Hashtable { ["PATH"] = "/bin", ["SECRET"] = "s", ["CUDA_VISIBLE_DEVICES"] = "0" }, options => options.InheritEnvironment = false);
        Assert.Equal("/bin", variables["PATH"]);
        Assert.DoesNotContain("SECRET", variables.Keys);
        Assert.Equal("-1", variables["CUDA_VISIBLE_DEVICES"]);
    }

    [Fact]
    public void Each_worker_has_a_gpu_in_turn_whatever_this_process_sees()
    {
        var host = new Hashtable { ["CUDA_VISIBLE_DEVICES"] = "0,1,2,3" };
        var third = Build(host, options =>
        {
            options.GpuAssignment = GpuAssignment.RoundRobin(4, 5);
            options.Environment["MODEL"] = "on-{gpu}";
        }, worker: 3);
        Assert.Equal(("5", "5", "0", "PCI_BUS_ID", "on-5"), (third["CUDA_VISIBLE_DEVICES"], third["ROCR_VISIBLE_DEVICES"], third["HIP_VISIBLE_DEVICES"], third["CUDA_DEVICE_ORDER"], third["MODEL"]));
        Assert.Throws<ArgumentException>(() => GpuAssignment.RoundRobin());
        Assert.Throws<ArgumentOutOfRangeException>(() => GpuAssignment.RoundRobin(0, -1));
    }

    [Fact]
    public void A_confined_sandbox_has_a_clean_environment_unless_that_is_weakened()
    {
        var host = new Hashtable { ["SECRET"] = "s" };
        Assert.DoesNotContain("SECRET", Build(host, options => options.Confinement = ConfinementPolicy.Restricted).Keys);
        Assert.Contains("SECRET", Build(host, options => options.Confinement = ConfinementPolicy.Restricted with { Weakenings = [Weakening.InheritedEnvironment] }).Keys);
    }

    [Fact]
    public void With_a_limit_of_private_memory_the_managed_heap_leaves_room_for_the_rest() =>
        Assert.Equal("C000000", Build([], options => options.Confinement = ConfinementPolicy.Limits with { MemoryLimit = 256L << 20 })["DOTNET_GCHeapHardLimit"]);

    [Theory]
    [InlineData(null, 0)]
    [InlineData("2", 2)]
    [InlineData("junk", 0)]
    [InlineData("-5", 0)]
    public void Each_pool_counts_the_pools_around_it(string? around, int expected)
    {
        Assert.Equal(expected, PoolDepth.Parse(around));
        Assert.Equal("3", Build(new Hashtable { ["PROCESSPOOL_DEPTH"] = around })["PROCESSPOOL_DEPTH"]);
    }

    private static Dictionary<string, string> Build(Hashtable host, Action<SandboxPoolOptions>? change = null, int worker = 1) =>
        SandboxEnvironment.Build(
            Some.Settings(options =>
            {
                options.Workers = 2;
                change?.Invoke(options);
            }),
            "pool", "pool-1", worker, host, depth: 3);
}
