using System.ComponentModel;
using ProcessPool.Calls;

namespace ProcessPool.Generated;

/// <summary>What is behind a generated contract proxy. Used by generated code only.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class ContractCaller
{
    private protected ContractCaller()
    {
    }

    /// <summary>Makes a call with a result.</summary>
    /// <param name="entryPoint"><c>IContract.Method</c>.</param>
    /// <param name="arguments">By position, without tokens and contexts; streams and progress handlers wrapped.</param>
    /// <param name="types">Their declared types.</param>
    /// <param name="cancellationToken">The method's token, or none.</param>
    public abstract Task<T> InvokeAsync<T>(string entryPoint, object?[] arguments, Type[] types, CancellationToken cancellationToken);

    /// <summary>Makes a call without a result.</summary>
    /// <inheritdoc cref="InvokeAsync{T}"/>
    public abstract Task InvokeAsync(string entryPoint, object?[] arguments, Type[] types, CancellationToken cancellationToken);

    /// <summary>Makes a call whose result is a stream.</summary>
    /// <inheritdoc cref="InvokeAsync{T}"/>
    public abstract IAsyncEnumerable<T> StreamAsync<T>(string entryPoint, object?[] arguments, Type[] types, CancellationToken cancellationToken);

    /// <summary>A stream as an argument.</summary>
    public static object? Stream<T>(IAsyncEnumerable<T>? items) => items is null ? null : new StreamArgument<T>(items);

    /// <summary>A progress handler as an argument.</summary>
    public static object? Progress<T>(IProgress<T>? progress) => progress is null ? null : new ProgressArgument<T>(progress);
}
