using System.Runtime.InteropServices;

namespace ProcessPool.Cli;

/// <summary>Ctrl+C and SIGTERM: the first asks to finish what was begun, the second to stop at once.</summary>
internal sealed class Interrupt : IDisposable
{
    private readonly bool _isToldOf;
    private readonly CancellationTokenSource _drain = new();
    private readonly CancellationTokenSource _kill = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

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

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _drain.Dispose();
        _kill.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_drain.IsCancellationRequested)
        {
            _kill.Cancel();
        }
        else
        {
            if (_isToldOf)
            {
                Console.Error.WriteLine("Finishing what was begun; press Ctrl+C again to stop at once.");
            }

            _drain.Cancel();
        }
    }
}
