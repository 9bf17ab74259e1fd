using System.Diagnostics;
using System.Globalization;
using Nerdbank.Streams;
using ProcessPool.Binding.Payload;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.TestKit;
using ProcessPool.Unit.Tests.Host;
using ProcessPool.Workers;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Unit.Tests.Protocol;

/// <summary>For tests that measure the whole program's memory: they run alone.</summary>
[CollectionDefinition(nameof(MeasuresMemory), DisableParallelization = true)]
public sealed class MeasuresMemory;

/// <summary>
/// Whatever bytes a sandbox sends, the host's call settles and its memory stays bounded. A few seconds here; for as long as you like with
/// <c>PROCESSPOOL_FUZZ_SECONDS=3600 dotnet test --filter-class "*FuzzTests"</c>.
/// </summary>
[Collection(nameof(MeasuresMemory))]
public sealed class FuzzTests
{
    private const int Cap = WireLimits.MinMessageBytes;
    private const int DefaultSeconds = 3;

    public sealed record Photo(string Name, byte[] Pixels, Dictionary<string, double?> Tags);

    [Fact]
    public async Task Mutated_messages_settle_the_call_and_are_bounded()
    {
        var recorded = await RecordAsync();
        await FuzzAsync(recorded, FeedAsync);
    }

    [Fact]
    public async Task Mutated_replies_settle_the_calls_and_are_bounded()
    {
        var writer = new WireWriter();
        var reply = await new Answering().InvokeAsync(Some.Call().Request);
        for (var id = 1; id <= 4; id++)
        {
            writer.AddFrame(new JsonRpcResult { RequestId = new RequestId(id), Result = reply });
        }

        await FuzzAsync(writer.Written.ToArray(), FeedCallsAsync);
    }

