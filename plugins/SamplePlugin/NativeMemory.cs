using System.Runtime.InteropServices;
using ProcessPool;

namespace SamplePlugin;

/// <summary>
/// The stand-in for a buggy native library: it reads wherever it is told to. An address that is not mapped is a real
/// segmentation fault inside native code, which no catch block can stop; it ends the process.
/// </summary>
public static partial class NativeMemory
{
    [EntryPoint]
    public static byte PeekNative(long address)
    {
        Span<byte> copy = stackalloc byte[1];
        Copy(ref MemoryMarshal.GetReference(copy), (nint)address, 1);
        return copy[0];
    }

    // The C library of Unix. On Windows, where this is untested, the same function is in ucrtbase.
    [LibraryImport("libc", EntryPoint = "memcpy")]
    private static partial nint Copy(ref byte destination, nint source, nuint count);
}
