using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Sandbox.Serving;

/// <summary>
/// The thread that reads the control channel, whatever the plugin does to the thread pool: no plugin code runs on it. The end of the channel is the end of the host.
/// </summary>
internal static class ControlThread
{
    /// <summary>Begins to read.</summary>
    /// <param name="control">Where from.</param>
    /// <param name="channel">Takes what was read.</param>
    /// <param name="hostIsGone">Told when there is nothing more to read.</param>
    public static void Start(PipeEnd control, RequestChannel channel, Action hostIsGone) =>
        new Thread(() => Read(control, channel, hostIsGone)) { IsBackground = true, Name = "control" }.Start();

    private static void Read(PipeEnd control, RequestChannel channel, Action hostIsGone)
    {
        var buffer = new FrameBuffer(WireLimits.MaxControlMessageBytes);
        try
        {
            int count;
            while ((count = control.Read(buffer.Room())) > 0)
            {
                buffer.Added(count);
                channel.Receive(buffer);
            }
        }
        catch (Exception exception) when (exception is IOException and not FrameTooLargeException)
        {
            // A broken pipe is the end of the pipe.
        }
        catch (Exception exception)
        {
            channel.End(exception);
            return;
        }

        hostIsGone();
        channel.End(null);
    }
}
