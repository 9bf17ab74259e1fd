using System.Runtime.CompilerServices;

namespace Attacks;

internal static class FileAttacks
{
    private static string s_initializer = "not run";

    public static IEnumerable<(string Name, Func<Target, string> Run)> All(string scratch) =>
    [
        ("read a secret", target => Attack.Try(() => { File.ReadAllText(target.Secret); })),
        ("read /etc/passwd", _ => Attack.Try(() => { File.ReadAllText("/etc/passwd"); })),
        ("open a secret for neither reading nor writing", target => Attack.Try(() => Closed(Native.Open(target.Secret, 3)))),
        ("list /", _ => Attack.Try(() => { Directory.GetFileSystemEntries("/"); })),
        ("list /proc", _ => Attack.Try(() => { Directory.GetDirectories("/proc"); })),
        ("create a file outside", target => Attack.Try(() => File.WriteAllText(Path.Combine(target.Folder, "made"), ""))),
        ("append to a file outside", target => Attack.Try(() => File.AppendAllText(Path.Combine(target.Folder, "appendable"), "x"))),
        ("truncate a file outside", target => Attack.Try(() => Native.WithText(Path.Combine(target.Folder, "truncatable"), path => Native.Call(76, 45, path, 1)))),
        ("delete a file outside", target => Attack.Try(() => Native.WithText(Path.Combine(target.Folder, "deletable"), path => Native.Call(263, 35, -100, path)))),
        ("open its own assembly for writing", _ => Attack.Try(() => Closed(Native.Open(typeof(FileAttacks).Assembly.Location, 1)))),
        ("open the runtime for writing", _ => Attack.Try(() => Closed(Native.Open(typeof(object).Assembly.Location, 1)))),
        ("make a symbolic link", target => Attack.Try(() => { File.CreateSymbolicLink(Path.Combine(scratch, "link"), target.Secret); })),
        ("make a hard link of a secret", target => Attack.Try(() => Native.WithText(target.Secret, from => Native.WithText(Path.Combine(scratch, "hard"), to => Native.Call(265, 37, -100, from, -100, to))))),
        ("rename a file into its folder", target => Attack.Try(() => Native.WithText(Path.Combine(target.Folder, "renamable"), from => Native.WithText(Path.Combine(scratch, "renamed"), to => Native.Call(264, 38, -100, from, -100, to))))),
        ("read a secret by way of ..", target => Attack.Try(() => { File.ReadAllText(scratch + "/../../../../.." + target.Secret); })),
        ("read a secret by way of /proc/self/root", target => Attack.Try(() => { File.ReadAllText("/proc/self/root" + target.Secret); })),
        ("read another's environment", target => Attack.Try(() => Closed(Native.Open($"/proc/{target.Victim}/environ", 0)))),
        ("read another's memory", target => Attack.Try(() => Closed(Native.Open($"/proc/{target.Victim}/mem", 0)))),
        ("read another's command line", target => Attack.Try(() => { File.ReadAllText($"/proc/{target.Victim}/cmdline"); })),
        ("list another's files", target => Attack.Try(() => { Directory.GetFiles($"/proc/{target.Victim}/fd"); })),
        ("read by way of another's root", target => Attack.Try(() => { File.ReadAllText($"/proc/{target.Victim}/root{target.Secret}"); })),
        ("read a secret in a finalizer", target => OnFinalizer(() => Attack.Try(() => { File.ReadAllText(target.Secret); }))),
        ("read a secret on a new thread", target => OnThread(() => Attack.Try(() => { File.ReadAllText(target.Secret); }))),
        ("read a secret on a pool thread", target => Task.Run(() => Attack.Try(() => { File.ReadAllText(target.Secret); })).Result),
        ("read a secret on a timer's thread", target => OnTimer(() => Attack.Try(() => { File.ReadAllText(target.Secret); }))),
        ("read /etc/passwd in a module initializer", _ => s_initializer),
        ("change a mode outside", target => Attack.Try(() => Native.WithText(target.Secret, path => Native.Call(268, 53, -100, path, 0x1A4)))),
        ("change times outside", target => Attack.Try(() => Native.WithText(target.Secret, path => Native.Call(280, 88, -100, path)))),
        ("set an attribute outside", target => Attack.Try(() => Native.WithText(target.Secret, path => Native.WithText("user.x", name => Native.Call(188, 5, path, name, name, 1))))),
        ("ask a file system for more", _ => Attack.Reaches(Native.Call(16, 29, -1, 0x40087602), 9)),
        ("lock its own assembly against others", _ => Attack.Try(Lock)),
        ("see that a file is there", target => Attack.Try(() => { _ = File.Exists(target.Secret) ? true : throw new FileNotFoundException(); })),
        ("make a pipe for others to open", _ => Attack.Try(() => Native.WithText(Path.Combine(scratch, "fifo"), path => Native.Call(259, 33, -100, path, 0x1180)))),
        ("watch a folder outside", target => Attack.Try(() => { using var watcher = new FileSystemWatcher(target.Folder) { EnableRaisingEvents = true }; })),
        ("use /dev/shm", _ => Attack.Try(() => { File.WriteAllText($"/dev/shm/attack-{Environment.ProcessId}", ""); File.Delete($"/dev/shm/attack-{Environment.ProcessId}"); })),
        ("open a device like a GPU's", target => target.Device.Length == 0 ? "skipped" : Attack.Try(() => Closed(Native.Open(target.Device, 2)))),
        ("open a file by its handle", target => Attack.Reaches(Native.Call(304, 265, -1, 0, 0), 14, 9)),
        ("read another worker's folder", target => Attack.Try(() => { Directory.GetFileSystemEntries(target.Sibling); })),
        ("make itself the last to be killed", _ => Attack.Try(() => File.WriteAllText("/proc/self/oom_score_adj", "0"))),
        ("use a file that the host left open", _ => Attack.Try(LeakedFile)),
    ];

    // The first code of the plugin.
    [ModuleInitializer]
    internal static void Initialize() => s_initializer = Attack.Try(() => { File.ReadAllText("/etc/passwd"); });

    // LOCK_EX.
    private static long Lock()
    {
        var file = Native.Open(typeof(FileAttacks).Assembly.Location, 0);
        var result = Native.Call(73, 32, file, 2 | 4);
        _ = Native.Close(file);
        return result;
    }

    private static long Closed(int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = Native.Close(descriptor);
        }

        return descriptor;
    }

    // The test's host has a file of this name open, for every child to inherit.
    private static long LeakedFile() =>
        Directory.GetFiles("/proc/self/fd").Select(path => new FileInfo(path).LinkTarget).Any(link => link?.EndsWith("leaked", StringComparison.Ordinal) == true) ? 0 : throw new FileNotFoundException();

    private static string OnThread(Func<string> attack)
    {
        var result = "";
        var thread = new Thread(() => result = attack());
        thread.Start();
        thread.Join();
        return result;
    }

    private static string OnTimer(Func<string> attack)
    {
        using var done = new ManualResetEventSlim();
        var result = "";
        using var timer = new Timer(_ =>
        {
            result = attack();
            done.Set();
        }, null, 0, Timeout.Infinite);
        done.Wait();
        return result;
    }

    private static string OnFinalizer(Func<string> attack)
    {
        Finalized.Result = "";
        Make();
        while (Finalized.Result.Length == 0)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return Finalized.Result;

        [MethodImpl(MethodImplOptions.NoInlining)]
        void Make() => _ = new Finalized(attack);
    }

    private sealed class Finalized(Func<string> attack)
    {
        public static volatile string Result = "";

        ~Finalized() => Result = attack();
    }
}
