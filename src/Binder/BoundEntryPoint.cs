using System.Reflection;
using ProcessPool.Binding.Payload;

namespace ProcessPool.Binding;

/// <summary>One callable of the plugin: binds arguments, calls, awaits, serializes the result.</summary>
internal sealed class BoundEntryPoint
{
    private static readonly MethodInfo AwaitTaskOf = Awaiter(nameof(AwaitTaskAsync));
    private static readonly MethodInfo AwaitValueTaskOf = Awaiter(nameof(AwaitValueTaskAsync));

    private readonly MethodInfo _method;
    private readonly object? _instance;
    private readonly ArgumentBinder _arguments;
    private readonly Type _resultType;
    private readonly Func<object?, ValueTask<object?>>? _await;

    public BoundEntryPoint(string name, MethodInfo method, object? instance, object? context)
    {
        Name = name;
        _method = method;
        _instance = instance;
        _arguments = new ArgumentBinder(name, method, context);
        (_resultType, _await) = Unwrap(method.ReturnType);
    }

    public string Name { get; }

    /// <summary>Runs the call. Throws <see cref="ArgumentsRefusedException"/>, or whatever the plugin throws.</summary>
    public async Task<object?> CallAsync(
        ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte>[] attachments, CancellationToken cancellationToken)
    {
        var arguments = _arguments.Bind(payload, attachments, cancellationToken);
        var returned = _method.Invoke(_instance, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null);
        return _await is null ? returned : await _await(returned).ConfigureAwait(false);
    }

    /// <summary>The result as its declared type's JSON.</summary>
    public (ReadOnlyMemory<byte> Json, ReadOnlyMemory<byte>[] Attachments) Write(object? result) => PayloadJson.Write(result, _resultType);

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

    private static async ValueTask<object?> AwaitTaskAsync<T>(object? task) => await ((Task<T>)task!).ConfigureAwait(false);

    private static async ValueTask<object?> AwaitValueTaskAsync<T>(object? task) => await ((ValueTask<T>)task!).ConfigureAwait(false);
}
