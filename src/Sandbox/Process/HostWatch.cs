using System.IO.Pipelines;
using ProcessPool.Protocol;

namespace ProcessPool.Sandbox;

/// <summary>
/// Reads the control pipe on a thread of its own, whatever the plugin does to the thread pool, and ends the sandbox
/// and its descendants when the pipe ends: the host is gone. What the host would have cleaned up is cleaned up here.
/// </summary>
internal static class HostWatch
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>Starts the watch and returns what it reads, for the control channel.</summary>
    public static Stream Start(Stream controlPipe, string scratch)
    {
        // Never paused: a writer that waits for its reader would not see the end of the pipe. The host is trusted not to flood.
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        new Thread(() => Watch(controlPipe, pipe.Writer, scratch)) { IsBackground = true, Name = "host watch" }.Start();
        return pipe.Reader.AsStream();
    }

    private static void Watch(Stream controlPipe, PipeWriter writer, string scratch)
    {
        try
        {
            int count;
            while ((count = controlPipe.Read(writer.GetSpan(BufferBytes))) > 0)
            {
                writer.Advance(count);
                writer.FlushAsync().AsTask().Wait();
            }
        }
        catch (IOException)
        {
            // A broken pipe is the end of the pipe.
        }

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
