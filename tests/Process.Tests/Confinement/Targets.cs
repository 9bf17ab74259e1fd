using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Confinement;

/// <summary>What the attacks find: files, a process, servers and a device, all of them the test's own, gone when it ends.</summary>
internal sealed partial class Targets : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("processpool-attacked-").FullName;
    private readonly System.Diagnostics.Process _victim;
    private readonly bool _ofNobody;
    private readonly TcpListener _tcp = new(IPAddress.Loopback, 0);
    private readonly UdpClient _udp = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly List<Socket> _sockets = [];
    private readonly int _leaked;

    /// <param name="ofNobody">Whether files and process are that user's; otherwise this one's.</param>
    public Targets(bool ofNobody)
    {
        _ofNobody = ofNobody;
        _victim = System.Diagnostics.Process.Start(ofNobody ? new ProcessStartInfo("setpriv", [.. Nobody.Options, "sleep", "600"]) : new ProcessStartInfo("sleep", "600"))!;
        Directory.CreateDirectory(Sibling);
        Restore();
        _tcp.Start();
        _ = AnswerAsync();
        Listen(new UnixDomainSocketEndPoint(Path.Combine(_folder, "socket")));
        Listen(new UnixDomainSocketEndPoint("\0" + _folder));
        var device = Path.Combine(_folder, "device");
        HasDevice = MakeNullDevice(device);
        _leaked = OpenForAll(Path.Combine(_folder, "leaked"), 0);
    }

    private bool HasDevice { get; }

    // Where no other worker is.
    private string Sibling => Path.Combine(_folder, "sibling");

    /// <summary>As the plugin's entry point takes it.</summary>
    public object Describe(string? sibling = null) => new
    {
        Folder = _folder,
        Victim = _victim.Id,
        Port = ((IPEndPoint)_tcp.LocalEndpoint).Port,
        UdpPort = ((IPEndPoint)_udp.Client.LocalEndPoint!).Port,
        Socket = Path.Combine(_folder, "socket"),
        Device = HasDevice ? Path.Combine(_folder, "device") : "",
        Sibling = sibling ?? Sibling,
    };

    /// <summary>Makes a device file that swallows everything.</summary>
    public static bool MakeNullDevice(string path) => MakeNode(path, 0x2000 | 0x1B6, 0x103) == 0;

    /// <summary>Makes what attacks have taken away, readable and writable for everybody.</summary>
    public void Restore()
    {
        foreach (var name in new[] { "secret", "appendable", "truncatable", "deletable", "renamable", "leaked" })
        {
            File.WriteAllText(Path.Combine(_folder, name), "secret");
        }

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder, (UnixFileMode)0x1FF);
            foreach (var file in Directory.GetFileSystemEntries(_folder))
            {
                File.SetUnixFileMode(file, (UnixFileMode)0x1FF);
                _ = _ofNobody ? ChangeOwner(file, Nobody.Id, Nobody.Id) : 0;
            }
        }
    }

    public void Dispose()
    {
        _victim.Kill();
        _victim.Dispose();
        _tcp.Dispose();
        _udp.Dispose();
        _sockets.ForEach(socket => socket.Dispose());
        _ = CloseDescriptor(_leaked);
        Directory.Delete(_folder, recursive: true);
    }

    private void Listen(EndPoint end)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _sockets.Add(socket);
        socket.Bind(end);
        socket.Listen();
    }

    private async Task AnswerAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _tcp.AcceptTcpClientAsync();
                await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
            }
        }
        catch (Exception exception) when (exception is ObjectDisposedException or SocketException or IOException)
        {
            // The test is over.
        }
    }

    [LibraryImport("libc", EntryPoint = "mknod", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeNode(string path, uint mode, nint device);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, int user, int group);

    // Without the flag that keeps it from children.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenForAll(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseDescriptor(int descriptor);
}
