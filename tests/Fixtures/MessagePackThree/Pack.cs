using MessagePack;
using ProcessPool;

/// <summary>A plugin with a MessagePack of its own: the sandbox's is version 2.</summary>
public static class Pack
{
    /// <summary>There and back.</summary>
    [EntryPoint]
    public static int[] RoundTrip(int[] values) => MessagePackSerializer.Deserialize<int[]>(MessagePackSerializer.Serialize(values));
}
