using System.Reflection;

namespace ProcessPool.Binding.Contracts;

/// <summary>What a contract may say. The analyzer of ProcessPool.Host says the same while the contract is written.</summary>
internal static class ContractRules
{
    public static IEnumerable<MemberInfo> Members(Type contract) => contract.GetInterfaces().Prepend(contract).SelectMany(type => type.GetMembers());

    /// <summary>The entry point's name of a contract method.</summary>
    public static string EntryPoint(MethodInfo method) => $"{TypeNames.Short(method.DeclaringType!.FullName ?? method.DeclaringType.Name)}.{method.Name}";

    /// <summary>The type of the values that a method returns, and how: awaited (a task) or as a stream. Null: neither.</summary>
    public static (Type? Value, bool Streams)? Result(Type returned)
    {
        if (returned == typeof(Task) || returned == typeof(ValueTask))
        {
            return (null, false);
        }

        var open = returned.IsGenericType ? returned.GetGenericTypeDefinition() : null;
        return open == typeof(Task<>) || open == typeof(ValueTask<>) ? (returned.GetGenericArguments()[0], false)
            : open == typeof(IAsyncEnumerable<>) ? (returned.GetGenericArguments()[0], true)
            : null;
    }

    /// <exception cref="NotSupportedException">It is not an interface, or has members that cannot be called across processes; the message names every one.</exception>
    public static void RefuseUnsupported(Type contract)
    {
        if (!contract.IsInterface)
        {
            throw new NotSupportedException($"{contract} is not an interface. A contract is an interface whose methods return a task or a stream.");
        }

        var names = new HashSet<(Type, string)>();
        var faults = Members(contract).Where(member => member is not MethodInfo { IsSpecialName: true }).Select(member => Fault(member, names)).Where(fault => fault is not null).ToList();
        if (faults.Count > 0)
        {
            throw new NotSupportedException($"{contract} cannot be called across processes:{Environment.NewLine}{string.Join(Environment.NewLine, faults)}");
        }
    }

    private static string? Fault(MemberInfo member, HashSet<(Type, string)> names) => member switch
    {
        MethodInfo { IsGenericMethodDefinition: true } => $"{member} is generic: make a method for each type",
        MethodInfo method when Result(method.ReturnType) is null => $"{member} does not return a task: return Task, Task<T>, ValueTask, ValueTask<T> or IAsyncEnumerable<T>",
        MethodInfo method when method.GetParameters().Any(parameter => parameter.ParameterType.IsByRef) => $"{member} has a ref, in or out parameter: pass a value",
        MethodInfo method when method.GetParameters().Count(parameter => parameter.ParameterType == typeof(CancellationToken)) > 1 => $"{member} has more than one CancellationToken: keep one",
        MethodInfo when !names.Add((member.DeclaringType!, member.Name)) => $"{member} is an overload: give it a name of its own",
        MethodInfo => null,
        _ => $"{member} is not a method: make it one that returns a task",
    };
}
