using System.IO.Compression;
using System.IO.MemoryMappedFiles;
using System.IO.Pipes;

using static Ordinary.Check;

namespace Ordinary;

internal static class Files
{
    private static string s_folder = "";

    public static IEnumerable<(string Name, Func<Task> Run)> All(string scratch)
    {
        s_folder = scratch;
        return
        [
            ("write and read a file", async () => { await File.WriteAllTextAsync(At("a"), "a"); Is(await File.ReadAllTextAsync(At("a")) == "a"); }),
            ("copy, move and delete files", Sync(() => { File.Copy(At("a"), At("b")); Directory.CreateDirectory(At("d")); File.Move(At("b"), At("d/c")); File.Delete(At("d/c")); Is(!File.Exists(At("d/c"))); })),
            ("list and delete folders", Sync(() => { Directory.CreateDirectory(At("x/y")); Is(Directory.GetDirectories(At("x")).Length == 1); Directory.Delete(At("x"), true); })),
            ("lock a file", Sync(() => { using var file = new FileStream(At("lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None); file.Lock(0, 1); file.Unlock(0, 1); })),
            ("flush to disk", Sync(() => { using var file = File.Create(At("flush")); file.WriteByte(1); file.Flush(flushToDisk: true); })),
            ("map a file into memory", Sync(() => { using var map = MemoryMappedFile.CreateFromFile(At("map"), FileMode.Create, null, 4096); using var view = map.CreateViewAccessor(); view.Write(0, 7); Is(view.ReadInt32(0) == 7); })),
            ("map memory without a file", Sync(() => { using var map = MemoryMappedFile.CreateNew(null, 4096); using var view = map.CreateViewAccessor(); view.Write(0, 7); Is(view.ReadInt32(0) == 7); })),
            ("make a temporary file", Sync(() => File.Delete(Path.GetTempFileName()))),
            ("set a file's time", Sync(() => File.SetLastWriteTimeUtc(At("a"), DateTime.UnixEpoch))),
            ("set a file's mode", Sync(() => { if (!OperatingSystem.IsWindows()) { File.SetUnixFileMode(At("a"), UnixFileMode.UserRead | UnixFileMode.UserWrite); } })),
            ("watch a folder", async () =>
            {
                using var watcher = new FileSystemWatcher(scratch) { EnableRaisingEvents = true };
                var seen = new TaskCompletionSource();
                watcher.Created += (_, _) => seen.TrySetResult();
                await File.WriteAllTextAsync(At($"watched-{Guid.NewGuid():N}"), "");
                await seen.Task.WaitAsync(TimeSpan.FromSeconds(20));
            }),
            ("compress", Sync(() => { using var to = new MemoryStream(); using (var zip = new GZipStream(to, CompressionMode.Compress, true)) { zip.Write(new byte[10_000]); } Is(to.Length < 1_000); })),
            ("write a zip archive", Sync(() => { using var zip = ZipFile.Open(At("z.zip"), ZipArchiveMode.Create); zip.CreateEntry("e"); })),
            ("a pipe inside the process", Sync(() => { using var server = new AnonymousPipeServerStream(PipeDirection.Out); using var client = new AnonymousPipeClientStream(PipeDirection.In, server.ClientSafePipeHandle); server.WriteByte(7); Is(client.ReadByte() == 7); })),
            ("a named pipe", Sync(() => { using var server = new NamedPipeServerStream($"ordinary-{Guid.NewGuid():N}"); })),
            ("read its own assembly", Sync(() => { Is(File.ReadAllBytes(typeof(Files).Assembly.Location).Length > 0); })),
        ];
    }

    private static string At(string name) => Path.Combine(s_folder, name);
}
