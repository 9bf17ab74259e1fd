using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Host.Telemetry;

/// <summary>What tools see that look at the process from outside.</summary>
public sealed class PoolEventsTests
{
    [Fact]
    public async Task A_snapshot_shows_every_pool_and_worker_while_somebody_asks_for_it()
    {
        using var listener = new Listener((EventKeywords)4);
        var rig = await new PoolRig().StartedAsync();
        await rig.ServeAsync("a call is served");
        await Until.HoldsAsync(() => listener.Of("PoolSnapshot").Any(payload => payload[0] is "p"), "a snapshot shows the pool");
        await Until.HoldsAsync(() => listener.Of("WorkerSnapshot").Any(payload => payload[0] is "p" && payload[1] is "w" && payload[3] is "Idle"), "a snapshot shows its worker");
        await rig.StopAsync();
        Assert.Empty(listener.Errors);
    }

    [Fact]
    public async Task The_lives_of_workers_are_events()
    {
        using var listener = new Listener((EventKeywords)1);
        var rig = await new PoolRig().StartedAsync();
        await rig.StopAsync();
        Assert.Contains(listener.Of("WorkerReady"), payload => payload[1] is "w");
        Assert.Contains(listener.Of("WorkerExited"), payload => payload[1] is "w" && payload[3] is "shutdown");
        Assert.Empty(listener.Errors);
    }

    private sealed class Listener(EventKeywords keywords) : EventListener
    {
        private readonly ConcurrentQueue<(string Name, IReadOnlyList<object?> Payload)> _events = new();
        private EventKeywords? _keywords;

        public IEnumerable<IReadOnlyList<object?>> Of(string name) => _events.Where(each => each.Name == name).Select(each => each.Payload);

        /// <summary>What an event source says of itself when one of its events is wrong.</summary>
        public IEnumerable<string> Errors => _events.Where(each => each.Name == "EventSourceMessage").Select(each => string.Join(' ', each.Payload));

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            // Called by the base constructor too, before the field is set.
            _keywords ??= keywords;
            if (eventSource.Name == SandboxPoolTelemetry.EventSourceName)
            {
                EnableEvents(eventSource, EventLevel.Informational, _keywords.Value);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData) => _events?.Enqueue((eventData.EventName ?? "", eventData.Payload ?? (IReadOnlyList<object?>)[]));
    }
}
