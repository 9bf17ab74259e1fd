using System.Runtime.InteropServices;

namespace ProcessPool.Cli;

/// <summary>Ctrl+C and SIGTERM: the first asks to finish what was begun, the second to stop at once, and whatever does not is ended with the process.</summary>
internal sealed class Interrupt : IDisposable
{
    /// <summary>How long what is to stop at once may take: calls that are asked to end have two seconds of it.</summary>
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(5);

    private readonly bool _isToldOf;
    private readonly CancellationTokenSource _drain = new();
    private readonly CancellationTokenSource _kill = new();
    private readonly Timer _lastResort = new(_ => End());
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;
    private int _signals;

    /// <param name="isToldOf">Whether the first says on standard error what it does: where there is something to finish.</param>
    public Interrupt(bool isToldOf = true)
    {
        _isToldOf = isToldOf;
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
    }

    /// <summary>Cancelled by the first signal: take no more input.</summary>
    public CancellationToken Drain => _drain.Token;

    /// <summary>Cancelled by the second signal: end what runs.</summary>
    public CancellationToken Kill => _kill.Token;

    // Not the two sources, which hold nothing: a signal may still be under way.
    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _lastResort.Dispose();
    }

    // A write to somebody who does not read holds up whoever writes, and this too.
    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        switch (Interlocked.Increment(ref _signals))
        {
            case 1:
                if (_isToldOf)
                {
                    Console.Error.WriteLine("Finishing the calls that were begun. A second Ctrl+C or SIGTERM kills them and ends at once.");
                }

                _drain.Cancel();
                break;
            case 2:
                _lastResort.Change(StopsWithin, Timeout.InfiniteTimeSpan);
                _drain.Cancel();
                _kill.Cancel();
                break;
            default:
                End();
                break;
        }
    }

    // Sandboxes end with their host.
    private static void End() => Environment.Exit(ExitCode.Interrupted);
}
