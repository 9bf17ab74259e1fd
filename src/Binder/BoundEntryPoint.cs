using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json.Serialization.Metadata;
using ProcessPool.Binding.Payload;
using ProcessPool.Binding.Streams;

namespace ProcessPool.Binding;

using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);

/// <summary>One callable of the plugin, or a host's service for it: binds arguments, calls, awaits, serializes the result. Needs dynamic code.</summary>
[RequiresDynamicCode("Makes generic methods at run time.")]
[RequiresUnreferencedCode("Makes generic methods at run time.")]
internal sealed class BoundEntryPoint
{
    private static readonly MethodInfo AwaitTaskOf = Awaiter(nameof(AwaitTaskAsync));
    private static readonly MethodInfo AwaitValueTaskOf = Awaiter(nameof(AwaitValueTaskAsync));
    private static readonly MethodInfo ChunksOf = Awaiter(nameof(Chunks));

    private readonly MethodInvoker _method;
    private JsonTypeInfo? _resultInfo;
    private readonly object? _instance;
    private readonly ArgumentBinder _arguments;
    private readonly PayloadJson _json;
    private readonly Type _resultType;
    private readonly Func<object?, ValueTask<object?>>? _await;
    private readonly Func<object, PayloadJson, Func<Task>, CancellationToken, IAsyncEnumerator<Reply>>? _chunks;

    public BoundEntryPoint(string name, MethodInfo method, object? instance, object? context, PayloadJson json)
    {
        _json = json;
        Name = name;
        _method = MethodInvoker.Create(method);
        _instance = instance;
        _arguments = new ArgumentBinder(name, method, context, json);
        (_resultType, _await) = Unwrap(method.ReturnType);
        _chunks = _resultType.IsGenericType && _resultType.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)
            ? ChunksOf.MakeGenericMethod(_resultType.GetGenericArguments()).CreateDelegate<Func<object, PayloadJson, Func<Task>, CancellationToken, IAsyncEnumerator<Reply>>>()
            : null;
        IsDirect = _await is null && _chunks is null && !_arguments.HasLive;
        TakesToken = _arguments.TakesToken;
    }

    public string Name { get; }

    /// <summary>Runs the call. Throws <see cref="ArgumentsRefusedException"/>, or whatever the plugin throws.</summary>
    public async Task<object?> CallAsync(
        ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte>[] attachments, HostLink host, CancellationToken cancellationToken)
    {
        var arguments = _arguments.Bind(payload, attachments, host, cancellationToken);
        var returned = _method.Invoke(_instance, arguments.AsSpan());
        return _await is null ? returned : await _await(returned).ConfigureAwait(false);
    }

    /// <summary>Whether a call is over when the method returns, and asks nothing of the host.</summary>
    public bool IsDirect { get; }

    /// <summary>Whether the method takes a token.</summary>
    public bool TakesToken { get; }

    /// <summary>Runs a direct call, and writes its result as JSON. Does not throw.</summary>
    public (int Status, ReadOnlyMemory<byte>[] Attachments, Exception? Error) CallDirect(ReadOnlyMemory<byte> payload, IBufferWriter<byte> json, CancellationToken cancellationToken)
    {
        object? result;
        try
        {
            var arguments = _arguments.Bind(payload, [], host: null!, cancellationToken);
            result = _method.Invoke(_instance, arguments.AsSpan());
        }
        catch (ArgumentsRefusedException exception)
        {
            return (2, [], exception);
        }
        catch (Exception exception)
        {
            return (1, [], exception);
        }

        try
        {
            return (0, _json.Write(json, result, _resultInfo ??= _json.Of(_resultType)), null);
        }
        catch (Exception exception)
        {
            return (3, [], exception);
        }
    }

    /// <summary>The result as its declared type's JSON.</summary>
    public (ReadOnlyMemory<byte> Json, ReadOnlyMemory<byte>[] Attachments) Write(object? result) => _json.Write(result, _resultType);

    /// <summary>The result as chunks of items, when the entry point returns a stream; null when it does not.</summary>
    public IAsyncEnumerator<Reply>? Stream(object? result, HostLink host, CancellationToken cancellationToken) =>
        _chunks?.Invoke(result ?? throw new InvalidOperationException("It returned null in place of a stream."), _json, host.FlushAsync, cancellationToken);

    private static (Type Result, Func<object?, ValueTask<object?>>? Await) Unwrap(Type returned)
    {
        if (returned == typeof(Task))
        {
            return (typeof(object), async task =>
            {
                await ((Task)task!).ConfigureAwait(false);
                return null;
            });
        }

        if (returned == typeof(ValueTask))
        {
            return (typeof(object), async task =>
            {
                await ((ValueTask)task!).ConfigureAwait(false);
                return null;
            });
        }

        if (returned.IsGenericType && returned.GetGenericTypeDefinition() is var open && (open == typeof(Task<>) || open == typeof(ValueTask<>)))
        {
            var result = returned.GetGenericArguments()[0];
            var awaiter = (open == typeof(Task<>) ? AwaitTaskOf : AwaitValueTaskOf).MakeGenericMethod(result);
            return (result, awaiter.CreateDelegate<Func<object?, ValueTask<object?>>>());
        }

        return (returned == typeof(void) ? typeof(object) : returned, null);
    }

    private static MethodInfo Awaiter(string name) =>
        typeof(BoundEntryPoint).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!;

    private static ChunkedStream<T> Chunks<T>(object items, PayloadJson json, Func<Task> beforeEnd, CancellationToken cancellationToken) =>
        new((IAsyncEnumerable<T>)items, json, cancellationToken, beforeEnd);

    private static async ValueTask<object?> AwaitTaskAsync<T>(object? task) => await ((Task<T>)task!).ConfigureAwait(false);

    private static async ValueTask<object?> AwaitValueTaskAsync<T>(object? task) => await ((ValueTask<T>)task!).ConfigureAwait(false);
}
