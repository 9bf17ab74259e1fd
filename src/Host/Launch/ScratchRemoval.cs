using System.Runtime.Versioning;
using ProcessPool.Confining.Linux;
using ProcessPool.Launch.Interop;

namespace ProcessPool.Launch;

/// <summary>Deletes a folder that a plugin has filled: however deep, whatever its modes. A folder that is not empty is moved to the top when it is met, so that four descriptors are enough for every depth.</summary>
/// <param name="top">The folder.</param>
[SupportedOSPlatform("linux")]
internal sealed class ScratchRemoval(FolderHandle top)
{
    // A process that has outlived its sandbox could go on making files for ever; a million of them take less. What is left is the next host's.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly byte[] _block = new byte[1 << 15];
    private readonly byte[] _innerBlock = new byte[1 << 15];
    private readonly long _began = TimeProvider.System.GetTimestamp();
    private long _steps;
    private int _error;

    private bool IsLate => TimeProvider.System.GetElapsedTime(_began) > Longest;

    /// <returns>0, or the number of an error.</returns>
    public static int Remove(string path)
    {
        var error = FolderHandle.OpenUnlocked(path, out var top);
        if (error == 0)
        {
            using (top)
            {
                error = new ScratchRemoval(top).Empty();
            }
        }

        // What was not deleted says more than that the folder is not empty.
        error = error == 0 ? FolderHandle.DeleteFolder(path) : error;
        return error == ErrorNumber.NoEntry ? 0 : error;
    }

    // Again and again: some file systems show an entry no more when others were deleted meanwhile, and what was moved comes last.
    private int Empty()
    {
        var before = -1L;
        while (_steps > before && !IsLate)
        {
            (before, _error) = (_steps, 0);
            top.Rewind();
            int read;
            while (!IsLate && Note(top.Read(_block, out read)) && read > 0)
            {
                foreach (var name in new FolderEntries(_block.AsSpan(0, read)))
                {
                    if (!TryDelete(top, name))
                    {
                        DeleteFull(name);
                    }
                }
            }
        }

        return _error;
    }

    private void DeleteFull(ReadOnlySpan<byte> name)
    {
        if (!Note(top.OpenUnlocked(name, out var folder)))
        {
            return;
        }

        using (folder)
        {
            int read;
            while (!IsLate && Note(folder.Read(_innerBlock, out read)) && read > 0)
            {
                foreach (var inner in new FolderEntries(_innerBlock.AsSpan(0, read)))
                {
                    if (!TryDelete(folder, inner) && Note(folder.OpenUnlocked(inner, out var unlocked)))
                    {
                        // A folder that cannot be written to cannot be moved either.
                        unlocked.Dispose();
                        Step(folder.Move(inner, top, $"{Guid.NewGuid():N}"));
                    }
                }
            }
        }

        TryDelete(top, name);
    }

    // False: a folder that is not empty.
    private bool TryDelete(FolderHandle folder, ReadOnlySpan<byte> name)
    {
        var error = folder.Delete(name);
        error = error == ErrorNumber.IsDirectory ? folder.DeleteFolder(name) : error;
        if (error is ErrorNumber.NotEmpty or ErrorNumber.Exists)
        {
            return false;
        }

        Step(error);
        return true;
    }

    private void Step(int error) => _steps += Note(error) ? 1 : 0;

    private bool Note(int error)
    {
        _error = error is 0 or ErrorNumber.NoEntry ? _error : error;
        return error == 0;
    }
}
