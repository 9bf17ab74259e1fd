using System.Diagnostics;
using ProcessPool.Protocol.Transport;
using StreamJsonRpc.Protocol;

namespace ProcessPool.Sandbox.Serving;

/// <summary>
/// Collects the replies of a chunk, to send them together. What is finished is kept where it survives this process, so that a call that kills it costs no other
/// its result; and it is sent within a millisecond or two, however long the call after it takes. Thread-safe.
/// </summary>
internal sealed class Outbox(RequestChannel channel, Recorder? recorder) : IDisposable
{
    private const int SendAtBytes = 32 * 1024;

    private static readonly TimeSpan MaxAge = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly WireWriter _frames = new();
    private readonly ManualResetEventSlim _waits = new();
    private Thread? _sender;
    private long _since;

    /// <summary>Adds a reply. It is sent when there are many, when it has waited, or with <see cref="Send"/>.</summary>
    public void Add(JsonRpcMessage reply)
    {
        lock (_gate)
        {
            var before = _frames.Written.Length;
            _frames.AddFrame(reply);
            Added(before);
        }
    }

    /// <summary>Adds the reply of a call that succeeded.</summary>
    public void Add(long id, ReadOnlySpan<byte> json)
    {
        lock (_gate)
        {
            var before = _frames.Written.Length;
            var frame = _frames.BeginFrame();
            WireFormatter.WritePlainReply(_frames, id, json);
            _frames.EndFrame(frame);
            Added(before);
        }
    }

    /// <summary>Sends what there is.</summary>
    public void Send()
    {
        lock (_gate)
        {
            if (_frames.Written.Length > 0)
            {
                var sent = channel.SendAsync(_frames.Written);
                if (!sent.IsCompletedSuccessfully)
                {
                    sent.AsTask().GetAwaiter().GetResult();
                }

                recorder?.Sent();
                _frames.Clear();
            }

            _waits.Reset();
        }
    }

    public void Dispose()
    {
        _waits.Set();
        _waits.Dispose();
    }

    private void Added(int before)
    {
        var isKept = recorder?.TryKeep(_frames.Written.Span[before..]) ?? false;
        if (!isKept || _frames.Written.Length >= SendAtBytes || before > 0 && Stopwatch.GetElapsedTime(_since) >= MaxAge)
        {
            Send();
        }
        else if (before == 0)
        {
            _since = Stopwatch.GetTimestamp();
            StartSender();
            _waits.Set();
        }
    }

    // A thread of its own: the plugin may hold all others.
    private void StartSender()
    {
        if (_sender is null)
        {
            _sender = new Thread(SendWhatWaits) { IsBackground = true, Name = "outbox" };
            _sender.Start();
        }
    }

    private void SendWhatWaits()
    {
        try
        {
            while (true)
            {
                _waits.Wait();
                Thread.Sleep(MaxAge);
                lock (_gate)
                {
                    if (_frames.Written.Length > 0 && Stopwatch.GetElapsedTime(_since) >= MaxAge)
                    {
                        Send();
                    }
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The host is gone, or the session is over.
        }
    }
}
