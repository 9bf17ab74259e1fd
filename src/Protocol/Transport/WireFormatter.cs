using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Protocol.Transport;

/// <summary>
/// JSON-RPC messages as bytes, for the messages of this protocol alone: no reflection and no generic serializers, which cost a sandbox most of its start.
/// An error keeps its code and message. What is read is hostile: an unknown tag is an <see cref="InvalidDataException"/>, which ends the connection.
/// </summary>
internal sealed class WireFormatter : IJsonRpcMessageFormatter
{
    private const byte Request = 1;
    private const byte Result = 2;
    private const byte Error = 3;

    /// <summary>What comes before the JSON of a reply.</summary>
    private const int PlainHeadBytes = 16;

    /// <summary>What comes after it: no attachments, no error, no usage, nothing in the mailbox, no spans.</summary>
    private static ReadOnlySpan<byte> PlainTail => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    // Names are part of both programs: the known ones are not made again for each message.
    private static readonly (byte[] Utf8, string Name)[] Methods = Array.ConvertAll(
        [
            nameof(ISandboxCalls.InvokeAsync), nameof(ISandboxCalls.InvokeManyAsync), nameof(ISandboxCalls.NextAsync), nameof(ISandboxCalls.EndAsync), nameof(IHostCalls.CallbackAsync),
            nameof(IHostControl.StageAsync), nameof(IHostControl.PluginStageAsync), nameof(IHostControl.LogAsync),
            nameof(ISandboxControl.InitializeAsync), nameof(ISandboxControl.GetLoadReportAsync), nameof(ISandboxControl.ShutdownAsync), nameof(ISandboxControl.ExitAsync), nameof(ISandboxControl.CancelAsync), nameof(ISandboxControl.RevokeAsync), nameof(ISandboxControl.ProveAsync),
            "$/cancelRequest",
        ],
        name => (Encoding.UTF8.GetBytes(name), name));

    private readonly WireWriter _writer = new();

    public JsonRpcMessage Deserialize(ReadOnlySequence<byte> contentBuffer) =>
        Read(contentBuffer.IsSingleSegment ? contentBuffer.FirstSpan : contentBuffer.ToArray());

    public void Serialize(IBufferWriter<byte> bufferWriter, JsonRpcMessage message)
    {
        _writer.Clear();
        Write(_writer, message);
        bufferWriter.Write(_writer.Written.Span);
    }

    public object GetJsonText(JsonRpcMessage message) => message.ToString() ?? "";

    public static void Write(WireWriter writer, JsonRpcMessage message)
    {
        switch (message)
        {
            case JsonRpcRequest request:
                writer.Byte(Request);
                WriteId(writer, request.RequestId);
                writer.String(request.Method ?? "");
                if (request.NamedArguments is { } named)
                {
                    // The library's own cancellation is the only one.
                    writer.Int32(-1);
                    WireValue.Write(writer, named.TryGetValue("id", out var id) ? id : null);
                }
                else
                {
                    writer.List(request.ArgumentsList, WireValue.Write);
                }

                break;
            case JsonRpcResult result:
                writer.Byte(Result);
                WriteId(writer, result.RequestId);
                WireValue.Write(writer, result.Result);
                break;
            case JsonRpcError error:
                writer.Byte(Error);
                WriteId(writer, error.RequestId);
                writer.Int32((int)(error.Error?.Code ?? JsonRpcErrorCode.InternalError));
                var text = error.Error?.Message ?? "";
                writer.String(text.Length <= WireLimits.MaxErrorMessage ? text : text[..WireLimits.MaxErrorMessage] + "…");
                break;
            default:
                throw new NotSupportedException($"{message.GetType()} is no message of this protocol.");
        }
    }

