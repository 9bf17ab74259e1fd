using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace ProcessPool.Cli.Output;

/// <summary>Writes one JSON line for each outcome.</summary>
internal sealed class OutcomeWriter(Stream output, FileStream? old = null) : IDisposable
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    private readonly BufferedStream _output = new(output, 64 * 1024);
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _writer = new(Stream.Null, Options);

    /// <summary>
    /// Opens a file, or standard output for "-". A pipe is opened as a file too: the console's own stream ignores that its reader is gone,
    /// and an endless map into <c>head</c> would never end. Not so what can be sought in: a file stream writes at a place of its own, over what other programs have written there.
    /// </summary>
    public static OutcomeWriter Open(string path)
    {
        if (path == "-")
        {
            var output = OperatingSystem.IsWindows() ? null : new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            return new OutcomeWriter(output is { CanSeek: false } ? output : Console.OpenStandardOutput());
        }

        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0);
        return new OutcomeWriter(file, old: file);
    }

    /// <summary>Empties a file that was there before. Not done on opening: its content stays if nothing can be started.</summary>
    public void Begin()
    {
        if (old is { CanSeek: true, Length: > 0 })
        {
            old.SetLength(0);
        }
    }

    /// <summary>A result alone: <c>49</c>.</summary>
    /// <exception cref="InvalidOperationException">It is no text that can be written.</exception>
    public void WriteValue(JsonElement value)
    {
        Begin(_line);
        value.WriteTo(_writer);
        EndLine();
    }

    /// <summary><c>{"index":0,"value":49}</c> or <c>{"index":3,"error":{"kind":"crash",…}}</c>.</summary>
    /// <returns>The error that the line says, or null.</returns>
    public Exception? Write(CallOutcome<JsonElement> outcome)
    {
        var error = outcome.Error;
        try
        {
            Write(outcome.Index, error, error is null ? outcome.Value : default);
        }
        catch (InvalidOperationException exception)
        {
            // A plugin may send what looks like JSON, and has half a character in it.
            error = exception;
            Write(outcome.Index, error, default);
        }

        EndLine();
        return error;
    }

    private void Write(long index, Exception? error, JsonElement value)
    {
        Begin(_line);
        _writer.WriteStartObject();
        _writer.WriteNumber("index", index);
        if (error is null)
        {
            _writer.WritePropertyName("value");
            value.WriteTo(_writer);
        }
        else
        {
            WriteError(error);
        }

        _writer.WriteEndObject();
    }

    /// <summary>Sends on what is buffered.</summary>
    public Task FlushAsync() => _output.FlushAsync();

    /// <summary>Closes the output; what was not flushed before is lost.</summary>
    public void Dispose() => output.Dispose();

    private void WriteError(Exception error)
    {
        _writer.WriteStartObject("error");
        _writer.WriteString("kind", ErrorKind.Of(error));
        _writer.WriteString("type", error is PluginCallException plugin ? plugin.Error.Type : error.GetType().Name);
        _writer.WriteString("message", error is PluginCallException thrown ? thrown.Error.Message : error.Message);
        if (error is WorkerCrashedException crash)
        {
            _writer.WriteNumber("exitCode", crash.ExitCode);
            if (crash.Signal is not null)
            {
                _writer.WriteString("signal", crash.Signal);
            }
        }

        if (error is SandboxPoolException { WorkerName: { } worker })
        {
            _writer.WriteString("worker", worker);
        }

        _writer.WriteEndObject();
    }

    // A line is whole, or is not written.
    private void Begin(ArrayBufferWriter<byte> line)
    {
        line.ResetWrittenCount();
        _writer.Reset(line);
    }

    private void EndLine()
    {
        _writer.Flush();
        _output.Write(_line.WrittenSpan);
        _output.Write(NewLine);
    }
}
