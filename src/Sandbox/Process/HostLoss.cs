using ProcessPool.Protocol;

namespace ProcessPool.Sandbox;

/// <summary>The end of a sandbox whose host is gone: its descendants and itself, and what the host would have cleaned up.</summary>
internal static class HostLoss
{
    public static void End(string scratch)
    {
        Descendants.EndAll();
        Delete(scratch);
        DiagnosticFiles.Delete(Path.GetTempPath(), Environment.ProcessId, DiagnosticFiles.KeyOf(Environment.ProcessId));
        Descendants.EndSelf();
    }

    private static void Delete(string scratch)
    {
        try
        {
            if (scratch.Length > 0)
            {
                Directory.Delete(scratch, recursive: true);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Nobody is left to tell.
        }
    }
}
