using StreamJsonRpc;

namespace ProcessPool.Protocol.Transport;

/// <summary>An argument or a result of a method of this protocol: a tag that says what it is, and its bytes.</summary>
internal static class WireValue
{
    private const byte Nothing = 0;
    private const byte Number = 1;
    private const byte Text = 2;
    private const byte Id = 3;
    private const byte Stage = 4;
    private const byte Numbers = 5;

    public static void Write(WireWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.Byte(Nothing);
                break;
            case long number:
                writer.Byte(Number);
                writer.Int64(number);
                break;
            case long[] numbers:
                writer.Byte(Numbers);
                writer.List(numbers, (to, number) => to.Int64(number));
                break;
            case string text:
                writer.Byte(Text);
                writer.String(text);
                break;
            case RequestId id:
                writer.Byte(Id);
                writer.Int64(id.Number ?? -1);
                break;
            case StartStage stage:
                writer.Byte(Stage);
                writer.Byte((byte)stage);
                break;
            case CallRequest request:
                writer.Byte(CallRequest.Tag);
                request.Write(writer);
                break;
            case CallChunk chunk:
                writer.Byte(CallChunk.Tag);
                chunk.Write(writer);
                break;
            case CallReply reply:
                writer.Byte(CallReply.Tag);
                reply.Write(writer);
                break;
            case CallbackRequest callback:
                writer.Byte(CallbackRequest.Tag);
                callback.Write(writer);
                break;
            case InitializeRequest initialize:
                writer.Byte(InitializeRequest.Tag);
                initialize.Write(writer);
                break;
            case InitializeReply initialized:
                writer.Byte(InitializeReply.Tag);
                initialized.Write(writer);
                break;
            case PluginLogEntry entry:
                writer.Byte(PluginLogEntry.Tag);
                entry.Write(writer);
                break;
            case LoadReportMessage report:
                writer.Byte(LoadReportMessage.Tag);
                report.Write(writer);
                break;
            default:
                throw new NotSupportedException($"{value.GetType()} is no value of this protocol.");
        }
    }

    public static object? Read(ref WireReader reader) => reader.Byte() switch
    {
        Nothing => null,
        Number => reader.Int64(),
        Numbers => reader.List((ref WireReader each) => each.Int64()),
        Text => reader.String(),
        Id => new RequestId(reader.Int64()),
        Stage => (StartStage)reader.Byte(),
        CallRequest.Tag => CallRequest.Read(ref reader),
        CallChunk.Tag => CallChunk.Read(ref reader),
        CallReply.Tag => CallReply.Read(ref reader),
        CallbackRequest.Tag => CallbackRequest.Read(ref reader),
        InitializeRequest.Tag => InitializeRequest.Read(ref reader),
        InitializeReply.Tag => InitializeReply.Read(ref reader),
        PluginLogEntry.Tag => PluginLogEntry.Read(ref reader),
        LoadReportMessage.Tag => LoadReportMessage.Read(ref reader),
        var tag => throw new InvalidDataException($"There is no value of kind {tag}."),
    };
}
