using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using ProcessPool.Protocol;

namespace ProcessPool.Calls;

/// <summary>An argument that cannot be JSON: a stream or a progress handler. The sandbox calls back for it while the call executes.</summary>
internal abstract class LiveArgument
{
    private static readonly ConcurrentDictionary<Type, Func<object, LiveArgument>?> Makers = new();

    /// <summary>The property that stands for it in the JSON: <c>$stream</c> or <c>$progress</c>.</summary>
    public abstract string Reference { get; }

    /// <summary>Starts serving it for one call.</summary>
    public abstract LiveCall Begin(PoolSettings settings);

    /// <summary>The live argument that a value is, or null.</summary>
    public static LiveArgument? From(object? value) =>
        value as LiveArgument ?? (value is null ? null : Makers.GetOrAdd(value.GetType(), FindMaker)?.Invoke(value));

    /// <summary>Whether values of this type are live.</summary>
    public static bool IsLive(Type type) => Makers.GetOrAdd(type, FindMaker) is not null;

    // Generated proxies wrap their arguments themselves; this is for arguments of calls by name.
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Types that the program itself has made; a value type as item is refused where there is no code for it.")]
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "Interfaces of an object that exists.")]
    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "The two argument types have no members that are found by name.")]
    private static Func<object, LiveArgument>? FindMaker(Type type)
    {
        foreach (var contract in type.GetInterfaces())
        {
            var open = contract.IsGenericType ? contract.GetGenericTypeDefinition() : null;
            var argument = open == typeof(IAsyncEnumerable<>) ? typeof(StreamArgument<>) : open == typeof(IProgress<>) ? typeof(ProgressArgument<>) : null;
            if (argument is not null)
            {
                var made = argument.MakeGenericType(contract.GetGenericArguments());
                return value => (LiveArgument)Activator.CreateInstance(made, value)!;
            }
        }

        return null;
    }
}

/// <summary>A live argument of one call, until it ends.</summary>
internal abstract class LiveCall
{
    /// <summary>Answers the sandbox.</summary>
    public abstract Task<CallReply> AnswerAsync(string operation, CallbackRequest request, CancellationToken cancellationToken);

    /// <summary>The call has ended.</summary>
    public abstract Task EndAsync();
}
