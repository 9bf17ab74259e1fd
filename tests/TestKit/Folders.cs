namespace ProcessPool.TestKit;

/// <summary>Folders of tests.</summary>
public static class Folders
{
    /// <summary>Deletes a folder, read-only ones in it too.</summary>
    public static void Delete(string root)
    {
        if (!OperatingSystem.IsWindows())
        {
            foreach (var folder in Directory.EnumerateDirectories(root, "*", SearchOption.AllDirectories).ToList())
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        Directory.Delete(root, recursive: true);
    }
}
