using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ProcessPool.Unit.Tests.Host;

/// <summary>Does what a test does with files as a user whom modes bind. Linux.</summary>
internal static partial class OrdinaryUser
{
    private const uint Nobody = 65534;

    /// <summary>Where this program is root's: on a thread whose user, to the file system, is nobody.</summary>
    public static void Run(Action act)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            var before = SetFileSystemUser(Environment.IsPrivilegedProcess ? Nobody : uint.MaxValue);
            try
            {
                act();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
            finally
            {
                _ = SetFileSystemUser((uint)before);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileSystemUser(uint user);
}
