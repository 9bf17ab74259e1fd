using System.Text.Json;
using ProcessPool.Binding.Payload;

namespace ProcessPool.Binding.Streams;

/// <summary>A parameter whose argument is no JSON value: a stream or a progress handler.</summary>
internal abstract class LiveParameter
{
    /// <summary>What is passed when the caller gave nothing.</summary>
    public abstract object? Absent { get; }

    /// <summary>Whether the caller may leave it out.</summary>
    public abstract bool MayBeAbsent { get; }

    /// <summary>For a parameter's type; null when it is an ordinary one.</summary>
    public static LiveParameter? For(Type type)
    {
        var open = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
        var live = open == typeof(IAsyncEnumerable<>) ? typeof(StreamParameter<>) : open == typeof(IProgress<>) ? typeof(ProgressParameter<>) : null;
        return (LiveParameter?)(live is null ? null : Activator.CreateInstance(live.MakeGenericType(type.GetGenericArguments())));
    }

    /// <summary>The argument. The reader stands at its beginning, and afterwards at its end.</summary>
    public abstract object? Read(ref Utf8JsonReader reader, HostLink host, PayloadJson json);

    private sealed class StreamParameter<T> : LiveParameter
    {
        public override object? Absent => null;

        public override bool MayBeAbsent => false;

        public override object? Read(ref Utf8JsonReader reader, HostLink host, PayloadJson json) => reader.TokenType switch
        {
            JsonTokenType.Null => null,
            JsonTokenType.StartArray => ((T[])JsonSerializer.Deserialize(ref reader, json.Of(typeof(T[])))!).ToAsyncEnumerable(),
            _ => new HostStream<T>(LiveReference.Read(ref reader, LiveReference.Stream), host, json),
        };
    }

    private sealed class ProgressParameter<T> : LiveParameter
    {
        public override object? Absent => new NoProgress<T>();

        public override bool MayBeAbsent => true;

        public override object? Read(ref Utf8JsonReader reader, HostLink host, PayloadJson json)
        {
            if (reader.TokenType == JsonTokenType.Null)
            {
                return null;
            }

            var progress = new HostProgress<T>(LiveReference.Read(ref reader, LiveReference.Progress), host, json);
            host.BeforeReply(progress.FlushAsync);
            return progress;
        }
    }
}
