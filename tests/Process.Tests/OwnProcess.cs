using System.ComponentModel;

namespace ProcessPool.Process.Tests;

/// <summary>A process of a test's, which is killed at the end of the test if it still runs.</summary>
internal sealed class OwnProcess : System.Diagnostics.Process
{
    private OwnProcess()
    {
    }

    public static new OwnProcess Start(System.Diagnostics.ProcessStartInfo start)
    {
        var process = new OwnProcess { StartInfo = start };
        process.Start();
        return process;
    }

    protected override void Dispose(bool disposing)
    {
        try
        {
            if (disposing && !HasExited)
            {
                Kill(entireProcessTree: true);
                WaitForExit();
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            // It never started, or has just ended.
        }

        base.Dispose(disposing);
    }
}