    public static JsonRpcMessage Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        JsonRpcMessage message = reader.Byte() switch
        {
            Request => ReadRequest(ref reader),
            Result => new JsonRpcResult { RequestId = ReadId(ref reader), Result = WireValue.Read(ref reader) },
            Error => new JsonRpcError { RequestId = ReadId(ref reader), Error = new JsonRpcError.ErrorDetail { Code = (JsonRpcErrorCode)reader.Int32(), Message = reader.String() } },
            var kind => throw new InvalidDataException($"There is no message of kind {kind}."),
        };
        return reader.Left == 0 ? message : throw new InvalidDataException($"A message has {reader.Left} bytes too many.");
    }

    /// <summary>Reads a result without a message around it; false for other messages.</summary>
    public static bool TryReadResult(ReadOnlySpan<byte> bytes, out long id, out object? result)
    {
        (id, result) = (0, null);
        if (bytes.Length == 0 || bytes[0] != Result)
        {
            return false;
        }

        var reader = new WireReader(bytes[1..]);
        id = reader.Bool() ? reader.Int64() : throw new InvalidDataException("A result has no number.");
        result = WireValue.Read(ref reader);
        return reader.Left == 0 ? true : throw new InvalidDataException($"A message has {reader.Left} bytes too many.");
    }

    /// <summary>Writes a request with one argument, without a message around it: the same bytes.</summary>
    public static void WriteRequest(WireWriter writer, long id, string method, object? argument)
    {
        writer.Byte(Request);
        writer.Bool(true);
        writer.Int64(id);
        writer.String(method);
        writer.Int32(1);
        WireValue.Write(writer, argument);
    }

    /// <summary>Writes the result of a call that succeeded, without a message around it: the same bytes.</summary>
    public static void WritePlainReply(WireWriter writer, long id, ReadOnlySpan<byte> json)
    {
        var bytes = writer.Take(PlainHeadBytes + json.Length + PlainTail.Length);
        bytes[0] = Result;
        bytes[1] = 1;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], id);
        bytes[10] = CallReply.Tag;
        bytes[11] = (byte)CallStatus.Succeeded;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], json.Length);
        json.CopyTo(bytes[PlainHeadBytes..]);
        PlainTail.CopyTo(bytes[(PlainHeadBytes + json.Length)..]);
    }

    /// <summary>Reads the result of a call that succeeded, without attachments and the like; false for everything else.</summary>
    public static bool TryReadPlainReply(ReadOnlySpan<byte> bytes, out long id, out ReadOnlySpan<byte> json)
    {
        id = 0;
        json = default;
        if (bytes.Length < PlainHeadBytes + PlainTail.Length || bytes[0] != Result || bytes[1] != 1 || bytes[10] != CallReply.Tag || bytes[11] != (byte)CallStatus.Succeeded
            || BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]) != bytes.Length - PlainHeadBytes - PlainTail.Length || !bytes.EndsWith(PlainTail))
        {
            return false;
        }

        id = BinaryPrimitives.ReadInt64LittleEndian(bytes[2..]);
        json = bytes[PlainHeadBytes..^PlainTail.Length];
        return true;
    }

    private static JsonRpcRequest ReadRequest(ref WireReader reader)
    {
        var request = new JsonRpcRequest { RequestId = ReadId(ref reader), Method = ReadMethod(ref reader) };
        var ahead = reader;
        if (ahead.Int32() == -1)
        {
            reader.Int32();
            request.NamedArguments = new Dictionary<string, object?> { ["id"] = WireValue.Read(ref reader) };
        }
        else
        {
            // No method of this protocol has more than one.
            var count = reader.Int32();
            request.ArgumentsList = count switch
            {
                0 => [],
                1 => [WireValue.Read(ref reader)],
                _ => throw new InvalidDataException($"A request announces {count} arguments."),
            };
        }

        return request;
    }

    private static string ReadMethod(ref WireReader reader)
    {
        var utf8 = reader.Take(reader.Int32());
        foreach (var known in Methods)
        {
            if (utf8.SequenceEqual(known.Utf8))
            {
                return known.Name;
            }
        }

        return Encoding.UTF8.GetString(utf8);
    }

    // Requests of this protocol are numbered; one without a number is a notification.
    private static void WriteId(WireWriter writer, RequestId id)
    {
        writer.Bool(id.Number is not null);
        writer.Int64(id.Number ?? 0);
    }

    private static RequestId ReadId(ref WireReader reader)
    {
        var isNumbered = reader.Bool();
        var number = reader.Int64();
        return isNumbered ? new RequestId(number) : RequestId.NotSpecified;
    }
}
