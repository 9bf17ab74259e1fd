using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcPeer;

/// <summary>A worker: a server on a Unix socket.</summary>
internal static class Server
{
    public const int Window = 16 * 1024 * 1024;

    public static async Task RunAsync(string socket)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Limits.Http2.InitialConnectionWindowSize = Window;
            options.Limits.Http2.InitialStreamWindowSize = Window;
            options.Limits.Http2.MaxFrameSize = 1024 * 1024;
            options.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = null;
            options.MaxSendMessageSize = null;
        });
        var app = builder.Build();
        app.MapGrpcService<Service>();
        await app.StartAsync();
        Console.WriteLine("ready");
        await Console.OpenStandardInput().CopyToAsync(Stream.Null);
        await app.StopAsync(new CancellationToken(canceled: true));
    }

    private sealed class Service : Worker.WorkerBase
    {
        public override Task<Number> Square(Number request, ServerCallContext context) =>
            Task.FromResult(new Number { Value = request.Value * request.Value });

        public override Task<Data> Echo(Data request, ServerCallContext context) => Task.FromResult(request);
    }
}
