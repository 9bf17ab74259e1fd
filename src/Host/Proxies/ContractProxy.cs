using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ProcessPool.Proxies;

/// <summary>A contract interface whose methods are calls of a pool. Needs dynamic code.</summary>
[SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives from it.")]
internal class ContractProxy : DispatchProxy
{
    private Dictionary<MethodInfo, ContractMethod> _methods = [];

    /// <summary>Makes a proxy.</summary>
    /// <exception cref="NotSupportedException">The contract says something that cannot be called across processes; the message names every such member.</exception>
    public static T Create<T>(SandboxPool pool, CallOptions? options)
        where T : class
    {
        RefuseUnsupported(typeof(T));
        var proxy = Create<T, ContractProxy>();
        ((ContractProxy)(object)proxy)._methods = Members(typeof(T)).OfType<MethodInfo>().ToDictionary(method => method, method => new ContractMethod(pool, options, method));
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _methods[targetMethod!].Call(args ?? []);

    private static IEnumerable<MemberInfo> Members(Type contract) => contract.GetInterfaces().Prepend(contract).SelectMany(type => type.GetMembers());

    private static void RefuseUnsupported(Type contract)
    {
        if (!contract.IsInterface)
        {
            throw new NotSupportedException($"{contract} is not an interface. A contract is an interface whose methods return a task.");
        }

        var names = new HashSet<(Type, string)>();
        var faults = Members(contract).Where(member => member is not MethodInfo { IsSpecialName: true }).Select(member => member switch
        {
            MethodInfo { IsGenericMethodDefinition: true } => $"{member} is generic: make a method for each type",
            MethodInfo method when !ContractMethod.IsAsynchronous(method.ReturnType) => $"{member} does not return a task: return Task, Task<T>, ValueTask or ValueTask<T>",
            MethodInfo method when method.GetParameters().Any(parameter => parameter.ParameterType.IsByRef) => $"{member} has a ref, in or out parameter: pass a value",
            MethodInfo method when method.GetParameters().Count(parameter => parameter.ParameterType == typeof(CancellationToken)) > 1 => $"{member} has more than one CancellationToken: keep one",
            MethodInfo when !names.Add((member.DeclaringType!, member.Name)) => $"{member} is an overload: give it a name of its own",
            MethodInfo => null,
            _ => $"{member} is not a method: make it one that returns a task",
        }).Where(fault => fault is not null).ToList();
        if (faults.Count > 0)
        {
            throw new NotSupportedException($"{contract} cannot be called across processes:{Environment.NewLine}{string.Join(Environment.NewLine, faults)}");
        }
    }
}
