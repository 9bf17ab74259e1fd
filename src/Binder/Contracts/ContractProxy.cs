using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ProcessPool.Binding.Contracts;

/// <summary>A contract interface whose methods are calls. Needs dynamic code.</summary>
[SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives from it.")]
internal class ContractProxy : DispatchProxy
{
    private Dictionary<MethodInfo, ContractMethod> _methods = [];

    /// <summary>Makes a proxy.</summary>
    /// <exception cref="NotSupportedException">The contract says something that cannot be called across processes; the message names every such member.</exception>
    [RequiresDynamicCode("Makes a type at run time.")]
    public static object Create(Type contract, IContractCaller caller)
    {
        ContractRules.RefuseUnsupported(contract);
        var proxy = Create(contract, typeof(ContractProxy));
        ((ContractProxy)proxy)._methods = ContractRules.Members(contract).OfType<MethodInfo>().ToDictionary(method => method, method => new ContractMethod(caller, method));
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _methods[targetMethod!].Call(args ?? []);
}
