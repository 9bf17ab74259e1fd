// A web service around a native image library. When the library takes its process down, one request is answered with an error that says so;
// the others, and this process, go on.
//
//   dotnet run --project samples/ThumbnailService -- --urls http://127.0.0.1:8080
//   curl --data-binary @photo.jpg 'http://127.0.0.1:8080/thumbnails?size=200' -o small.jpg
//   curl -X POST http://127.0.0.1:8080/crash        # a segmentation fault inside libSkiaSharp
//   curl http://127.0.0.1:8080/health
using Microsoft.AspNetCore.Diagnostics;
using ProcessPool;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Services.AddSandboxPool("thumbnails", options =>
{
    options.Plugin = Path.Combine(AppContext.BaseDirectory, "plugins", "Thumbnails");
    options.Workers = 2;
    options.Standby = 2;                                  // takes the place of a worker that died, at once
    options.CallTimeout = TimeSpan.FromSeconds(10);
    options.QueueTimeout = TimeSpan.FromSeconds(10);
    options.Restart = new RestartPolicy { MaxRestarts = 1000 };
    options.Recycle = new RecyclePolicy { AfterCalls = 10_000 };
}).BindConfiguration("Thumbnails");
builder.Services.AddHealthChecks().AddSandboxPool("thumbnails");
builder.Services.AddProblemDetails();

var app = builder.Build();
app.UseExceptionHandler(failed => failed.Run(context => Answer(context.Features.Get<IExceptionHandlerFeature>()!.Error).ExecuteAsync(context)));
app.MapHealthChecks("/health");

app.MapPost("/thumbnails", async ([FromKeyedServices("thumbnails")] SandboxPool pool, HttpRequest request, int size, CancellationToken left) =>
{
    using var image = new MemoryStream();
    await request.Body.CopyToAsync(image, left);
    var thumbnail = await pool.InvokeAsync<byte[]>("Create", [image.ToArray(), size], left);
    return Results.Bytes(thumbnail, thumbnail is [0xFF, ..] ? "image/jpeg" : "image/png");
});

app.MapPost("/crash", ([FromKeyedServices("thumbnails")] SandboxPool pool, CancellationToken left) => pool.InvokeAsync<int>("Crash", null, left));

app.Run();

// Whose fault it is: the image's, the native library's, nobody's but the load's.
static IResult Answer(Exception error) => error switch
{
    PluginCallException { Error: var thrown } => Results.Problem(thrown.Message, statusCode: 422, title: "This is no image that can be made smaller."),
    WorkerCrashedException crash => Results.Problem($"The image library ended its process with {crash.Signal ?? $"exit code {crash.ExitCode}"}.", statusCode: 502, title: crash.Reason.ToString()),
    CallTimeoutException => Results.Problem(error.Message, statusCode: 504),
    CallRejectedException => Results.Problem(error.Message, statusCode: 503),
    BadHttpRequestException { StatusCode: var status } => Results.Problem(error.Message, statusCode: status),
    _ => Results.Problem(statusCode: 500),
};
