using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;
using ProcessPool.TestKit;
using ProcessPool.Workers;
using StreamJsonRpc;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A sandbox that speaks the protocol and answers nonsense: its worker is over, its calls settle, the host is unharmed.</summary>
public sealed class HostileSandboxTests
{
    private readonly FakeSandbox _sandbox = new();

    [Fact]
    public async Task A_call_that_is_answered_with_nothing_costs_the_worker()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult<CallReply>(null!));
        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => worker.InvokeAsync(Some.Call().Request, CancellationToken.None).Within("the call settles"));
        Assert.Equal(CrashReason.ProtocolViolation, lost.Exit.Reason);
        Assert.True(_sandbox.Killed);
    }

    [Fact]
    public async Task A_reply_without_its_attachments_list_costs_the_worker()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(new CallReply(CallStatus.Succeeded, default, null!, null)));
        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => worker.InvokeAsync(Some.Call().Request, CancellationToken.None).Within("the call settles"));
        Assert.Equal(CrashReason.ProtocolViolation, lost.Exit.Reason);
    }

    [Fact]
    public async Task A_closed_channel_of_a_living_process_costs_the_worker()
    {
        await using var worker = await StartAsync(calls: _ =>
        {
            _sandbox.SandboxCalls.Dispose();
            return new TaskCompletionSource<CallReply>().Task;
        });
        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => worker.InvokeAsync(Some.Call().Request, CancellationToken.None).Within("the call settles"));
        Assert.Equal(CrashReason.ProtocolViolation, lost.Exit.Reason);
    }

    [Fact]
    public async Task A_handshake_that_is_answered_with_nothing_fails_the_start()
    {
        var failed = await Assert.ThrowsAsync<WorkerStartException>(() => StartAsync(initialized: null).Within("the start fails"));
        Assert.Contains("answered the handshake with nothing", failed.Message);
        Assert.True(_sandbox.Killed);
    }

    [Fact]
    public async Task Another_protocol_version_fails_the_start()
    {
        var failed = await Assert.ThrowsAsync<WorkerStartException>(() => StartAsync(new InitializeReply(WireLimits.ProtocolVersion + 1, null, null)).Within("the start fails"));
        Assert.Contains("is from another version of ProcessPool.Host", failed.Message);
    }

    private Task<SandboxWorker> StartAsync(Func<CallRequest, Task<CallReply>> calls) =>
        StartAsync(new InitializeReply(WireLimits.ProtocolVersion, null, null), calls);

    private Task<SandboxWorker> StartAsync(InitializeReply? initialized, Func<CallRequest, Task<CallReply>>? calls = null)
    {
        Serve<ISandboxControl>(_sandbox.SandboxControl, new Answers(initialized, calls));
        Serve<ISandboxCalls>(_sandbox.SandboxCalls, new Answers(initialized, calls));
        var request = new InitializeRequest(WireLimits.ProtocolVersion, "p", "p-0", 0, "/plugin.dll", WireLimits.MinMessageBytes);
        return SandboxWorker.StartAsync(_sandbox, request, Some.Settings(), CancellationToken.None);
    }

    private static void Serve<T>(Stream stream, Answers answers)
        where T : class
    {
        var rpc = RpcChannel.Create(stream, typeof(T).Name, WireLimits.MinMessageBytes);
        rpc.AddLocalRpcTarget<T>((T)(object)answers, null);
        rpc.StartListening();
    }

    private sealed class Answers(InitializeReply? initialized, Func<CallRequest, Task<CallReply>>? calls) : ISandboxControl, ISandboxCalls
    {
        public Task<InitializeReply> InitializeAsync(InitializeRequest request, CancellationToken cancellationToken) => Task.FromResult(initialized!);

        public Task ShutdownAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task ExitAsync() => Task.CompletedTask;

        public Task<CallReply> InvokeAsync(CallRequest request, CancellationToken cancellationToken) => calls!(request);
    }
}
