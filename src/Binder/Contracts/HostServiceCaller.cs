using System.Buffers;
using ProcessPool.Binding.Payload;

namespace ProcessPool.Binding.Contracts;

using HostCall = Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], CancellationToken, Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)>>;

/// <summary>The calls of a plugin to a service of its host.</summary>
internal sealed class HostServiceCaller(HostCall host) : IContractCaller
{
    private static readonly PayloadJson Json = PayloadJson.ForPlugin;

    public async Task<T> InvokeAsync<T>(string entryPoint, object?[] values, Type[] types, CancellationToken cancellationToken)
    {
        var (payload, attachments, _) = await AskAsync(entryPoint, values, types, cancellationToken).ConfigureAwait(false);
        return (T)Json.Read(payload, attachments, typeof(T))!;
    }

    public Task InvokeAsync(string entryPoint, object?[] values, Type[] types, CancellationToken cancellationToken) => AskAsync(entryPoint, values, types, cancellationToken);

    public IAsyncEnumerable<T> StreamAsync<T>(string entryPoint, object?[] values, Type[] types, CancellationToken cancellationToken) =>
        throw new NotSupportedException($"{entryPoint} returns a stream, which a service of the host cannot: return an array, or pages of it.");

    private Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)> AskAsync(
        string entryPoint, object?[] values, Type[] types, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var attachments = new List<ReadOnlyMemory<byte>>();
        buffer.Write("["u8);
        for (var i = 0; i < values.Length; i++)
        {
            buffer.Write(i > 0 ? ","u8 : default);
            Json.Write(buffer, values[i], types[i], attachments);
        }

        buffer.Write("]"u8);
        return host(entryPoint, buffer.WrittenMemory, [.. attachments], cancellationToken);
    }
}
