using System.Reflection;
using ProcessPool.Binding.Contracts;

namespace ProcessPool.Binding;

/// <summary>Finds what a plugin assembly offers. The rules are documented on <c>EntryPointAttribute</c>.</summary>
internal static class EntryPointScanner
{
    private const string AttributeName = "ProcessPool.EntryPointAttribute";

    /// <summary>Public static methods marked as entry points.</summary>
    public static IEnumerable<(string Name, MethodInfo Method)> Methods(Assembly plugin) =>
        from type in plugin.GetTypes()
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
        let attribute = Find(method)
        where attribute is not null
        select (attribute.ConstructorArguments is [{ Value: string name }] ? name : method.Name, method);

    /// <summary>Classes marked as entry points.</summary>
    public static IEnumerable<Type> Classes(Assembly plugin) =>
        plugin.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false } && Find(type) is not null);

    /// <summary>The contract methods of an instance: those of every interface that does not come from the framework.</summary>
    public static IEnumerable<(string Name, MethodInfo Method)> ContractMethods(Type implementation) =>
        from contract in implementation.GetInterfaces()
        where !ContractRules.IsFramework(contract)
        from method in contract.GetMethods()
        select ($"{TypeNames.Short(contract.FullName ?? contract.Name)}.{method.Name}", method);

    // Matched by name, so that a plugin built against any version of Abstractions is understood.
    private static CustomAttributeData? Find(MemberInfo member) =>
        member.GetCustomAttributesData().FirstOrDefault(attribute => attribute.AttributeType.FullName == AttributeName);
}
