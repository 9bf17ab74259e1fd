using System.Text.Json;
using System.Text.Json.Nodes;

namespace ProcessPool.Plugins;

/// <summary>
/// Reads files of plugins, which may be anything: nothing empty is opened (a named pipe and a device look empty, and opening one may never end), and nothing is read without a limit.
/// </summary>
internal static class PluginFiles
{
    private const long MaxJsonBytes = 16 * 1024 * 1024;

    /// <summary>Opens a file, so that others may write, move and delete it meanwhile.</summary>
    public static Stream Open(string path) => new FileInfo(path).Length == 0
        ? Stream.Null
        : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);

    /// <summary>A JSON file as the SDK writes it.</summary>
    /// <exception cref="PluginLoadException">It is damaged or cannot be read.</exception>
    public static T ReadJson<T>(string path, Func<JsonNode?, T> read)
    {
        try
        {
            if (new FileInfo(path).Length > MaxJsonBytes)
            {
                throw PluginInfo.Unusable(path, $"the file is larger than {MaxJsonBytes} bytes");
            }

            using var stream = Open(path);
            return read(JsonNode.Parse(stream, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw PluginInfo.Unusable(path, exception.Message, exception);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or OverflowException or ArgumentException or NullReferenceException)
        {
            throw PluginInfo.Unusable(path, $"the file is damaged ({exception.Message})", exception);
        }
    }
}
