using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Grpc.Net.Client;
using GrpcPeer;

// gRPC over Unix sockets: this program is the client, and runs itself as the server of each worker.
//
//   GrpcPeer CASE [COUNT]     measures a case and prints one line of JSON
//   GrpcPeer serve SOCKET     a worker; ends when its standard input does

if (args is ["serve", var socket])
{
    await Server.RunAsync(socket);
    return 0;
}

if (args.Length is not (1 or 2))
{
    await Console.Error.WriteLineAsync("usage: GrpcPeer CASE [COUNT]");
    return 2;
}

int? count = args.Length == 2 ? int.Parse(args[1], CultureInfo.InvariantCulture) : null;
var line = new Dictionary<string, object?> { ["case"] = args[0] };
var figures = args[0] switch
{
    "roundtrip" => await Cases.RoundTripAsync(count ?? 2_000),
    "singles" => await Cases.SinglesAsync(count ?? 50_000),
    "bytes" => await Cases.BytesAsync(count ?? 30),
    "start" => await Cases.StartAsync(),
    "memory" => await Cases.MemoryAsync(),
    _ => new() { ["skipped"] = "this peer has no such case" },
};
line["version"] = $"Grpc.Net.Client {FileVersionInfo.GetVersionInfo(typeof(GrpcChannel).Assembly.Location).FileVersion}, .NET {Environment.Version}";
foreach (var (name, value) in figures)
{
    line[name] = value;
}

Console.WriteLine(JsonSerializer.Serialize(line));
return 0;
