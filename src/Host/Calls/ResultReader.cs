using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ProcessPool.Binding;
using ProcessPool.Binding.Payload;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;

namespace ProcessPool;

/// <summary>Turns a reply into the caller's type, or into the exception it stands for.</summary>
internal static class ResultReader
{
    /// <summary>The result of a call that succeeded; throws for one that did not.</summary>
    public static T Read<T>(CallReply reply, FaultSite site, PayloadJson payloads)
    {
        ThrowIfFailed(reply, site);
        try
        {
            var json = reply.Attachments.Length > 0 && IsUntyped(typeof(T)) ? Inline(reply, payloads) : reply.Payload;
            var value = (T?)payloads.Read(json, reply.Attachments, typeof(T));
            return value is null && default(T) is not null ? throw new JsonException("The result is null.") : value!;
        }
        catch (Exception exception) when (exception is not SandboxPoolException)
        {
            throw Unreadable<T>(exception, site);
        }
    }

    /// <summary>The result of a settled call.</summary>
    public static T Read<T>(SettledCall settled, PayloadJson payloads)
    {
        var reply = settled.Reply;
        if (reply is { Status: CallStatus.Succeeded, Attachments.Length: 0 })
        {
            try
            {
                return ReadPlain<T>(reply.Payload, payloads);
            }
            catch (Exception exception) when (exception is not SandboxPoolException)
            {
                throw Unreadable<T>(exception, settled.Site);
            }
        }

        return Read<T>(reply, settled.Site, payloads);
    }

    /// <summary>A result without attachments. Throws what its reading throws.</summary>
    public static T ReadPlain<T>(ReadOnlyMemory<byte> json, PayloadJson payloads) => ReadPlain(json, (JsonTypeInfo<T>)payloads.Of(typeof(T)));

    /// <summary>A result without attachments. Throws what its reading throws.</summary>
    public static T ReadPlain<T>(ReadOnlyMemory<byte> json, JsonTypeInfo<T> type) =>
        PayloadJson.Read(json, type) is { } value ? value : default(T) is null ? default! : throw new JsonException("The result is null.");

    /// <summary>What its reading has thrown, for the caller.</summary>
    public static CallArgumentException Unreadable<T>(Exception exception, FaultSite site) =>
        new($"The result of {site.EntryPoint} cannot be read as {TypeNames.Of(typeof(T))}: {exception.Message}", site, exception);

    /// <summary>Throws for a call that did not succeed.</summary>
    public static void ThrowIfFailed(CallReply reply, FaultSite site)
    {
        if (reply.Status == CallStatus.Succeeded)
        {
            return;
        }

        var error = PluginError.From(reply.Error ?? new RemoteError("", "The sandbox gave no reason.", "", null));
        throw reply.Status switch
        {
            CallStatus.PluginThrew => new PluginCallException(error, site),
            CallStatus.ArgumentsRefused => new CallArgumentException(error.Message, site with { Execution = Execution.NotStarted }),
            _ => new CallArgumentException($"{site.EntryPoint} ran, but its result cannot be sent: {error.Message}", site),
        };
    }

    // JSON without a .NET type has nowhere to put bytes: there they become base64.
    private static bool IsUntyped(Type type) =>
        type.IsArray ? IsUntyped(type.GetElementType()!)
        : type == typeof(object) || type == typeof(JsonElement) || type == typeof(JsonDocument) || typeof(JsonNode).IsAssignableFrom(type);

    /// <summary>A reply's JSON with its attachments in it, as base64.</summary>
    public static ReadOnlyMemory<byte> Inline(CallReply reply, PayloadJson payloads)
    {
        var root = Replace(JsonNode.Parse(reply.Payload.Span), [.. reply.Attachments.Select(attachment => (ReadOnlyMemory<byte>?)attachment)]);
        return root is null ? "null"u8.ToArray() : JsonSerializer.SerializeToUtf8Bytes(root, payloads.Of(typeof(JsonNode)));
    }

    // Each attachment once: a sandbox could make much of little by referring to one many times.
    private static JsonNode? Replace(JsonNode? node, ReadOnlyMemory<byte>?[] attachments)
    {
        switch (node)
        {
            case JsonObject { Count: 1 } reference when reference[BytesToken.Property] is JsonValue value
                && value.TryGetValue(out int index) && (uint)index < (uint)attachments.Length:
                var attachment = attachments[index] ?? throw new JsonException("Two places refer to one attachment.");
                attachments[index] = null;
                return JsonValue.Create(Convert.ToBase64String(attachment.Span));
            case JsonObject members:
                foreach (var (name, member) in members.ToArray())
                {
                    var replaced = Replace(member, attachments);
                    if (!ReferenceEquals(replaced, member))
                    {
                        members[name] = replaced;
                    }
                }

                return members;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    var replaced = Replace(items[i], attachments);
                    if (!ReferenceEquals(replaced, items[i]))
                    {
                        items[i] = replaced;
                    }
                }

                return items;
            default:
                return node;
        }
    }
}
