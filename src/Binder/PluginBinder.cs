using System.Buffers;
using System.Reflection;
using System.Runtime.ExceptionServices;
using ProcessPool.Binding.Contracts;
using ProcessPool.Binding.Payload;
using ProcessPool.Binding.Streams;

namespace ProcessPool.Binding;

using Attachments = ReadOnlyMemory<byte>[];
using HostCall = Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], CancellationToken, Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)>>;
using Direct = (Func<ReadOnlyMemory<byte>, IBufferWriter<byte>, CancellationToken, (int Status, ReadOnlyMemory<byte>[] Attachments, Exception? Error)> Call, bool TakesToken);
using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);

/// <summary>
/// The seam between the sandbox and the plugin's context. This assembly is loaded into that context, where the sandbox cannot
/// cast to its types; so only types of the base class library cross here, and the status is a number (<c>CallStatus</c> of Protocol).
/// </summary>
internal sealed class PluginBinder
{
    private readonly Dictionary<string, BoundEntryPoint> _entryPoints = new(StringComparer.Ordinal);

    /// <summary>Binds every entry point and constructs the contract classes.</summary>
    /// <param name="plugin">The entry assembly.</param>
    /// <param name="context">For those who declare it.</param>
    /// <param name="activator">Makes the instances; null: their constructors.</param>
    /// <returns>
    /// What runs a call (a stream's first chunk is the reply, the enumerator has the others); what finds an entry point whose calls are over when its method returns,
    /// and whether that takes a token; and the instances.
    /// </returns>
    /// <exception cref="InvalidOperationException">The plugin has no entry point, or two of one name.</exception>
    public static (Func<string, ReadOnlyMemory<byte>, Attachments, HostCall, CancellationToken, Task<(Reply First, IAsyncEnumerator<Reply>? Stream)>> Call, Func<string, Direct?> FindDirect, object[] Instances) Bind(
        Assembly plugin, object context, Func<Type, object>? activator)
    {
        var binder = new PluginBinder();
        var instances = new List<object>();
        foreach (var (name, method) in EntryPointScanner.Methods(plugin))
        {
            binder.Add(new BoundEntryPoint(name, method, instance: null, context, PayloadJson.ForPlugin));
        }

        foreach (var type in EntryPointScanner.Classes(plugin))
        {
            var instance = activator?.Invoke(type) ?? Construct(type, context);
            instances.Add(instance);
            foreach (var (name, method) in EntryPointScanner.ContractMethods(type))
            {
                binder.Add(new BoundEntryPoint(name, method, instance, context, PayloadJson.ForPlugin));
            }
        }

        if (binder._entryPoints.Count == 0)
        {
            throw new InvalidOperationException(
                $"{plugin.GetName().Name} has no entry point. Mark a public static method, or a class that implements a contract interface, with [EntryPoint].");
        }

        binder._entryPoints.TryAdd(WarmUp.Name, new BoundEntryPoint(WarmUp.Name, ((Delegate)WarmUp.Run).Method, instance: null, context, PayloadJson.ForPlugin));
        return (binder.CallAsync, binder.FindDirect, [.. instances]);
    }

    /// <summary>Binds methods that are there already.</summary>
    /// <param name="entryPoints">Each with its name, and its instance unless it is static.</param>
    /// <returns>What runs a call, as for a plugin.</returns>
    public static Func<string, ReadOnlyMemory<byte>, Attachments, HostCall, CancellationToken, Task<(Reply First, IAsyncEnumerator<Reply>? Stream)>> BindMethods(IEnumerable<(string Name, MethodInfo Method, object? Instance)> entryPoints)
    {
        var binder = new PluginBinder();
        foreach (var (name, method, instance) in entryPoints)
        {
            binder.Add(new BoundEntryPoint(name, method, method.IsStatic ? null : instance, context: null, PayloadJson.ForPlugin));
        }

        return binder.CallAsync;
    }

    /// <summary>A proxy of a host's service.</summary>
    /// <param name="service">Its interface.</param>
    /// <param name="host">Asks the host.</param>
    public static object HostService(Type service, HostCall host) => ContractProxy.Create(service, new HostServiceCaller(host));

    private Direct? FindDirect(string name) =>
        _entryPoints.TryGetValue(name, out var entryPoint) && entryPoint.IsDirect ? (entryPoint.CallDirect, entryPoint.TakesToken) : null;

    private async Task<(Reply First, IAsyncEnumerator<Reply>? Stream)> CallAsync(
        string name, ReadOnlyMemory<byte> payload, Attachments attachments, HostCall host, CancellationToken cancellationToken)
    {
        if (!_entryPoints.TryGetValue(name, out var entryPoint))
        {
            var known = string.Join(", ", _entryPoints.Keys.Where(known => known != WarmUp.Name).Order(StringComparer.Ordinal));
            return Failed(2, new ArgumentsRefusedException($"There is no entry point '{name}'. This plugin has: {known}."));
        }

        var link = new HostLink(host);
        var (first, stream) = await CallAsync(entryPoint, payload, attachments, link, cancellationToken).ConfigureAwait(false);
        if (stream is null)
        {
            await link.FlushAsync().ConfigureAwait(false);
        }

        return (first, stream);
    }

    private static async Task<(Reply First, IAsyncEnumerator<Reply>? Stream)> CallAsync(
        BoundEntryPoint entryPoint, ReadOnlyMemory<byte> payload, Attachments attachments, HostLink link, CancellationToken cancellationToken)
    {
        object? result;
        try
        {
            result = await entryPoint.CallAsync(payload, attachments, link, cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentsRefusedException exception)
        {
            return Failed(2, exception);
        }
        catch (Exception exception)
        {
            return Failed(1, exception);
        }

        try
        {
            if (entryPoint.Stream(result, link, cancellationToken) is { } stream)
            {
                await stream.MoveNextAsync().ConfigureAwait(false);
                return (stream.Current, stream);
            }

            var (json, written) = entryPoint.Write(result);
            return ((0, json, written, null), null);
        }
        catch (Exception exception)
        {
            return Failed(3, exception);
        }
    }

    private void Add(BoundEntryPoint entryPoint)
    {
        if (!_entryPoints.TryAdd(entryPoint.Name, entryPoint))
        {
            throw new InvalidOperationException(
                $"Two entry points are named '{entryPoint.Name}'. Give one of them another name: [EntryPoint(\"…\")].");
        }
    }

    private static object Construct(Type type, object context)
    {
        var constructor = type.GetConstructors()
            .OrderByDescending(candidate => candidate.GetParameters().Length)
            .FirstOrDefault(candidate => candidate.GetParameters() is [] || candidate.GetParameters() is [{ } only] && ArgumentBinder.IsSupplied(only.ParameterType))
            ?? throw new InvalidOperationException(
                $"{type} has [EntryPoint] but no public constructor without parameters or with one IPluginContext.");
        try
        {
            return constructor.Invoke(constructor.GetParameters() is [] ? [] : [context]);
        }
        catch (TargetInvocationException exception) when (exception.InnerException is { } inner)
        {
            ExceptionDispatchInfo.Throw(inner);
            throw;
        }
    }

    private static (Reply First, IAsyncEnumerator<Reply>? Stream) Failed(int status, Exception error) => ((status, default, [], error), null);
}
