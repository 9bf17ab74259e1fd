using Nerdbank.Streams;
using ProcessPool;
using StreamJsonRpc;

/// <summary>A plugin that talks JSON-RPC itself, with a version of its own.</summary>
public static class Rpc
{
    /// <summary>A call to itself over its own StreamJsonRpc.</summary>
    [EntryPoint]
    public static async Task<int> TwiceAsync(int value)
    {
        var (left, right) = FullDuplexStream.CreatePair();
        using var server = JsonRpc.Attach(right, new Server());
        using var client = JsonRpc.Attach(left);
        return await client.InvokeAsync<int>("Twice", value);
    }

    private sealed class Server
    {
#pragma warning disable CA1822 // Called by name.
        public int Twice(int value) => 2 * value;
#pragma warning restore CA1822
    }
}
