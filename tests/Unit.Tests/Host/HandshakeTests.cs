using Microsoft.Extensions.Time.Testing;
using ProcessPool.Protocol;
using ProcessPool.Telemetry;
using ProcessPool.TestKit;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>A sandbox that does not answer as it should. No process, no real time.</summary>
public sealed class HandshakeTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeSandbox _sandbox = new();
    private readonly TaskCompletionSource<WorkerExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task An_answer_that_is_an_error_fails_the_start_without_waiting_for_the_deadline()
    {
        var start = RunAsync(Task.FromException<InitializeReply>(new InvalidDataException("no such method")));
        _time.Advance(TimeSpan.FromSeconds(1));
        var failed = await Assert.ThrowsAsync<WorkerStartException>(() => start.Within("the start fails"));
        Assert.Contains("answered the handshake with an error: no such method", failed.Message);
    }

    [Fact]
    public async Task A_connection_that_breaks_because_the_sandbox_died_is_told_by_its_exit_code()
    {
        var start = RunAsync(Task.FromException<InitializeReply>(new IOException("connection lost")));
        _exited.SetResult(Some.Exit());
        var failed = await Assert.ThrowsAsync<WorkerStartException>(() => start.Within("the start fails"));
        Assert.Contains("ended at stage 'Started' of its start: SIGSEGV", failed.Message);
    }

    [Fact]
    public async Task Silence_ends_at_the_deadline_and_says_at_which_stage()
    {
        var start = RunAsync(new TaskCompletionSource<InitializeReply>().Task);
        _time.Advance(TimeSpan.FromSeconds(30));
        var failed = await Assert.ThrowsAsync<WorkerStartException>(() => start.Within("the start fails"));
        Assert.Contains("did not get from stage 'Started' to the next within 00:00:30", failed.Message);
    }

    [Fact]
    public async Task Each_stage_gives_the_next_its_full_time_once()
    {
        var handshake = NewHandshake();
        var start = handshake.RunAsync(new FakeControl(new TaskCompletionSource<InitializeReply>().Task), _exited.Task, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(29));
        await handshake.StageAsync(StartStage.Resolved);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(start.IsCompleted, "Expected the stage to extend the deadline.");
        await handshake.StageAsync(StartStage.Resolved);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("'Resolved'", (await Assert.ThrowsAsync<WorkerStartException>(() => start.Within("the start fails"))).Message);
    }

    [Fact]
    public async Task A_stage_of_the_plugin_extends_the_deadline_and_is_named_when_the_next_one_takes_too_long()
    {
        var handshake = NewHandshake();
        var start = handshake.RunAsync(new FakeControl(new TaskCompletionSource<InitializeReply>().Task), _exited.Task, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(29));
        await handshake.PluginStageAsync("model\u001b[31m loaded");
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(start.IsCompleted, "Expected the stage to extend the deadline.");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("'Started: model [31m loaded'", (await Assert.ThrowsAsync<WorkerStartException>(() => start.Within("the start fails"))).Message);
    }

    private Handshake NewHandshake() => new(
        Some.Settings(options => options.TimeProvider = _time),
        new InitializeRequest(WireLimits.ProtocolVersion, "p", "p-0", 0, "/plugin.dll", WireLimits.MinMessageBytes),
        _sandbox,
        new PluginLog(Some.Settings(), "p", "p-0", 1, new CurrentCalls()));

    private Task RunAsync(Task<InitializeReply> reply) => NewHandshake().RunAsync(new FakeControl(reply), _exited.Task, CancellationToken.None);

    private sealed class FakeControl(Task<InitializeReply> reply) : ISandboxControl
    {
        public Task<string> ProveAsync(CancellationToken cancellationToken) => Task.FromResult("");

        public Task<InitializeReply> InitializeAsync(InitializeRequest request, CancellationToken cancellationToken) => reply;

        public Task<LoadReportMessage> GetLoadReportAsync(CancellationToken cancellationToken) => Task.FromResult(new LoadReportMessage([]));

        public Task CancelAsync(long callId) => Task.CompletedTask;

        public Task<long[]> RevokeAsync(long[] callIds) => Task.FromResult(callIds);

        public Task ShutdownAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task ExitAsync() => Task.CompletedTask;
    }
}
