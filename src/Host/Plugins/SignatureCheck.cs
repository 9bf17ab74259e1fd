using System.Reflection.Metadata;

namespace ProcessPool.Plugins;

/// <summary>
/// Looks at a stranger's signature before it is decoded: the decoder nests on the stack as deep as the signature does, and makes room for as many types as it announces. Source: ECMA-335 II.23.2.
/// </summary>
internal static class SignatureCheck
{
    // Larger than any that a compiler writes; and so deep it can nest.
    private const int MostBytes = 1_024;

    // No runtime loads more dimensions.
    private const int MostRank = 32;

    private const byte HasGenericParameters = 0x10;
    private const byte Void = 0x01;
    private const byte String = 0x0E;
    private const byte Pointer = 0x0F;
    private const byte ByReference = 0x10;
    private const byte ValueType = 0x11;
    private const byte Class = 0x12;
    private const byte TypeParameter = 0x13;
    private const byte Array = 0x14;
    private const byte GenericInstance = 0x15;
    private const byte TypedReference = 0x16;
    private const byte NativeInteger = 0x18;
    private const byte NativeUnsignedInteger = 0x19;
    private const byte FunctionPointer = 0x1B;
    private const byte Object = 0x1C;
    private const byte Vector = 0x1D;
    private const byte MethodParameter = 0x1E;
    private const byte RequiredModifier = 0x1F;
    private const byte OptionalModifier = 0x20;
    private const byte Sentinel = 0x41;
    private const byte Pinned = 0x45;

    /// <exception cref="BadImageFormatException">It is damaged, or not to be decoded.</exception>
    public static void Refuse(BlobReader signature)
    {
        if (signature.Length > MostBytes)
        {
            throw new BadImageFormatException($"It has a signature of {signature.Length} bytes; at most {MostBytes} are read.");
        }

        Method(ref signature);
        if (signature.RemainingBytes > 0)
        {
            throw new BadImageFormatException($"It has a signature with {signature.RemainingBytes} bytes too many.");
        }
    }

    private static void Method(ref BlobReader blob)
    {
        if ((blob.ReadByte() & HasGenericParameters) != 0)
        {
            blob.ReadCompressedInteger();
        }

        var parameters = Count(ref blob);
        for (var type = 0; type <= parameters; type++)
        {
            Type(ref blob);
        }
    }

    private static void Type(ref BlobReader blob)
    {
        // As the decoder reads it: in one byte or in more.
        var kind = blob.ReadCompressedInteger();
        while (kind is Pointer or ByReference or Vector or Pinned or Sentinel or RequiredModifier or OptionalModifier)
        {
            if (kind is RequiredModifier or OptionalModifier)
            {
                blob.ReadCompressedInteger();
            }

            kind = blob.ReadCompressedInteger();
        }

        switch (kind)
        {
            case ValueType or Class or TypeParameter or MethodParameter:
                blob.ReadCompressedInteger();
                break;
            case FunctionPointer:
                Method(ref blob);
                break;
            case GenericInstance:
                Type(ref blob);
                for (var left = Count(ref blob); left > 0; left--)
                {
                    Type(ref blob);
                }

                break;
            case Array:
                Type(ref blob);
                if (blob.ReadCompressedInteger() is > MostRank and var rank)
                {
                    throw new BadImageFormatException($"It has an array of {rank} dimensions.");
                }

                Numbers(ref blob);
                Numbers(ref blob);
                break;
            case (>= Void and <= String) or TypedReference or NativeInteger or NativeUnsignedInteger or Object:
                break;
            default:
                throw new BadImageFormatException($"It has a signature with a type of kind {kind}.");
        }
    }

    private static void Numbers(ref BlobReader blob)
    {
        for (var left = Count(ref blob); left > 0; left--)
        {
            blob.ReadCompressedInteger();
        }
    }

    // Each takes a byte at least.
    private static int Count(ref BlobReader blob) => blob.ReadCompressedInteger() is var count && count > blob.RemainingBytes
        ? throw new BadImageFormatException($"It has a signature that announces {count} types and has {blob.RemainingBytes} bytes left.")
        : count;
}
