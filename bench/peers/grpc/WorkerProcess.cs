using System.Diagnostics;
using System.Net.Sockets;
using Grpc.Net.Client;

namespace GrpcPeer;

/// <summary>A worker's process and the client of its server.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Process _process;
    private readonly GrpcChannel _channel;

    private WorkerProcess(string folder, string socket, Process process)
    {
        _folder = folder;
        _process = process;
        _channel = GrpcChannel.ForAddress("http://worker", new GrpcChannelOptions
        {
            MaxReceiveMessageSize = null,
            MaxSendMessageSize = null,
            DisposeHttpClient = true,
            HttpHandler = new SocketsHttpHandler
            {
                InitialHttp2StreamWindowSize = Server.Window,
                UseProxy = false,
                ConnectCallback = (_, cancellation) => ConnectAsync(socket, cancellation),
            },
        });
        Client = new Worker.WorkerClient(_channel);
    }

    public Worker.WorkerClient Client { get; }

    public int Pid => _process.Id;

    /// <summary>Starts the workers side by side; each listens when its task ends.</summary>
    public static Task<WorkerProcess>[] Start(int count) => [.. Enumerable.Range(0, count).Select(_ => StartAsync())];

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        _process.StandardInput.Close();
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<WorkerProcess> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("grpc-peer-").FullName;
        var socket = Path.Combine(folder, "socket");
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { typeof(WorkerProcess).Assembly.Location, "serve", socket },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start)!;
        return await process.StandardOutput.ReadLineAsync() == "ready"
            ? new WorkerProcess(folder, socket, process)
            : throw new InvalidOperationException("a worker did not start");
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
