using ProcessPool.Calls;
using ProcessPool.Protocol;
using ProcessPool.Scheduling;
using ProcessPool.Protocol.Transport;
using ProcessPool.TestKit;
using ProcessPool.Workers;
using StreamJsonRpc;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A sandbox that speaks the protocol and answers nonsense: its worker is over, its calls settle, the host is unharmed.</summary>
public sealed class HostileSandboxTests
{
    private readonly FakeSandbox _sandbox = new();

    [Fact]
    public async Task A_call_that_is_answered_with_nothing_costs_the_worker()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult<CallReply>(null!));
        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => worker.InvokeAsync(Some.Call().Request, null, CancellationToken.None).Within("the call settles"));
        Assert.Equal(CrashReason.ProtocolViolation, lost.Exit.Reason);
        Assert.True(_sandbox.Killed);
    }

    [Fact]
    public async Task A_reply_without_its_attachments_list_costs_the_worker()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(new CallReply(CallStatus.Succeeded, default, null!, null)));
        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => worker.InvokeAsync(Some.Call().Request, null, CancellationToken.None).Within("the call settles"));
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
        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => worker.InvokeAsync(Some.Call().Request, null, CancellationToken.None).Within("the call settles"));
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

    [Fact]
    public async Task A_reply_to_a_call_that_nobody_made_costs_the_worker()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(Some.Reply), alter: (message, write) =>
        {
            if (message is JsonRpcResult { Result: CallReply } reply)
            {
                reply.RequestId = new RequestId(987_654);
            }

            write(message);
        });
        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => worker.InvokeAsync(Some.Call().Request, null, CancellationToken.None).Within("the call settles"));
        Assert.Equal(CrashReason.ProtocolViolation, lost.Exit.Reason);
    }

    [Fact]
    public async Task A_reply_that_comes_twice_is_delivered_once_and_costs_the_worker()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(Some.Reply), alter: (message, write) =>
        {
            write(message);
            if (message is JsonRpcResult { Result: CallReply })
            {
                write(message);
            }
        });
        await worker.InvokeAsync(Some.Call().Request, null, CancellationToken.None).Within("the call settles");
        var exit = await worker.Exited.Within("the worker is over");
        Assert.Equal(CrashReason.ProtocolViolation, exit.Reason);
    }

    [Fact]
    public async Task A_sandbox_that_calls_its_host_where_it_has_no_reason_to_is_over()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(Some.Reply));
        await _callsOfSandbox!.NotifyAsync("Anything");
        var exit = await worker.Exited.Within("the worker is over");
        Assert.Equal(CrashReason.ProtocolViolation, exit.Reason);
    }

    [Fact]
    public async Task A_callback_for_another_call_or_for_what_it_does_not_have_is_refused()
    {
        var reply = new TaskCompletionSource<CallReply>();
        await using var worker = await StartAsync(calls: _ => reply.Task);
        var host = _callsOfSandbox!.Attach<IHostCalls>();
        var callbacks = new Callbacks([], Some.Settings().Services, WireLimits.MinMessageBytes);
        var call = worker.InvokeAsync(new CallRequest(5, "Do", "[]"u8.ToArray(), []), callbacks, CancellationToken.None);
        foreach (var (callId, target) in new[] { (6L, "IFiles.ReadAsync"), (5L, "IFiles.ReadAsync"), (5L, "$0.next"), (5L, "$99999999999.next"), (5L, "$-1.next"), (5L, "") })
        {
            var refused = await host.CallbackAsync(new CallbackRequest(callId, target, default, []), CancellationToken.None).Within("the callback is answered");
            Assert.Equal(CallStatus.ArgumentsRefused, refused.Status);
        }

        reply.SetResult(Some.Reply);
        await call.Within("the call is unharmed");
    }

    [Fact]
    public async Task More_callbacks_at_once_than_a_sandbox_makes_are_the_end_of_it()
    {
        await using var worker = await StartAsync(calls: _ => new TaskCompletionSource<CallReply>().Task);
        var host = _callsOfSandbox!.Attach<IHostCalls>();
        var callbacks = new Callbacks([new Never()], Some.Settings().Services, WireLimits.MinMessageBytes);
        var call = worker.InvokeAsync(new CallRequest(5, "Do", "[]"u8.ToArray(), []), callbacks, CancellationToken.None);
        for (var i = 0; i <= WireLimits.MaxRequestsAtOnce; i++)
        {
            _ = host.CallbackAsync(new CallbackRequest(5, "$0.next", default, []), CancellationToken.None);
        }

        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => call.Within("the call settles"));
        Assert.Equal(CrashReason.ProtocolViolation, lost.Exit.Reason);
    }

    [Fact]
    public async Task Nothing_can_be_asked_of_the_host_after_the_call()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(Some.Reply));
        var host = _callsOfSandbox!.Attach<IHostCalls>();
        await worker.InvokeAsync(new CallRequest(5, "Do", "[]"u8.ToArray(), []), new Callbacks([new Never()], Some.Settings().Services, WireLimits.MinMessageBytes), CancellationToken.None);
        var refused = await host.CallbackAsync(new CallbackRequest(5, "$0.next", default, []), CancellationToken.None).Within("the callback is answered");
        Assert.Contains("The call is over", refused.Error!.Message);
    }

    [Fact]
    public async Task A_sandbox_that_asks_and_does_not_read_the_answers_gets_no_further()
    {
        var large = new byte[1 << 20];
        await using var worker = await StartAsync(calls: _ => new TaskCompletionSource<CallReply>().Task, readsCalls: 1);
        var call = worker.InvokeAsync(new CallRequest(5, "Do", "[]"u8.ToArray(), []), new Callbacks([new Always(large)], Some.Settings().Services, WireLimits.MinMessageBytes), CancellationToken.None);
        for (var i = 0; i < 1_000; i++)
        {
            _ = _callsOfSandbox!.InvokeAsync<CallReply>(nameof(IHostCalls.CallbackAsync), new CallbackRequest(5, "$0.next", default, []));
        }

        Assert.Equal(CrashReason.ProtocolViolation, (await Assert.ThrowsAsync<WorkerLostException>(() => call.Within("the call settles"))).Exit.Reason);
    }

    [Fact]
    public async Task A_stream_that_goes_on_without_items_costs_the_worker()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(new CallReply(CallStatus.Streaming, "[]"u8.ToArray(), [], null)));
        Assert.Equal(CrashReason.ProtocolViolation, (await Assert.ThrowsAsync<WorkerLostException>(() => worker.InvokeAsync(Some.Call().Request, null, CancellationToken.None).Within("the call settles"))).Exit.Reason);
    }

    [Fact]
    public async Task What_a_dead_sandbox_had_finished_and_not_sent_is_delivered_and_the_rest_is_not()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(Some.Reply));
        var writer = new WireWriter();
        foreach (var id in new[] { 1, 2, 1, 77 })
        {
            writer.AddFrame(new JsonRpcResult { RequestId = new RequestId(id), Result = Some.Reply });
        }

        _sandbox.Outbox = [.. writer.Written.Span, 0, 0, 0, 9, 42];
        var answered = new List<int>();
        var calls = worker.InvokeManyAsync(new QueuedCalls([Some.Call(), Some.Call(), Some.Call()]), (index, _) => answered.Add(index), (_, _) => false);
        worker.Kill();
        await Assert.ThrowsAsync<WorkerLostException>(() => calls.Within("the calls are over"));
        Assert.Equal([0, 1], answered);
    }

    [Fact]
    public async Task A_call_that_has_asked_its_host_for_something_was_not_skipped_whatever_a_sandbox_says()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(Some.Reply));
        var asked = new Callbacks([], Some.Settings().Services, WireLimits.MinMessageBytes);
        await asked.AnswerAsync(new CallbackRequest(1, "Anything", default, []), CancellationToken.None);
        var writer = new WireWriter();
        foreach (var id in new[] { 1, 2 })
        {
            writer.AddFrame(new JsonRpcResult { RequestId = new RequestId(id), Result = new CallReply(CallStatus.Skipped, default, [], null) });
        }

        _sandbox.Outbox = writer.Written.ToArray();
        var answered = new List<int>();
        var chunk = new QueuedCalls([Some.Call(), new Invocation(Some.Call().Request, default, CallOptions.Default, asked, CancellationToken.None)]);
        var calls = worker.InvokeManyAsync(chunk, (index, _) => answered.Add(index), (_, _) => false);
        worker.Kill();
        await Assert.ThrowsAsync<WorkerLostException>(() => calls.Within("the calls are over"));
        Assert.Equal([0], answered);
    }

    [Fact]
    public async Task An_outbox_full_of_nonsense_harms_nobody()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(Some.Reply));
        _sandbox.Outbox = new byte[RecorderPage.OutboxBytes];
        Random.Shared.NextBytes(_sandbox.Outbox);
        var answered = 0;
        var calls = worker.InvokeManyAsync(new QueuedCalls([Some.Call(), Some.Call()]), (_, _) => answered++, (_, _) => false);
        worker.Kill();
        await Assert.ThrowsAsync<WorkerLostException>(() => calls.Within("the calls are over"));
        Assert.Equal(0, answered);
    }

    [Fact]
    public async Task A_chunk_that_is_answered_with_nothing_costs_the_worker()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(Some.Reply), many: () => Task.CompletedTask);
        var calls = worker.InvokeManyAsync(new QueuedCalls([Some.Call(), Some.Call()]), (_, _) => { }, (_, _) => false);
        Assert.Equal(CrashReason.ProtocolViolation, (await Assert.ThrowsAsync<WorkerLostException>(() => calls.Within("the calls are over"))).Exit.Reason);
    }

    private sealed class Always(byte[] bytes) : LiveCall
    {
        public override Task<CallReply> AnswerAsync(string operation, CallbackRequest request, CancellationToken cancellationToken) =>
            Task.FromResult(new CallReply(CallStatus.Succeeded, "[]"u8.ToArray(), [bytes], null));

        public override Task EndAsync() => Task.CompletedTask;
    }

    private sealed class Never : LiveCall
    {
        public override Task<CallReply> AnswerAsync(string operation, CallbackRequest request, CancellationToken cancellationToken) => new TaskCompletionSource<CallReply>().Task;

        public override Task EndAsync() => Task.CompletedTask;
    }

    [Fact]
    public async Task A_flood_of_stages_is_cut_off()
    {
        await using var worker = await StartAsync(calls: _ => Task.FromResult(Some.Reply));
        var host = _controlOfSandbox!.Attach<IHostControl>();
        var flood = Task.WhenAll(Enumerable.Range(0, 10_000).Select(_ => host.StageAsync(StartStage.Loaded)));
        var exit = await worker.Exited.Within("the worker is over");
        Assert.Equal(CrashReason.ProtocolViolation, exit.Reason);
        _controlOfSandbox!.Dispose();
        await ((Task)flood).ContinueWith(_ => { }, TaskScheduler.Default).Within("the flood ends");
    }

    private Func<Task>? _many;
    private JsonRpc? _controlOfSandbox;
    private JsonRpc? _callsOfSandbox;

    private Task<SandboxWorker> StartAsync(
        Func<CallRequest, Task<CallReply>> calls, Action<JsonRpcMessage, Action<JsonRpcMessage>>? alter = null, int readsCalls = int.MaxValue, Func<Task>? many = null)
    {
        _many = many ?? (() => new TaskCompletionSource().Task);
        return StartAsync(new InitializeReply(WireLimits.ProtocolVersion, null, null), calls, alter, readsCalls);
    }

    private Task<SandboxWorker> StartAsync(InitializeReply? initialized, Func<CallRequest, Task<CallReply>>? calls = null, Action<JsonRpcMessage, Action<JsonRpcMessage>>? alter = null, int readsCalls = int.MaxValue)
    {
        _controlOfSandbox = Serve<ISandboxControl>(_sandbox.SandboxControl, new Answers(initialized, calls, _many), alter);
        _callsOfSandbox = Serve<ISandboxCalls>(_sandbox.SandboxCalls, new Answers(initialized, calls, _many), alter, readsCalls);
        var request = new InitializeRequest(WireLimits.ProtocolVersion, "p", "p-0", 0, "/plugin.dll", WireLimits.MinMessageBytes);
        return SandboxWorker.StartAsync(_sandbox, request, Some.Settings(), _ => { }, CancellationToken.None);
    }

    private static JsonRpc Serve<T>(Stream stream, Answers answers, Action<JsonRpcMessage, Action<JsonRpcMessage>>? alter, int reads = int.MaxValue)
        where T : class
    {
        var rpc = RpcChannel.Create("sandbox", new AlteringHandler(stream, new WireFormatter(), alter, reads));
        rpc.AddLocalRpcTarget<T>((T)(object)answers, null);
        rpc.StartListening();
        return rpc;
    }

    /// <summary>Writes something else than it should, and reads only so many messages.</summary>
    private sealed class AlteringHandler(Stream stream, IJsonRpcMessageFormatter formatter, Action<JsonRpcMessage, Action<JsonRpcMessage>>? alter, int reads)
        : LengthHeaderMessageHandler(stream, stream, formatter)
    {
        private int _read;

        protected override async ValueTask<JsonRpcMessage?> ReadCoreAsync(CancellationToken cancellationToken)
        {
            if (_read++ >= reads)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return await base.ReadCoreAsync(cancellationToken);
        }

        protected override void Write(JsonRpcMessage content, CancellationToken cancellationToken)
        {
            if (alter is null)
            {
                base.Write(content, cancellationToken);
            }
            else
            {
                alter(content, message => base.Write(message, cancellationToken));
            }
        }
    }

    private sealed class Answers(InitializeReply? initialized, Func<CallRequest, Task<CallReply>>? calls, Func<Task>? many) : ISandboxControl, ISandboxCalls
    {
        public Task<string> ProveAsync(CancellationToken cancellationToken) => Task.FromResult("");

        public Task<InitializeReply> InitializeAsync(InitializeRequest request, CancellationToken cancellationToken) => Task.FromResult(initialized!);

        public Task<LoadReportMessage> GetLoadReportAsync(CancellationToken cancellationToken) => Task.FromResult(new LoadReportMessage([]));

        public Task ShutdownAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task ExitAsync() => Task.CompletedTask;

        public Task<CallReply> InvokeAsync(CallRequest request) => calls!(request);

        public Task InvokeManyAsync(CallChunk chunk) => many!();

        public Task<CallReply> NextAsync(long callId) => calls!(new CallRequest(callId, "next", default, []));

        public Task<CallReply> EndAsync(long callId) => Task.FromResult(Some.Reply);

        public Task CancelAsync(long callId) => Task.CompletedTask;

        public Task<long[]> RevokeAsync(long[] callIds) => Task.FromResult(callIds);
    }
}
