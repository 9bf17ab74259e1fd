using System.Reflection;
using ProcessPool.Binding.Contracts;
using ProcessPool.Plugins;
using ProcessPool.Workers;

namespace ProcessPool.Testing;

/// <summary>
/// A <see cref="SandboxPool"/> for unit tests. Queue, timeouts, retries, restarts, errors and typed proxies are the real ones; only the workers are not processes: they run delegates of the test in its own
/// process, and die, hang or fail to start where the test says so. Arguments and results are serialized as ever. There is no isolation, no confinement and no output capture. What goes wrong may be added while a pool runs; entry points are those that there are when it is made. Adding entry points is not thread-safe.
/// </summary>
/// <example><code>
/// var script = new TestPool().Add("Measure", (string path) => (long)path.Length).Crash("Measure", call: 2);
/// await using var pool = await script.StartAsync();
/// </code></example>
public sealed class TestPool
{
    private readonly Dictionary<string, (MethodInfo Method, object? Instance, string? Contract)> _entryPoints = new(StringComparer.Ordinal);
    private readonly Script _script = new();
    private bool _isMade;

    /// <summary>Adds an entry point.</summary>
    /// <param name="entryPoint">The name to call it by.</param>
    /// <param name="implementation">What it does: synchronous or asynchronous; a <see cref="CancellationToken"/> is supplied where it takes one. With <see cref="IdempotentAttribute"/> it may be retried.</param>
    /// <returns>This script.</returns>
    /// <exception cref="ArgumentException">There is one of that name, or it takes an <see cref="IPluginContext"/>, which only a sandbox has.</exception>
    public TestPool Add(string entryPoint, Delegate implementation)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(entryPoint);
        ArgumentNullException.ThrowIfNull(implementation);
        if (implementation.Method.GetParameters().Any(parameter => parameter.ParameterType == typeof(IPluginContext)))
        {
            throw new ArgumentException($"{entryPoint} takes an {nameof(IPluginContext)}, which only a sandbox has. Wrap it: (…) => Method(…, yourOwnContext).", nameof(implementation));
        }

        _entryPoints.Add(entryPoint, (implementation.Method, implementation.Target, null));
        return this;
    }

    /// <summary>Adds the entry points of a contract: <c>IContract.Method</c>, and <see cref="SandboxPool.GetProxy{T}"/>.</summary>
    /// <typeparam name="TContract">The contract's interface.</typeparam>
    /// <param name="implementation">What the plugin would have, such as a fake or the plugin's own class. All workers share it.</param>
    /// <returns>This script.</returns>
    /// <exception cref="NotSupportedException">The interface is no contract.</exception>
    public TestPool Add<TContract>(TContract implementation)
        where TContract : class
    {
        ArgumentNullException.ThrowIfNull(implementation);
        ContractRules.RefuseUnsupported(typeof(TContract));
        foreach (var method in ContractRules.Members(typeof(TContract)).OfType<MethodInfo>())
        {
            _entryPoints.Add(ContractRules.EntryPoint(method), (method, implementation, typeof(TContract).FullName));
        }

        return this;
    }

    /// <summary>Has the worker die that is given a call, before the code of the call runs.</summary>
    /// <param name="entryPoint">Whose calls.</param>
    /// <param name="call">Which of them, from 1; a call that is made again counts again. Null: each.</param>
    /// <param name="reason">How it dies, and so what <see cref="WorkerCrashedException.Reason"/>, exit code and signal are.</param>
    /// <param name="standardError">What it prints before.</param>
    /// <returns>This script.</returns>
    public TestPool Crash(string entryPoint, int? call = null, CrashReason reason = CrashReason.Crashed, string standardError = "")
    {
        return AddFault(entryPoint, call, Deaths.Of(reason, standardError));
    }

    /// <summary>Has a call never end by itself, whatever it is asked: it is ended by its timeout or its caller, and its worker is killed.</summary>
    /// <param name="entryPoint">Whose calls.</param>
    /// <param name="call">Which of them, from 1. Null: each.</param>
    /// <returns>This script.</returns>
    public TestPool Hang(string entryPoint, int? call = null)
    {
        return AddFault(entryPoint, call, death: null);
    }

    /// <summary>Has a worker fail to start.</summary>
    /// <param name="start">Which start of the pool's workers, from 1. Null: each.</param>
    /// <param name="message">What the <see cref="WorkerStartException"/> says.</param>
    /// <returns>This script.</returns>
    public TestPool FailStart(int? start = null, string message = "The test's script says that this worker does not start.")
    {
        _script.FailStart(start, message);
        return this;
    }

    /// <summary>Makes a pool of what was added so far, such as for a service container. It is not started.</summary>
    /// <param name="configure">Sets options; a fake <see cref="SandboxPoolOptions.TimeProvider"/> makes timeouts and restarts the test's own. Default: one worker, no wait before a restart.</param>
    /// <exception cref="ArgumentException">Options are out of range; the message names every one. Or something is to go wrong with an entry point that was not added.</exception>
    public SandboxPool Create(Action<SandboxPoolOptions>? configure = null)
    {
        _script.Check(_entryPoints.Keys);
        _isMade = true;
        var options = new SandboxPoolOptions { Plugin = "test", Name = "test", Workers = 1, AllowOversubscription = true, Restart = new RestartPolicy { FirstDelay = TimeSpan.Zero, MaxDelay = TimeSpan.Zero } };
        configure?.Invoke(options);
        var plugin = PluginInfo.Of("Test", [.. _entryPoints.Select(each => Describe(each.Key, each.Value.Method, each.Value.Instance, each.Value.Contract))]);
        var code = _entryPoints.Select(each => (each.Key, each.Value.Method, each.Value.Instance)).ToList();
        return new SandboxPool(options, (settings, name, _) => new TestLauncher(settings, name, code, _script), _ => plugin);
    }

    /// <summary>Makes a pool of what was added so far, and starts it.</summary>
    /// <param name="configure">Sets options, as for <see cref="Create"/>.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="ArgumentException">Options are out of range; the message names every one.</exception>
    /// <exception cref="WorkerStartException">The script says so.</exception>
    public async Task<SandboxPool> StartAsync(Action<SandboxPoolOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        var pool = Create(configure);
        await pool.StartAsync(cancellationToken).ConfigureAwait(false);
        return pool;
    }

    private TestPool AddFault(string entryPoint, int? call, WorkerExit? death)
    {
        if (_isMade && !_entryPoints.ContainsKey(entryPoint))
        {
            throw new ArgumentException($"'{entryPoint}' is no entry point of this script, and a pool was made of it already.", nameof(entryPoint));
        }

        _script.Add(entryPoint, call, death);
        return this;
    }

    // An implementation may be marked [Idempotent] where its contract is not.
    private static EntryPointInfo Describe(string entryPoint, MethodInfo method, object? instance, string? contract)
    {
        var described = EntryPointInfo.Of(entryPoint, method) with { Contract = contract };
        if (contract is null)
        {
            return described;
        }

        var map = instance!.GetType().GetInterfaceMap(method.DeclaringType!);
        var own = map.TargetMethods[Array.IndexOf(map.InterfaceMethods, method)];
        return described with { IsIdempotent = described.IsIdempotent || own.IsDefined(typeof(IdempotentAttribute), inherit: true) };
    }
}
