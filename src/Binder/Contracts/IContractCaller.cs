namespace ProcessPool.Binding.Contracts;

/// <summary>What is behind a contract proxy: the calls go to a pool, or from a plugin to its host.</summary>
internal interface IContractCaller
{
    Task<T> InvokeAsync<T>(string entryPoint, object?[] values, Type[] types, CancellationToken cancellationToken);

    Task InvokeAsync(string entryPoint, object?[] values, Type[] types, CancellationToken cancellationToken);

    IAsyncEnumerable<T> StreamAsync<T>(string entryPoint, object?[] values, Type[] types, CancellationToken cancellationToken);
}
