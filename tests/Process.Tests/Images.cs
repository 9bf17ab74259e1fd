using System.Buffers.Binary;

namespace ProcessPool.Process.Tests;

/// <summary>What images are, without a library for them.</summary>
internal static class Images
{
    public static byte[] TransparentPixel { get; } = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==");

    public static bool IsPng(ReadOnlySpan<byte> image) => image[1..].StartsWith("PNG"u8);

    /// <summary>Width and height: in the first chunk of a PNG, or in the frame header of a baseline JPEG.</summary>
    public static (int Width, int Height) SizeOf(ReadOnlySpan<byte> image)
    {
        if (IsPng(image))
        {
            return (BinaryPrimitives.ReadInt32BigEndian(image[16..]), BinaryPrimitives.ReadInt32BigEndian(image[20..]));
        }

        var frame = image[image.IndexOf([(byte)0xFF, (byte)0xC0])..];
        return (BinaryPrimitives.ReadUInt16BigEndian(frame[7..]), BinaryPrimitives.ReadUInt16BigEndian(frame[5..]));
    }
}
