using System.Text;
using ProcessPool.Diagnostics;

namespace ProcessPool.Launch;

/// <summary>
/// Reads an output of a sandbox to its end and passes it on line by line. Bytes that are no UTF-8 become replacement characters, control
/// characters spaces; a line is cut at 64 Ki characters; a last line without an end is passed on too.
/// </summary>
internal static class OutputPump
{
    private const int MaxLine = 64 * 1024;
    private const int BufferBytes = 16 * 1024;

    public static async Task RunAsync(Stream output, Action<string> onLine)
    {
        var bytes = new byte[BufferBytes];
        var characters = new char[BufferBytes + 1];
        var decoder = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: false).GetDecoder();
        var line = new StringBuilder();
        try
        {
            int count;
            while ((count = await output.ReadAsync(bytes).ConfigureAwait(false)) > 0)
            {
                Split(characters.AsSpan(0, decoder.GetChars(bytes, 0, count, characters, 0)), line, onLine);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The reader was closed under a descendant that still holds the other end.
        }

        if (line.Length > 0)
        {
            onLine(line.ToString().TrimEnd('\r'));
        }
    }

    private static void Split(ReadOnlySpan<char> characters, StringBuilder line, Action<string> onLine)
    {
        foreach (var character in characters)
        {
            if (character == '\n' || line.Length >= MaxLine)
            {
                onLine(line.ToString().TrimEnd('\r'));
                line.Clear();
            }

            if (character == '\n')
            {
                continue;
            }

            // Before a line's end it belongs to the end. Elsewhere it would let a terminal write over what stands there.
            if (line.Length > 0 && line[^1] == '\r')
            {
                line[^1] = ' ';
            }

            line.Append(WireText.IsObeyed(character) && character is not ('\t' or '\r') ? ' ' : character);
        }
    }
}
