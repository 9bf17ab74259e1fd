using System.Diagnostics;
using GreetingPlugin.Contract;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Trace;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Telemetry;

/// <summary>What a plugin's ILogger says, as the application's own logging has it.</summary>
[Collection(nameof(Alone))]
public sealed class LogTests
{
    [Fact]
    public async Task A_record_keeps_its_category_its_event_its_properties_and_scopes_and_belongs_to_the_trace_of_its_call()
    {
        var spans = new List<Activity>();
        var records = new List<Record>();
        using var tracer = Sdk.CreateTracerProviderBuilder().AddSource(SandboxPoolTelemetry.ActivitySourceName).AddInMemoryExporter(spans).Build();
        var scopes = new ScopeTexts();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(scopes).AddOpenTelemetry(options =>
        {
            (options.IncludeScopes, options.IncludeFormattedMessage) = (true, true);
            options.AddProcessor(new Keep(records));
        }));
        var options = Pools.Options(Path.Combine(Repository.Plugins, "GreetingPlugin"));
        options.LoggerFactory = factory;
        options.Settings["salutation"] = "Good\u001b morning";
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        await pool.GetProxy<IGreeter>().GreetAsync("Ada").Within("the call ends");

        // In the call's span, which is open until the record is there: no waiting.
        var client = Assert.Single(spans, span => span.Kind == ActivityKind.Client);
        var record = Assert.Single(records, each => each.Category == "GreetingPlugin.Greeter");
        Assert.Equal((LogLevel.Information, 7, "Greeting"), (record.Level, record.Event.Id, record.Event.Name));
        Assert.Equal((client.TraceId, client.SpanId), (record.Trace, record.Span));
        Assert.Contains(new("Name", "Ada"), record.Attributes);
        Assert.Contains(new("{OriginalFormat}", "Greeting {Name}."), record.Attributes);
        Assert.Equal("Greeting Ada.", record.Text);

        Assert.Equal(2, scopes.Last.Count);
        Assert.StartsWith("Pool:test Worker:test-0 ProcessId:", scopes.Last[0], StringComparison.Ordinal);
        Assert.Equal("Salutation:Good  morning", scopes.Last[1]);
        Assert.Contains(records, each => each.Category == "ProcessPool.test" && each.Event.Id == 1);
    }

    [Fact]
    public async Task Of_calls_that_go_together_each_has_its_own_span_and_its_own_records()
    {
        var spans = new List<Activity>();
        var records = new List<Record>();
        using var app = new ActivitySource("Tests.Together");
        using var tracer = Sdk.CreateTracerProviderBuilder().AddSource(SandboxPoolTelemetry.ActivitySourceName, app.Name).AddInMemoryExporter(spans).Build();
        using var factory = LoggerFactory.Create(logging => logging.AddOpenTelemetry(options => options.AddProcessor(new Keep(records))));
        var options = Pools.Options(PluginSource.Members("""
            [EntryPoint] public static int Say(int x, IPluginContext context) { context.Log(PluginLogLevel.Warning, "x is " + x); return Environment.StackTrace.Contains("InvokeMany") ? x : -1; }
            [EntryPoint] public static async Task Hold(string until) { while (!File.Exists(until)) await Task.Delay(5); }
            """));
        options.LoggerFactory = factory;
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        var go = Path.Combine(PluginSource.NewFolder(), "go");
        var held = pool.InvokeAsync("Hold", [go]);
        Pools.KnowToBeShort(pool, "Say");
        var calls = new List<Task<int>>();
        for (var i = 0; i < 40; i++)
        {
            using var request = app.StartActivity($"request {i}");
            calls.Add(pool.InvokeAsync<int>("Say", [i]));
        }

        File.WriteAllText(go, "");
        var values = await Task.WhenAll(calls).Within("the calls end");
        Assert.True(values.SequenceEqual(Enumerable.Range(0, 40)), $"Expected all to go together; -1 went alone: {string.Join(' ', values)}.");
        await held.Within("the call that was in the way ends");
        for (var i = 0; i < 40; i++)
        {
            var root = Assert.Single(spans, span => span.DisplayName == $"request {i}");
            var client = Assert.Single(spans, span => span.ParentSpanId == root.SpanId);
            var server = Assert.Single(spans, span => span.ParentSpanId == client.SpanId);
            Assert.Equal((ActivityKind.Server, root.TraceId), (server.Kind, server.TraceId));
            var record = Assert.Single(records, each => each.Text == $"x is {i}");
            Assert.Equal((root.TraceId, client.SpanId), (record.Trace, record.Span));
        }
    }

    private sealed record Record(string? Category, LogLevel Level, EventId Event, string? Text, ActivityTraceId Trace, ActivitySpanId Span, KeyValuePair<string, object?>[] Attributes);

    private sealed class Keep(List<Record> records) : BaseProcessor<LogRecord>
    {
        // The SDK uses a record's object again.
        public override void OnEnd(LogRecord data)
        {
            lock (records)
            {
                records.Add(new Record(data.CategoryName, data.LogLevel, data.EventId, data.FormattedMessage ?? data.Body, data.TraceId, data.SpanId, [.. data.Attributes ?? []]));
            }
        }
    }

    /// <summary>What a console prints of scopes.</summary>
    private sealed class ScopeTexts : ILoggerProvider, ISupportExternalScope, ILogger
    {
        private IExternalScopeProvider _scopes = null!;

        public List<string> Last { get; private set; } = [];

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

        public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("Greeting", StringComparison.Ordinal) ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => _scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var texts = new List<string>();
            _scopes.ForEachScope((scope, list) => list.Add(scope?.ToString() ?? ""), texts);
            Last = texts;
        }

        public void Dispose()
        {
        }
    }
}
