using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using ProcessPool.Cli.Map;
using ProcessPool.Telemetry;

namespace ProcessPool.Cli.Output;

/// <summary>Writes one JSON line for each outcome.</summary>
internal sealed class OutcomeWriter(Stream output) : IDisposable
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    private readonly BufferedStream _output = new(output, 64 * 1024);
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _writer = new(Stream.Null, Options);

    /// <summary>
    /// Standard output. A pipe is opened as a file: the console's own stream ignores that its reader is gone, and an endless map into <c>head</c> would never end.
    /// Not so what can be sought in: a file stream writes at a place of its own, over what other programs have written there.
    /// </summary>
    public static OutcomeWriter OpenStandardOutput()
    {
        var output = OperatingSystem.IsWindows() ? null : new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        return new OutcomeWriter(output is { CanSeek: false } ? output : Console.OpenStandardOutput());
    }

    /// <summary>A result alone: <c>49</c>.</summary>
    /// <exception cref="InvalidOperationException">It is no text that can be written.</exception>
    public void WriteValue(JsonElement value)
    {
        Begin(_line);
        value.WriteTo(_writer);
        EndLine();
    }

    /// <summary><c>{"value":49}</c> or <c>{"error":{"kind":"crash",…}}</c>.</summary>
    /// <returns>The error that the line says, or null.</returns>
    public Exception? WriteOutcome(JsonElement value, Exception? error) => WriteLine(null, value, error, tries: 1);

    /// <summary><c>{"index":0,"value":49}</c> or <c>{"index":3,"error":{"kind":"crash",…}}</c>.</summary>
    /// <returns>The error that the line says, or null.</returns>
    public Exception? Write(MapOutcome made)
    {
        var error = made.Outcome.Error;
        return WriteLine(made.Item.Index, error is null ? made.Outcome.Value : default, error, made.Tries);
    }

    /// <summary>How many bytes the last line has.</summary>
    public int LastLength => _line.WrittenCount + NewLine.Length;

    private Exception? WriteLine(long? index, JsonElement value, Exception? error, int tries)
    {
        try
        {
            WriteObject(index, value, error, tries);
        }
        catch (InvalidOperationException exception)
        {
            // A plugin may send what looks like JSON, and has half a character in it.
            error = new CallArgumentException($"The result is no JSON that can be written: {exception.Message}", new FaultSite(null, Execution: Execution.Started), exception);
            WriteObject(index, default, error, tries);
        }

        EndLine();
        return error;
    }

    private void WriteObject(long? index, JsonElement value, Exception? error, int tries)
    {
        Begin(_line);
        _writer.WriteStartObject();
        if (index is { } place)
        {
            _writer.WriteNumber("index", place);
        }

        if (error is null)
        {
            _writer.WritePropertyName("value");
            value.WriteTo(_writer);
        }
        else
        {
            WriteError(error, tries);
        }

        _writer.WriteEndObject();
    }

    /// <summary>Sends on what is buffered.</summary>
    public void Flush() => _output.Flush();

    /// <summary>Closes the output; what was not flushed before is lost.</summary>
    public void Dispose() => output.Dispose();

    private void WriteError(Exception error, int tries)
    {
        _writer.WriteStartObject("error");
        _writer.WriteString("kind", ErrorType.Of(error));
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

        if (tries > 1)
        {
            _writer.WriteNumber("tries", tries);
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
