using System.Net.Sockets;

namespace Attacks;

/// <summary>What the test has laid out for the attacks to find. All of it is the test's own.</summary>
/// <param name="Folder">A folder outside of everything that is granted.</param>
/// <param name="Victim">A process that the test has started, as the same user.</param>
/// <param name="Port">A TCP port of this machine that the test listens on.</param>
/// <param name="UdpPort">A UDP port.</param>
/// <param name="Socket">The path of a socket that the test listens on.</param>
/// <param name="Device">A device file like that of a GPU; "" when none could be made.</param>
/// <param name="Sibling">Another worker's scratch folder.</param>
public sealed record Target(string Folder, int Victim, int Port, int UdpPort, string Socket, string Device, string Sibling)
{
    public string Secret => Path.Combine(Folder, "secret");
}

/// <summary>How an attack ended.</summary>
internal static class Attack
{
    /// <summary>"ok"; or "errno N"; or the exception's name.</summary>
    public static string Try(Func<long> attack)
    {
        try
        {
            return attack() is var result and < 0 ? $"errno {-result}" : "ok";
        }
        catch (Exception exception)
        {
            for (var each = exception; each is not null; each = each.InnerException)
            {
                switch (each)
                {
                    case SocketException socket:
                        return $"SocketException {socket.SocketErrorCode}";
                    case System.ComponentModel.Win32Exception native:
                        return $"errno {native.NativeErrorCode}";
                }
            }

            return exception.GetType().Name;
        }
    }

    public static string Try(Action attack) => Try(() =>
    {
        attack();
        return 0;
    });

    /// <summary>For calls that cannot succeed: "ok" when the kernel looked at the arguments.</summary>
    public static string Reaches(long result, params long[] looked) => result >= 0 || looked.Contains(-result) ? "ok" : $"errno {-result}";
}
