using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

using static Ordinary.Check;

namespace Ordinary;

internal static class Machine
{
    public static IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        ("the current process's memory and times", Sync(() => { using var process = Process.GetCurrentProcess(); Is(process.WorkingSet64 > 0 && process.TotalProcessorTime > TimeSpan.Zero); })),
        ("all processes", Sync(() => Is(Process.GetProcesses().Length > 1))),
        ("a handler of a signal", Sync(() => { using var signal = PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => { }); })),
        ("the user's name", Sync(() => Is(Environment.UserName.Length > 0))),
        ("the machine's name", Sync(() => Is(Environment.MachineName.Length > 0))),
        ("a named mutex", Sync(() => { using var mutex = new Mutex(false, $"ordinary-{Guid.NewGuid():N}"); })),
        ("names of machines", async () => Is((await Dns.GetHostAddressesAsync("localhost")).Length > 0)),
        ("a request by HTTP", async () =>
        {
            using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            using var client = new HttpClient();
            var answer = client.GetStringAsync(new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"));
            using var served = await listener.AcceptTcpClientAsync();
            await served.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"u8.ToArray());
            Is(await answer == "x");
        }),
    ];
}
