using ProcessPool.Launch;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using StreamJsonRpc;

namespace ProcessPool;

/// <summary>Finds out what this machine can enforce, by starting a sandbox that never gets a plugin.</summary>
public static class ConfinementTrial
{
    /// <summary>Tries a policy.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was achieved, layer by layer. What could not be enforced is in there, and no error.</returns>
    /// <exception cref="ArgumentException">The policy contradicts itself; the message names every fault.</exception>
    /// <exception cref="WorkerStartException">No sandbox could be started.</exception>
    /// <exception cref="ConfinementException">The policy cannot be tried: it grants so much, or no .NET is installed and this program would be its own sandbox.</exception>
    public static async Task<ConfinementReport> RunAsync(ConfinementPolicy policy, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(policy);
        const string Name = "trial";
        var settings = PoolSettings.From(new SandboxPoolOptions { Plugin = ".", Name = Name, Confinement = policy });
        var site = new FaultSite(Name, Name);
        var sandbox = await ProcessSandbox.StartAsync(settings, WorkerRuntime.OfSandbox, Name, Name, 0, PoolDepth.Current + 1, SandboxLocator.FindSandbox(site)).ConfigureAwait(false);
        await using var end = sandbox.ConfigureAwait(false);
        using var control = RpcChannel.Create(sandbox.Control, Name, WireLimits.MaxControlMessageBytes);
        control.StartListening();
        try
        {
            // Asked below Restricted too: then it runs, and can be looked at.
            var proof = await control.Attach<ISandboxControl>().ProveAsync(cancellationToken).WaitAsync(settings.StartTimeout, cancellationToken).ConfigureAwait(false);
            return sandbox.Examine(policy.IsSandbox ? proof : null);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw new WorkerStartException($"A sandbox that was confined as {policy.Level} did not answer: {exception.Message}{Environment.NewLine}{sandbox.StandardError.Text}", site, exception);
        }
    }
}
