using System.Runtime.InteropServices;
using ProcessPool;

namespace Thumbnails;

/// <summary>For demonstration: what a bug in a native library does to the process that uses it.</summary>
public static partial class NativeCrash
{
    /// <summary>For demonstration: ends the worker by a segmentation fault inside libSkiaSharp. No image is needed.</summary>
    [EntryPoint]
    public static int Crash() => Width(image: 16);

    // Reads the fields of an image object; at this address there is none.
    [LibraryImport("libSkiaSharp", EntryPoint = "sk_image_get_width")]
    private static partial int Width(nint image);
}
