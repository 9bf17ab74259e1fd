using System.Collections.Immutable;
using System.Reflection.Metadata;
using ProcessPool.Binding;

namespace ProcessPool.Plugins;

/// <summary>Names out of metadata.</summary>
internal static class MetadataNames
{
    // Longer than anybody's. A stranger's file can refer to one name of megabytes a thousand times.
    private const int MostBytes = 1_024;

    /// <summary>A name.</summary>
    /// <exception cref="BadImageFormatException">It is longer than any that was meant to be read.</exception>
    public static string Of(MetadataReader reader, StringHandle handle) =>
        reader.GetBlobReader(handle).Length is > MostBytes and var bytes ? throw new BadImageFormatException($"It has a name of {bytes} bytes; at most {MostBytes} are read.") : reader.GetString(handle);

    /// <summary>The full name of an attribute's type, or "" when it is an uncommon one.</summary>
    public static string OfAttribute(MetadataReader reader, CustomAttributeHandle handle)
    {
        var constructor = reader.GetCustomAttribute(handle).Constructor;
        return constructor.Kind switch
        {
            HandleKind.MemberReference => OfType(reader, reader.GetMemberReference((MemberReferenceHandle)constructor).Parent),
            HandleKind.MethodDefinition => OfType(reader, reader.GetMethodDefinition((MethodDefinitionHandle)constructor).GetDeclaringType()),
            _ => "",
        };
    }

    /// <summary>The first constructor argument of an attribute, when it is a string.</summary>
    public static string? FirstString(MetadataReader reader, CustomAttributeHandle handle)
    {
        // ECMA-335 II.23.3: a prolog of 1, then the fixed arguments. No arguments: named ones follow, whose count is 0 here.
        var blob = reader.GetBlobReader(reader.GetCustomAttribute(handle).Value);
        return blob.Length > MostBytes
            ? throw new BadImageFormatException($"It has an attribute with {blob.Length} bytes of values; at most {MostBytes} are read.")
            : blob.Length > 4 && blob.ReadUInt16() == 1 ? blob.ReadSerializedString() : null;
    }

    /// <summary>The full name of a type definition or reference.</summary>
    public static string OfType(MetadataReader reader, EntityHandle handle) => handle.Kind switch
    {
        HandleKind.TypeDefinition when reader.GetTypeDefinition((TypeDefinitionHandle)handle) is var type =>
            Join(Of(reader, type.Namespace), Of(reader, type.Name)),
        HandleKind.TypeReference when reader.GetTypeReference((TypeReferenceHandle)handle) is var type =>
            Join(Of(reader, type.Namespace), Of(reader, type.Name)),
        _ => "",
    };

    private static string Join(string @namespace, string name) => @namespace.Length == 0 ? name : $"{@namespace}.{name}";
}

/// <summary>Types in signatures, as a C# author writes them.</summary>
internal sealed class SignatureText : ISignatureTypeProvider<string, object?>
{
    /// <summary>The text of the token that the sandbox supplies, and of no other type.</summary>
    public const string Token = "CancellationToken";

    /// <summary>The text of the context that the sandbox supplies, and of no other type.</summary>
    public const string Context = "IPluginContext";

    /// <summary>What the text of a stream begins with, and of no other type.</summary>
    public const string Stream = "IAsyncEnumerable<";

    /// <summary>What the text of a progress handler begins with, and of no other type.</summary>
    public const string Progress = "IProgress<";

    // A name can be in it many times.
    private const int MostCharacters = 16_384;

    private static readonly SignatureText Instance = new();

    /// <summary>A method's return type and parameters.</summary>
    /// <exception cref="BadImageFormatException">It is damaged, or larger than any that a compiler writes.</exception>
    public static MethodSignature<string> Of(MetadataReader reader, MethodDefinition method)
    {
        SignatureCheck.Refuse(reader.GetBlobReader(method.Signature));
        var signature = method.DecodeSignature(Instance, null);
        return signature.ReturnType.Length + signature.ParameterTypes.Sum(parameter => parameter.Length) > MostCharacters
            ? throw new BadImageFormatException($"It has a signature of more than {MostCharacters} characters.")
            : signature;
    }

    public string GetPrimitiveType(PrimitiveTypeCode typeCode) => TypeNames.Short("System." + typeCode);

    public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
        Text(MetadataNames.OfType(reader, handle));

    public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
        Text(MetadataNames.OfType(reader, handle));

    public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        // Inside a signature it only says where a modifier comes from; following it could lead in circles.
        "object";

    public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => genericType switch
    {
        "Nullable" => typeArguments[0] + "?",
        _ => $"{genericType}<{string.Join(", ", typeArguments)}>",
    };

    public string GetSZArrayType(string elementType) => elementType + "[]";

    public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[{new string(',', shape.Rank - 1)}]";

    public string GetByReferenceType(string elementType) => "ref " + elementType;

    public string GetPointerType(string elementType) => elementType + "*";

    public string GetPinnedType(string elementType) => elementType;

    public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

    public string GetGenericMethodParameter(object? genericContext, int index) => "T" + index;

    public string GetGenericTypeParameter(object? genericContext, int index) => "T" + index;

    public string GetFunctionPointerType(MethodSignature<string> signature) => "delegate*";

    private static string Text(string fullName) => (TypeNames.Short(fullName), fullName) switch
    {
        (Token, not "System.Threading.CancellationToken") or (Context, not "ProcessPool.IPluginContext")
            or ("IAsyncEnumerable", not "System.Collections.Generic.IAsyncEnumerable`1") or ("IProgress", not "System.IProgress`1") => $"global::{fullName}",
        var (name, _) => name,
    };
}
