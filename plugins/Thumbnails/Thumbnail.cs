using ProcessPool;
using SkiaSharp;

namespace Thumbnails;

/// <summary>Small pictures of big ones, by SkiaSharp: native code that reads files from anywhere.</summary>
public static class Thumbnail
{
    private const int MaxSize = 10_000;
    private const int JpegQuality = 85;

    /// <summary>Makes a thumbnail: JPEG, or PNG where the image may be transparent.</summary>
    /// <param name="image">JPEG, PNG, WebP or GIF. The orientation that a camera wrote into it is not applied.</param>
    /// <param name="size">The longer side at most, in pixels, from 1 to 10,000. A smaller image keeps its size.</param>
    [EntryPoint]
    public static byte[] Create(byte[] image, int size)
    {
        ArgumentNullException.ThrowIfNull(image);
        CheckSize(size, nameof(size));
        using var codec = SKCodec.Create(new MemoryStream(image, writable: false));
        using var original = (codec is null ? null : SKBitmap.Decode(codec)) ?? throw new InvalidDataException($"These {image.Length:N0} bytes are not an image in a known format, or it is damaged.");
        var scale = Math.Min(1, (double)size / Math.Max(original.Width, original.Height));
        var info = original.Info.WithSize(Scaled(original.Width), Scaled(original.Height));
        using var small = original.Resize(info, new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear))
            ?? throw new InvalidOperationException($"The image of {original.Width} x {original.Height} pixels could not be scaled.");
        return Encode(small, original.AlphaType == SKAlphaType.Opaque ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png);

        int Scaled(int side) => Math.Max(1, (int)Math.Round(side * scale));
    }

    /// <summary>Makes a thumbnail of a file, in another file. An existing one is replaced when the thumbnail is complete.</summary>
    /// <param name="path">The image.</param>
    /// <param name="target">The thumbnail: JPEG, or PNG where the image may be transparent, whatever its name says.</param>
    /// <param name="size">The longer side at most, in pixels, from 1 to 10,000.</param>
    /// <param name="cancellationToken">Supplied by the sandbox.</param>
    [EntryPoint]
    public static async Task CreateFileAsync(string path, string target, int size, CancellationToken cancellationToken)
    {
        var thumbnail = Create(await File.ReadAllBytesAsync(path, cancellationToken), size);
        var unfinished = target + ".part";
        await File.WriteAllBytesAsync(unfinished, thumbnail, cancellationToken);
        File.Move(unfinished, target, overwrite: true);
    }

    /// <summary>Draws a picture to try the others with: a PNG, opaque.</summary>
    /// <param name="width">From 1 to 10,000 pixels.</param>
    /// <param name="height">From 1 to 10,000 pixels.</param>
    [EntryPoint]
    public static byte[] Draw(int width, int height)
    {
        CheckSize(width, nameof(width));
        CheckSize(height, nameof(height));
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        using var paint = new SKPaint { Color = SKColors.Gold, IsAntialias = true };
        canvas.Clear(SKColors.MidnightBlue);
        canvas.DrawCircle(width / 2f, height / 2f, Math.Min(width, height) / 3f, paint);
        return Encode(bitmap, SKEncodedImageFormat.Png);
    }

    private static byte[] Encode(SKBitmap bitmap, SKEncodedImageFormat format)
    {
        using var data = bitmap.Encode(format, JpegQuality) ?? throw new InvalidOperationException($"The thumbnail could not be written as {format}.");
        return data.ToArray();
    }

    private static void CheckSize(int pixels, string name)
    {
        if (pixels is < 1 or > MaxSize)
        {
            throw new ArgumentOutOfRangeException(name, pixels, $"Expected 1 to {MaxSize:N0} pixels.");
        }
    }
}
