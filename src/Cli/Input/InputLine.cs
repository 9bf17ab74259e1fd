using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace ProcessPool.Cli.Input;

/// <summary>A line of the input that is not blank.</summary>
/// <param name="Number">Its number in the input, from 1; blank ones count.</param>
/// <param name="Text">What it says.</param>
internal readonly record struct InputLine(long Number, string Text)
{
    /// <summary>A CRC-32C (Castagnoli) of the text in UTF-8, to tell it from another; 1 in place of 0.</summary>
    public uint Check()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(Text.Length));
        var check = Check(buffer.AsSpan(0, Encoding.UTF8.GetBytes(Text, buffer)));
        ArrayPool<byte>.Shared.Return(buffer);
        return check;
    }

    private static uint Check(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (var rest in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, rest);
        }

        return Math.Max(1, ~crc);
    }
}
