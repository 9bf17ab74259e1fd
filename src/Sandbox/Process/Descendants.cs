using System.Globalization;
using ProcessPool.Sandbox.Interop;

namespace ProcessPool.Sandbox;

/// <summary>Ends every process below this one. Complete on Linux, where orphans were adopted; elsewhere only this process ends.</summary>
internal static class Descendants
{
    private const int Rounds = 10;

    /// <summary>SIGKILL for all descendants.</summary>
    public static void EndAll()
    {
        // A descendant may fork while it is being looked for; when its parent dies, the newcomer is ours and is found next time.
        for (var round = 0; OperatingSystem.IsLinux() && round < Rounds && KillAll(Environment.ProcessId) > 0; round++)
        {
        }
    }

    /// <summary>Ends this process so that no handler, finalizer or thread of the plugin can hold it up. Does not return.</summary>
    public static void EndSelf()
    {
        if (OperatingSystem.IsWindows())
        {
            Environment.FailFast("The host is gone.");
        }

        LibC.Kill(Environment.ProcessId);
    }

    private static int KillAll(int root)
    {
        if (!MayLookAtOthers())
        {
            return KillChildren();
        }

        var children = Processes().ToLookup(process => process.Parent, process => process.Id);
        var found = new Stack<int>(children[root]);
        var count = 0;
        while (found.TryPop(out var id))
        {
            count++;
            LibC.Kill(id);
            foreach (var child in children[id])
            {
                found.Push(child);
            }
        }

        return count;
    }

    // A confined process sees itself alone. Children of those that die become its own, and are found next time.
    private static int KillChildren()
    {
        var count = 0;
        foreach (var thread in Directory.EnumerateDirectories("/proc/self/task"))
        {
            foreach (var id in Read(thread + "/children")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [])
            {
                count++;
                LibC.Kill(int.Parse(id, CultureInfo.InvariantCulture));
            }
        }

        return count;
    }

    private static bool MayLookAtOthers()
    {
        try
        {
            return Directory.EnumerateDirectories("/proc").Any();
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static IEnumerable<(int Id, int Parent)> Processes()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && ReadParent(directory) is { } parent)
            {
                yield return (id, parent);
            }
        }
    }

    // "pid (name) state ppid …": the name may hold spaces and parentheses, so count from the last one. Zombies are gone already.
    private static int? ReadParent(string directory)
    {
        try
        {
            var stat = File.ReadAllText(directory + "/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 3);
            return fields[0] == "Z" ? null : int.Parse(fields[1], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or FormatException)
        {
            return null;
        }
    }
}
