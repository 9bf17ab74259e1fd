namespace ProcessPool.Confining.Linux;

/// <summary>What every .NET program needs of the file system, beside its own files. Each may be missing.</summary>
internal static class GrantedFiles
{
    private const int FirstRenderNode = 128;

    /// <summary>For reading.</summary>
    public static readonly string[] Readable =
    [
        "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/sys/vm", "/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/fs/cgroup",
        "/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/localtime", "/usr/share/zoneinfo", "/usr/share/icu", "/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf",
        "/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/dev/urandom", "/dev/random",
    ];

    /// <summary>For names of machines, and for certificates, when the network is allowed.</summary>
    public static readonly string[] ForNetwork =
    [
        "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/ca-certificates", "/usr/share/ca-certificates", "/run/systemd/resolve",
    ];

    /// <summary>Programs, when children are allowed.</summary>
    public static readonly string[] ForChildren = ["/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/etc/alternatives"];

    /// <summary>The device files of GPUs.</summary>
    private static readonly string[] Gpu = ["/dev/kfd", "/dev/dxg", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset", "/dev/nvidia-caps"];

    /// <summary>What drivers tell of them.</summary>
    public static readonly string[] OfDrivers = ["/proc/driver/nvidia", "/sys/class/kfd", "/sys/class/drm", "/sys/devices/virtual/kfd", "/sys/bus/pci", "/sys/module/nvidia"];

    /// <summary>Those that there are. Of one card: what all cards have in common, and its own. Never tried with a real one.</summary>
    /// <param name="device">Its number; null: all of them.</param>
    public static IEnumerable<string> OfGpu(int? device) =>
        Gpu.Concat(device is { } number ? [$"/dev/nvidia{number}", $"/dev/dri/renderD{FirstRenderNode + number}", $"/dev/dri/card{number}"] : Directory.GetFiles("/dev", "nvidia*").Where(path => char.IsAsciiDigit(path[^1])).Append("/dev/dri")).Where(Path.Exists);

    /// <summary>The loader of the platform, which executing a program executes too.</summary>
    public static readonly string[] Loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1"];
}
