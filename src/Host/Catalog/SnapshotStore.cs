using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ProcessPool.Plugins;

namespace ProcessPool.Catalog;

/// <summary>An immutable copy of a plugin. Disposing it allows its eviction.</summary>
internal sealed class Snapshot(string digest, string directory, FileStream inUse) : IDisposable
{
    /// <summary>The content's, <c>sha256:…</c>.</summary>
    public string Digest => digest;

    public string Directory => directory;

    public void Dispose() => inUse.Dispose();
}

/// <summary>Copies of plugins by content hash. Several programs may use one store; locks are advisory, and gone with the process that holds them.</summary>
internal sealed class SnapshotStore
{
    /// <summary>How many that nobody uses are kept, for a quick start and a quick way back.</summary>
    private const int Kept = 8;

    private const string Incoming = ".incoming-";
    public const string Prefix = "sha256:";

    private readonly string _root;

    public SnapshotStore(string? root)
    {
        _root = Path.GetFullPath(root ?? DefaultRoot());
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_root);
        }
        else
        {
            Directory.CreateDirectory(_root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if ((File.GetUnixFileMode(_root) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
            {
                throw new IOException($"Others may write to {_root}: they could change what runs from there. Take that right away, or set SnapshotDirectory.");
            }
        }
    }

    /// <summary>Copies a plugin, unless its content is there already.</summary>
    /// <param name="source">The plugin.</param>
    /// <param name="trust">The only digests that are taken; null: any.</param>
    /// <exception cref="PluginLoadException">Its content is not trusted.</exception>
    /// <exception cref="IOException">It was changed meanwhile, or cannot be read: try again later.</exception>
    public Snapshot Take(DroppedPlugin source, IReadOnlySet<string>? trust)
    {
        var incoming = Path.Combine(_root, Incoming + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(incoming);
        try
        {
            var digest = Copy(source, incoming);
            if (trust is not null && !trust.Contains(Prefix + digest))
            {
                throw new PluginLoadException(
                    LoadStage.Resolve, source.Name, $"{source.Name} was not taken: its content is {Prefix}{digest}, which is not among the {trust.Count} trusted digests (Trust). Add it if it is meant to run.");
            }

            FileStream inUse;
            using (LockStore())
            {
                inUse = new FileStream(LockOf(digest), FileMode.OpenOrCreate, FileAccess.Read, FileShare.Read | FileShare.Delete);
                File.SetLastWriteTimeUtc(LockOf(digest), DateTime.UtcNow);
            }

            try
            {
                return new Snapshot(Prefix + digest, Keep(incoming, digest), inUse);
            }
            catch
            {
                inUse.Dispose();
                throw;
            }
        }
        finally
        {
            Delete(incoming);
        }
    }

    // Nobody evicts it now. What is there already is looked at again: it may have been changed.
    private string Keep(string incoming, string digest)
    {
        var directory = Path.Combine(_root, digest);
        var isThere = Directory.Exists(directory);
        if (isThere && DigestOf(directory) == digest)
        {
            return directory;
        }

        MakeReadOnly(incoming);
        using (LockStore())
        {
            if (isThere)
            {
                // Whoever runs from it keeps it; it is deleted with what is incoming.
                Directory.Move(directory, Path.Combine(_root, Incoming + Guid.NewGuid().ToString("N")));
            }

            if (!Directory.Exists(directory))
            {
                Directory.Move(incoming, directory);
            }
        }

        return directory;
    }

    /// <summary>Deletes what nobody uses, but for the newest few, and what was left in the middle of a copy.</summary>
    public void Evict()
    {
        using var turn = LockStore();
        var unused = Directory.GetDirectories(_root).Select(path => Path.GetFileName(path)!).Where(name => !name.StartsWith('.') && !IsInUse(name))
            .OrderByDescending(digest => File.GetLastWriteTimeUtc(LockOf(digest))).Skip(Kept);
        foreach (var digest in unused)
        {
            Delete(Path.Combine(_root, digest));
            File.Delete(LockOf(digest));
        }

        // A copy takes seconds; nobody is still at one that is a day old.
        foreach (var left in Directory.GetDirectories(_root, Incoming + "*").Where(path => DateTime.UtcNow - Directory.GetLastWriteTimeUtc(path) > TimeSpan.FromDays(1)))
        {
            Delete(left);
        }
    }

    /// <summary>The digest of what lies in a folder.</summary>
    public static string DigestOf(DroppedPlugin source)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in source.Files)
        {
            using var stream = PluginFiles.Open(file.Source);
            Append(digest, file.Path, IsExecutable(file.Source), stream.Length, SHA256.HashData(stream));
        }

        return Prefix + Convert.ToHexStringLower(digest.GetHashAndReset());
    }

    private static string DigestOf(string directory) => DigestOf(new DroppedPlugin("", directory, [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
        .Select(path => new PluginFile(Path.GetRelativePath(directory, path).Replace(Path.DirectorySeparatorChar, '/'), path, 0, 0)).OrderBy(file => file.Path, StringComparer.Ordinal)]))[Prefix.Length..];

    // What is hashed is what is written.
    private static string Copy(DroppedPlugin source, string target)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 * 1024];
        foreach (var file in source.Files)
        {
            var path = Path.Combine(target, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            long length = 0;
            using (var from = PluginFiles.Open(file.Source))
            using (var to = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
            {
                for (int read; length <= file.Length && (read = from.Read(buffer)) > 0; length += read)
                {
                    content.AppendData(buffer.AsSpan(0, read));
                    to.Write(buffer.AsSpan(0, read));
                }
            }

            var isExecutable = IsExecutable(file.Source);
            if (!OperatingSystem.IsWindows())
            {
                const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
                File.SetUnixFileMode(path, isExecutable ? Read | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : Read);
            }

            var now = new FileInfo(file.Source);
            if (length != file.Length || !now.Exists || now.LinkTarget is not null || now.LastWriteTimeUtc.Ticks != file.Changed)
            {
                throw new IOException($"{file.Source} was changed while it was copied.");
            }

            Append(digest, file.Path, isExecutable, length, content.GetHashAndReset());
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }

    private static void Append(IncrementalHash digest, string path, bool isExecutable, long length, byte[] content)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(number, length);
        digest.AppendData(Encoding.UTF8.GetBytes(path));
        digest.AppendData([(byte)(isExecutable ? 1 : 0)]);
        digest.AppendData(number);
        digest.AppendData(content);
    }

    private static bool IsExecutable(string path) => !OperatingSystem.IsWindows() && File.GetUnixFileMode(path).HasFlag(UnixFileMode.UserExecute);

    private string LockOf(string digest) => Path.Combine(_root, digest + ".lock");

    private bool IsInUse(string digest)
    {
        try
        {
            using var alone = new FileStream(LockOf(digest), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    // Held for the moment of a rename or of an eviction. Another program may hold it: there is no event to wait for.
    private FileStream LockStore()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(Path.Combine(_root, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (attempt < 1000)
            {
                Thread.Sleep(10);
            }
        }
    }

    private static void MakeReadOnly(string directory)
    {
        if (!OperatingSystem.IsWindows())
        {
            foreach (var folder in Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).Prepend(directory))
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
            }
        }
    }

    private static void Delete(string directory)
    {
        if (!Directory.Exists(directory))
        {
            return;
        }

        if (!OperatingSystem.IsWindows())
        {
            foreach (var folder in Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).Prepend(directory).ToList())
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        Directory.Delete(directory, recursive: true);
    }

    private static string DefaultRoot()
    {
        var data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        return Path.Combine(data.Length > 0 ? data : Path.Combine(Path.GetTempPath(), $"processpool-{Environment.UserName}"), "processpool", "snapshots");
    }
}
