using System.Diagnostics;
using System.IO.Pipes;

namespace ProcessPool.Benchmarks;

/// <summary>The floor of a round trip: eight bytes to a child and back over blocking anonymous pipes.</summary>
internal sealed class PipeEcho : IDisposable
{
    private readonly AnonymousPipeServerStream _to = new(PipeDirection.Out, HandleInheritability.Inheritable);
    private readonly AnonymousPipeServerStream _from = new(PipeDirection.In, HandleInheritability.Inheritable);
    private readonly Process _child;
    private readonly byte[] _message = new byte[8];

    public PipeEcho()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { typeof(PipeEcho).Assembly.Location, "echo", _to.GetClientHandleAsString(), _from.GetClientHandleAsString() },
        };
        _child = Process.Start(start)!;
        _to.DisposeLocalCopyOfClientHandle();
        _from.DisposeLocalCopyOfClientHandle();
        RoundTrip();
    }

    public void RoundTrip()
    {
        _to.Write(_message);
        _from.ReadExactly(_message);
    }

    /// <summary>Round trips, one at a time.</summary>
    public static Dictionary<string, double> Measure()
    {
        using var echo = new PipeEcho();
        var times = new Samples();
        var begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < Ours.WarmTime)
        {
            echo.RoundTrip();
        }

        for (var i = 0; i < 20_000; i++)
        {
            var began = Stopwatch.GetTimestamp();
            echo.RoundTrip();
            times.Add(Stopwatch.GetElapsedTime(began));
        }

        return new() { ["p50_us"] = times.Percentile(0.5), ["p99_us"] = times.Percentile(0.99) };
    }

    public void Dispose()
    {
        _to.Dispose();
        _from.Dispose();
        _child.WaitForExit();
        _child.Dispose();
    }

    /// <summary>The child.</summary>
    public static void Serve(string input, string output)
    {
        using var from = new AnonymousPipeClientStream(PipeDirection.In, input);
        using var to = new AnonymousPipeClientStream(PipeDirection.Out, output);
        var message = new byte[8];
        while (from.ReadAtLeast(message, message.Length, throwOnEndOfStream: false) == message.Length)
        {
            to.Write(message);
        }
    }
}
