// One trace across two processes, the plugin's own log lines in it, and the pool's metrics, on the console. With an OTLP exporter in place
// of the console's, the same goes to Jaeger, Prometheus, the Aspire dashboard, or whatever you have.
//
//   dotnet run --project samples/OpenTelemetry
using System.Diagnostics;
using GreetingPlugin.Contract;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using ProcessPool;

using var app = new ActivitySource("Sample.App");
var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddSandboxPool("greeter", options =>
{
    options.Plugin = Path.Combine(AppContext.BaseDirectory, "plugins", "GreetingPlugin");
    options.Workers = 1;
}).AddContract<IGreeter>();
builder.Services.AddOpenTelemetry()
    .WithMetrics(metrics => metrics.AddMeter(SandboxPoolTelemetry.MeterName).AddConsoleExporter())
    .WithTracing(tracing => tracing
        .AddSource(app.Name, SandboxPoolTelemetry.ActivitySourceName, "GreetingPlugin")   // the last one is the plugin's own
        .AddConsoleExporter());
builder.Logging.ClearProviders().AddOpenTelemetry(logging =>
{
    (logging.IncludeScopes, logging.IncludeFormattedMessage) = (true, true);
    logging.AddConsoleExporter();
});

using var host = builder.Build();
await host.StartAsync();
using (app.StartActivity("welcome"))
{
    Console.WriteLine(await host.Services.GetRequiredKeyedService<IGreeter>("greeter").GreetAsync("Ada", CancellationToken.None));
}

await host.StopAsync();
