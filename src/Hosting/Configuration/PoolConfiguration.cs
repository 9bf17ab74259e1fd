using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace ProcessPool.Hosting.Configuration;

/// <summary>The keys of a pool's section, and what each sets.</summary>
internal static class PoolConfiguration
{
    /// <summary>Sets what the section mentions.</summary>
    /// <returns>Everything that is wrong with it.</returns>
    public static IReadOnlyList<string> Apply(IConfigurationSection section, SandboxPoolOptions options)
    {
        var faults = new List<string>();
        var keys = new SectionReader(section, faults);
        keys.Text(nameof(options.Plugin), value => options.Plugin = value);
        keys.Parsed(nameof(options.Workers), WorkerCount.Parse, value => options.Workers = value);
        keys.Number(nameof(options.MinWorkers), value => options.MinWorkers = value);
        keys.Flag(nameof(options.AllowOversubscription), value => options.AllowOversubscription = value);
        keys.Flag(nameof(options.Debug), value => options.Debug = value);
        keys.Map(nameof(options.Environment), (name, value) => options.Environment[name] = value);
        keys.Flag(nameof(options.InheritEnvironment), value => options.InheritEnvironment = value);
        keys.Choice<GpuAccess>(nameof(options.Gpu), value => options.Gpu = value);
        keys.List(nameof(options.GpuAssignment), text => int.Parse(text, CultureInfo.InvariantCulture), devices => SetDevices(section, devices, options, faults));
        keys.Nested(nameof(options.Confinement), confinement => options.Confinement = ConfinementConfiguration.Read(confinement, options.Confinement));
        keys.Text(nameof(options.WorkingDirectory), value => options.WorkingDirectory = value);
        keys.Number(nameof(options.QueueCapacity), value => options.QueueCapacity = value);
        keys.Choice<WhenFull>(nameof(options.WhenFull), value => options.WhenFull = value);
        keys.Time(nameof(options.QueueTimeout), value => options.QueueTimeout = value);
        keys.Nested(nameof(options.Restart), restart => options.Restart = Restart(restart, options.Restart));
        keys.Nested(nameof(options.Recycle), recycle => options.Recycle = Recycle(recycle, options.Recycle));
        keys.Number(nameof(options.Standby), value => options.Standby = value);
        keys.Bytes(nameof(options.MemoryLimit), value => options.MemoryLimit = value);
        keys.Bytes(nameof(options.MaxMessageBytes), value => options.MaxMessageBytes = (int)Math.Min(value, int.MaxValue));
        keys.Time(nameof(options.StartTimeout), value => options.StartTimeout = value);
        keys.Time(nameof(options.CallTimeout), value => options.CallTimeout = value);
        keys.Time(nameof(options.CancelGrace), value => options.CancelGrace = value);
        keys.Time(nameof(options.StopTimeout), value => options.StopTimeout = value);
        keys.Number(nameof(options.Retries), value => options.Retries = value);
        keys.Map(nameof(options.Settings), (name, value) => options.Settings[name] = value ?? "");
        keys.Number(nameof(options.MaxCallbacksPerSecond), value => options.MaxCallbacksPerSecond = value);
        keys.Finish();
        return faults;
    }

    private static void SetDevices(IConfigurationSection section, IReadOnlyList<int> devices, SandboxPoolOptions options, List<string> faults)
    {
        try
        {
            options.GpuAssignment = GpuAssignment.RoundRobin([.. devices]);
        }
        catch (ArgumentException exception)
        {
            faults.Add($"{section.Path}:{nameof(options.GpuAssignment)}: {exception.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static RestartPolicy Restart(SectionReader keys, RestartPolicy policy)
    {
        keys.Choice<RestartMode>(nameof(policy.Mode), value => policy = policy with { Mode = value });
        keys.Number(nameof(policy.MaxRestarts), value => policy = policy with { MaxRestarts = value });
        keys.Time(nameof(policy.Window), value => policy = policy with { Window = value });
        keys.Time(nameof(policy.FirstDelay), value => policy = policy with { FirstDelay = value });
        keys.Time(nameof(policy.MaxDelay), value => policy = policy with { MaxDelay = value });
        keys.Choice<ExhaustedAction>(nameof(policy.WhenExhausted), value => policy = policy with { WhenExhausted = value });
        return policy;
    }

    private static RecyclePolicy Recycle(SectionReader keys, RecyclePolicy policy)
    {
        keys.Number(nameof(policy.AfterCalls), value => policy = policy with { AfterCalls = value });
        keys.Time(nameof(policy.AfterLifetime), value => policy = policy with { AfterLifetime = value });
        keys.Time(nameof(policy.AfterIdle), value => policy = policy with { AfterIdle = value });
        keys.Bytes(nameof(policy.AboveMemory), value => policy = policy with { AboveMemory = value });
        keys.Flag(nameof(policy.AfterOutOfMemory), value => policy = policy with { AfterOutOfMemory = value });
        keys.Fraction(nameof(policy.Jitter), value => policy = policy with { Jitter = value });
        return policy;
    }
}
