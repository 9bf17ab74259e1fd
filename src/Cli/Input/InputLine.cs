using System.Numerics;
using System.Runtime.InteropServices;

namespace ProcessPool.Cli.Input;

/// <summary>A line of the input that is not blank.</summary>
/// <param name="Number">Its number in the input, from 1; blank ones count.</param>
/// <param name="Text">What it says.</param>
internal readonly record struct InputLine(long Number, string Text)
{
    /// <summary>A CRC-32C of the text, to tell it from another. Never 0.</summary>
    public uint Check()
    {
        var bytes = MemoryMarshal.AsBytes(Text.AsSpan());
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
