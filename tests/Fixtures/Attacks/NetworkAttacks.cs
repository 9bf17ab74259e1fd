using System.Net;
using System.Net.Sockets;

namespace Attacks;

internal static class NetworkAttacks
{
    private const int Socket = 41;
    private const int SocketArm64 = 198;

    public static IEnumerable<(string Name, Func<Target, string> Run)> All() =>
    [
        ("connect by TCP", target => Attack.Try(() => { using var client = new TcpClient("127.0.0.1", target.Port); })),
        ("listen by TCP", _ => Attack.Try(() => { using var listener = new TcpListener(IPAddress.Loopback, 0); listener.Start(); })),
        ("send by UDP", target => Attack.Try(() => { using var client = new UdpClient(); client.Send([1], 1, new IPEndPoint(IPAddress.Loopback, target.UdpPort)); })),
        ("ask by HTTP", target => Attack.Try(() => { using var client = new HttpClient(); client.GetStringAsync(new Uri($"http://127.0.0.1:{target.Port}/")).GetAwaiter().GetResult(); })),
        ("connect to a socket file", target => Attack.Try(() => Connect(new UnixDomainSocketEndPoint(target.Socket)))),
        ("connect to an abstract socket", target => Attack.Try(() => Connect(new UnixDomainSocketEndPoint("\0" + target.Folder)))),
        ("make a pair that can send to sockets with names", _ => Attack.Try(() => Pair(2))),
        ("open a netlink socket", _ => Open(16, 3)),
        ("open a packet socket", _ => Open(17, 3)),
        ("open a socket to the hypervisor", _ => Open(40, 1)),
        ("open a crypto socket", _ => Open(38, 5)),
        ("make a ring for input and output", _ => Attack.Reaches(Native.Call(425, 425, 1, 0), 14, 1)),
    ];

    private static string Open(int family, int type) => Attack.Try(() =>
    {
        var descriptor = Native.Call(Socket, SocketArm64, family, type);
        if (descriptor >= 0)
        {
            _ = Native.Close((int)descriptor);
        }

        return descriptor;
    });

    private static unsafe long Pair(int type)
    {
        var ends = stackalloc int[2];
        var made = Native.Call(53, 199, 1, type, 0, (nint)ends);
        if (made >= 0)
        {
            _ = Native.Close(ends[0]);
            _ = Native.Close(ends[1]);
        }

        return made;
    }

    private static void Connect(EndPoint end)
    {
        using var socket = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(end);
    }
}
