namespace ProcessPool.Binding;

/// <summary>Types as a C# author writes them, for signatures in messages.</summary>
internal static class TypeNames
{
    private static readonly Dictionary<string, string> Keywords = new()
    {
        ["System.Boolean"] = "bool", ["System.Byte"] = "byte", ["System.SByte"] = "sbyte", ["System.Char"] = "char",
        ["System.Int16"] = "short", ["System.UInt16"] = "ushort", ["System.Int32"] = "int", ["System.UInt32"] = "uint",
        ["System.Int64"] = "long", ["System.UInt64"] = "ulong", ["System.Single"] = "float", ["System.Double"] = "double",
        ["System.Decimal"] = "decimal", ["System.String"] = "string", ["System.Object"] = "object", ["System.Void"] = "void",
    };

    /// <summary>The keyword or the name without its namespace, for a full type name such as <c>System.Int64</c>, <c>A.B`1</c> or <c>A.B`1[[System.Int32, …]]</c>.</summary>
    public static string Short(string fullName)
    {
        var arguments = fullName.IndexOf('[', StringComparison.Ordinal);
        fullName = arguments < 0 ? fullName : fullName[..arguments];
        if (Keywords.TryGetValue(fullName, out var keyword))
        {
            return keyword;
        }

        var name = fullName[(fullName.LastIndexOfAny(['.', '+']) + 1)..];
        var arity = name.IndexOf('`', StringComparison.Ordinal);
        return arity < 0 ? name : name[..arity];
    }

    /// <summary>The name of a loaded type, with its type arguments.</summary>
    public static string Of(Type type)
    {
        if (type.IsArray)
        {
            return $"{Of(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Of(underlying) + "?";
        }

        if (type.IsGenericParameter)
        {
            // By its place, as metadata has it.
            return "T" + type.GenericParameterPosition;
        }

        var name = Short(type.FullName ?? type.Name);
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Of))}>" : name;
    }
}
