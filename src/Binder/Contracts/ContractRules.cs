using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ProcessPool.Binding.Contracts;

/// <summary>What a contract may say. The analyzer says the same while the contract is written.</summary>
internal static class ContractRules
{
    private const BindingFlags OfInstance = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    /// <summary>What an implementation has to provide, or may override: statics, nested types and private helpers are no part of a contract.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "Whoever names a contract keeps its members: GetProxy, LeaseAsync and Expose say so of their type parameter.")]
    public static IEnumerable<MemberInfo> Members(Type contract) => contract.GetInterfaces().Prepend(contract).SelectMany(type => type.GetMembers(OfInstance))
        .Where(member => member.MemberType != MemberTypes.NestedType && member is not MethodInfo { IsVirtual: false });

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

    /// <summary>Whether an interface is the framework's: then it is no contract.</summary>
    public static bool IsFramework(Type type) => type.Namespace is "System" || type.Namespace?.StartsWith("System.", StringComparison.Ordinal) == true;

    private static string? Fault(MemberInfo member, HashSet<(Type, string)> names) => member switch
    {
        _ when IsFramework(member.DeclaringType!) => $"{member} comes from {member.DeclaringType}, which a plugin does not offer: do not inherit from it",
        MethodInfo { IsGenericMethodDefinition: true } => $"{member} is generic: make a method for each type",
        MethodInfo method when Result(method.ReturnType) is null => $"{member} does not return a task: return Task, Task<T>, ValueTask, ValueTask<T> or IAsyncEnumerable<T>",
        MethodInfo { IsPublic: false } => $"{member} is not public, and a plugin answers public methods only: make it public",
        MethodInfo method when method.GetParameters().Any(parameter => parameter.ParameterType.IsByRefLike || parameter.ParameterType.IsPointer) => $"{member} has a parameter that lives on the stack: pass an array or memory",
        MethodInfo method when method.GetParameters().Any(parameter => parameter.ParameterType.IsByRef) => $"{member} has a ref, in or out parameter: pass a value",
        MethodInfo method when method.GetParameters().Count(parameter => parameter.ParameterType == typeof(CancellationToken)) > 1 => $"{member} has more than one CancellationToken: keep one",
        MethodInfo when !names.Add((member.DeclaringType!, member.Name)) => $"{member} is an overload: give it a name of its own",
        MethodInfo => null,
        _ => $"{member} is not a method: make it one that returns a task",
    };
}
