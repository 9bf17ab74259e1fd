using System.Collections.Concurrent;
using System.ComponentModel;

namespace ProcessPool.Generated;

/// <summary>The generated contract proxies of this program. Used by generated code only. Thread-safe.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class ContractProxies
{
    private static readonly ConcurrentDictionary<Type, Func<ContractCaller, object>> Known = new();

    /// <summary>Makes a proxy known. Called by module initializers; the first one for a contract counts.</summary>
    public static void Register<T>(Func<ContractCaller, T> create)
        where T : class => Known.TryAdd(typeof(T), create);

    /// <summary>A generated proxy, or null when there is none for the contract.</summary>
    internal static T? Create<T>(ContractCaller caller)
        where T : class => Known.TryGetValue(typeof(T), out var create) ? (T)create(caller) : null;
}