    private static async Task FuzzAsync(byte[] recorded, Func<byte[], Task<bool>> feed)
    {
        var seconds = int.TryParse(Environment.GetEnvironmentVariable("PROCESSPOOL_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out var asked) ? asked : DefaultSeconds;
        var seed = asked > 0 ? Random.Shared.Next() : 1;
        var random = new Random(seed);
        var watch = Stopwatch.StartNew();
        var replies = 0;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var round = 0;
        for (; watch.Elapsed.TotalSeconds < seconds; round++)
        {
            var bytes = Mutate(recorded, random);
            try
            {
                replies += await feed(bytes) ? 1 : 0;
            }
            catch (Exception exception)
            {
                Assert.Fail($"Expected nothing but a settled call for seed {seed}, round {round}: {Convert.ToBase64String(bytes)}: {exception}");
            }
        }

        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(replies > 0 && replies < round, $"Expected some messages to pass and some not: {replies} of {round} did, with seed {seed}.");
        Assert.True(grown < 50 << 20, $"Expected memory to stay bounded; it grew by {grown} bytes in {round} rounds, with seed {seed}.");
    }

    /// <summary>Lets the host read the bytes on a calls channel while it waits for one reply and for three in a chunk. Whether all came.</summary>
    private static async Task<bool> FeedCallsAsync(byte[] bytes)
    {
        await using var sandbox = new FakeSandbox();
        using var calls = new CallsConnection(sandbox, Cap, new CallbackTarget(Some.Settings()));
        var replies = 0;
        var one = calls.RequestAsync(nameof(ISandboxCalls.InvokeAsync), Some.Call().Request);
        var many = calls.RequestManyAsync(nameof(ISandboxCalls.InvokeManyAsync), new CallChunk("Do", [], [], default), new ManyReplies(3, (_, _) => replies++));
        await sandbox.SandboxCalls.WriteAsync(bytes);
        await sandbox.SandboxCalls.DisposeAsync();
        await calls.Completion.ContinueWith(_ => { }, TaskScheduler.Default).Within("the connection ends");
        await ((Task)one).ContinueWith(_ => { }, TaskScheduler.Default).Within("the call settles");
        await many.ContinueWith(_ => { }, TaskScheduler.Default).Within("the chunk settles");
        return one.IsCompletedSuccessfully && many.IsCompletedSuccessfully;
    }

    private static readonly PayloadJson Json = PayloadJson.ForHost(null);

    /// <summary>Lets the host read the bytes while it waits for a reply. Whether one came.</summary>
    private static async Task<bool> FeedAsync(byte[] bytes)
    {
        var (host, sandbox) = FullDuplexStream.CreatePair();
        using var rpc = RpcChannel.Create(host, "fuzzed", Cap, new RequestGate(WireLimits.MaxRequestsAtOnce, (nameof(IHostControl.StageAsync), WireLimits.MaxStages), (nameof(IHostControl.LogAsync), RequestGate.Always)));
        rpc.AddLocalRpcTarget<IHostControl>(new Ignoring(), null);
        var calls = rpc.Attach<ISandboxCalls>();
        rpc.StartListening();
        var pending = calls.InvokeAsync(Some.Call().Request);
        await sandbox.WriteAsync(bytes);
        await sandbox.DisposeAsync();
        await rpc.Completion.ContinueWith(_ => { }, TaskScheduler.Default).Within("the connection ends");
        await ((Task)pending).ContinueWith(_ => { }, TaskScheduler.Default).Within("the call settles");
        if (!pending.IsCompletedSuccessfully || pending.Result is not { Attachments: not null } reply)
        {
            return false;
        }

        try
        {
            ResultReader.Read<Photo>(reply, new FaultSite("p", EntryPoint: "E"), Json);
        }
        catch (SandboxPoolException)
        {
            // Typed, as it should be.
        }

        return true;
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var i = random.Next(4); i >= 0; i--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(16), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(64), bytes.Count - at)));
                    break;
                case 4:
                    bytes.InsertRange(at, Enumerable.Repeat((byte)random.Next(256), random.Next(64)));
                    break;
                default:
                    // A length of something, small or huge.
                    bytes[at] = new byte[] { 0x00, 0x7F, 0x80, 0xFF, 0xC6, 0xDD, 0xDF }[random.Next(7)];
                    break;
            }

            if (bytes.Count == 0)
            {
                bytes.Add(0);
            }
        }

        return [.. bytes];
    }

    /// <summary>What a well-behaved sandbox sends: stages and one reply.</summary>
    private static async Task<byte[]> RecordAsync()
    {
        var (host, sandbox) = FullDuplexStream.CreatePair();
        var recording = new RecordingStream(sandbox);
        using var client = RpcChannel.Create(host, "host", Cap);
        client.AddLocalRpcTarget<IHostControl>(new Ignoring(), null);
        using var server = RpcChannel.Create(recording, "sandbox", Cap);
        server.AddLocalRpcTarget<ISandboxCalls>(new Answering(), null);
        var stages = server.Attach<IHostControl>();
        var calls = client.Attach<ISandboxCalls>();
        client.StartListening();
        server.StartListening();
        await calls.InvokeAsync(Some.Call().Request).Within("a reply is recorded");
        await stages.StageAsync(StartStage.Loaded).Within("a stage is recorded");
        return recording.Written.ToArray();
    }

    private sealed class Ignoring : IHostControl
    {
        public Task StageAsync(StartStage stage) => Task.CompletedTask;

        public Task PluginStageAsync(string stage) => Task.CompletedTask;

        public Task LogAsync(PluginLogEntry entry) => Task.CompletedTask;
    }

    private sealed class Answering : ISandboxCalls
    {
        public Task<CallReply> InvokeAsync(CallRequest request) => Task.FromResult(new CallReply(
            CallStatus.Succeeded,
            """{"name":"photo","pixels":{"$bytes":0},"tags":{"a":1.5,"b":null}}"""u8.ToArray(),
            [new byte[] { 1, 2, 3 }],
            new RemoteError("Type", "message", "stack", new RemoteError("Inner", "", "", null))));

        public Task InvokeManyAsync(CallChunk chunk) => Task.CompletedTask;

        public Task<CallReply> NextAsync(long callId) => InvokeAsync(new CallRequest(callId, "next", "[1]"u8.ToArray(), []));

        public Task<CallReply> EndAsync(long callId) => NextAsync(callId);
    }

    /// <summary>Keeps what is written.</summary>
    private sealed class RecordingStream(Stream inner) : Stream
    {
        public MemoryStream Written { get; } = new();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            Written.Write(buffer, offset, count);
            inner.Write(buffer, offset, count);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written.Write(buffer.Span);
            return inner.WriteAsync(buffer, cancellationToken);
        }
    }
}
