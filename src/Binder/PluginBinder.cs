using System.Reflection;
using System.Runtime.ExceptionServices;

namespace ProcessPool.Binding;

using Attachments = ReadOnlyMemory<byte>[];
using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);

/// <summary>
/// The seam between the sandbox and the plugin's context. This assembly is loaded into that context, where the sandbox cannot
/// cast to its types; so only types of the base class library cross here, and the status is a number (<c>CallStatus</c> of Protocol).
/// </summary>
internal sealed class PluginBinder
{
    private readonly Dictionary<string, BoundEntryPoint> _entryPoints = new(StringComparer.Ordinal);
    private readonly List<object> _instances = [];

    /// <summary>Binds every entry point and constructs the contract classes.</summary>
    /// <returns>What runs a call, and what disposes the plugin.</returns>
    /// <exception cref="InvalidOperationException">The plugin has no entry point, or two of one name.</exception>
    public static (Func<string, ReadOnlyMemory<byte>, Attachments, CancellationToken, Task<Reply>> Call, Func<ValueTask> Dispose) Bind(
        Assembly plugin, object context)
    {
        var binder = new PluginBinder();
        foreach (var (name, method) in EntryPointScanner.Methods(plugin))
        {
            binder.Add(new BoundEntryPoint(name, method, instance: null, context));
        }

        foreach (var type in EntryPointScanner.Classes(plugin))
        {
            var instance = Construct(type, context);
            binder._instances.Add(instance);
            foreach (var (name, method) in EntryPointScanner.ContractMethods(type))
            {
                binder.Add(new BoundEntryPoint(name, method, instance, context));
            }
        }

        return binder._entryPoints.Count > 0
            ? (binder.CallAsync, binder.DisposeAsync)
            : throw new InvalidOperationException(
                $"{plugin.GetName().Name} has no entry point. Mark a public static method, or a class that implements a contract interface, with [EntryPoint].");
    }

    private async Task<Reply> CallAsync(
        string name, ReadOnlyMemory<byte> payload, Attachments attachments, CancellationToken cancellationToken)
    {
        object? result;
        if (!_entryPoints.TryGetValue(name, out var entryPoint))
        {
            var known = string.Join(", ", _entryPoints.Keys.Order(StringComparer.Ordinal));
            return Failed(2, new ArgumentsRefusedException($"There is no entry point '{name}'. This plugin has: {known}."));
        }

        try
        {
            result = await entryPoint.CallAsync(payload, attachments, cancellationToken).ConfigureAwait(false);
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
            var (json, written) = entryPoint.Write(result);
            return (0, json, written, null);
        }
        catch (Exception exception)
        {
            return Failed(3, exception);
        }
    }

    private async ValueTask DisposeAsync()
    {
        foreach (var instance in _instances)
        {
            if (instance is IAsyncDisposable asynchronous)
            {
                await asynchronous.DisposeAsync().ConfigureAwait(false);
            }
            else if (instance is IDisposable disposable)
            {
                disposable.Dispose();
            }
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

    private static Reply Failed(int status, Exception error) => (status, default, [], error);
}
