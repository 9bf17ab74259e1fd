namespace ProcessPool.Protocol.Transport;

/// <summary>Lets in only requests that the other side has reason to make, and so many of them at a time. Thread-safe.</summary>
/// <param name="capacity">How many may be inside.</param>
/// <param name="methods">Their names.</param>
internal sealed class RequestGate(int capacity, params string[] methods)
{
    // Cancels a request; harmless, and answered by nothing.
    private const string Cancel = "$/cancelRequest";

    private int _inside;

    /// <exception cref="RequestRefusedException">It is not let in: the connection ends.</exception>
    public void Enter(string? method)
    {
        if (method == Cancel)
        {
            return;
        }

        if (!methods.Contains(method))
        {
            throw new RequestRefusedException("It called its host where it has no reason to.");
        }

        if (Interlocked.Increment(ref _inside) > capacity)
        {
            throw new RequestRefusedException($"It made more than {capacity} requests at once.");
        }
    }

    /// <summary>A request was answered.</summary>
    public void Leave() => Interlocked.Decrement(ref _inside);
}

/// <summary>The other side made a request that it has no reason to make.</summary>
internal sealed class RequestRefusedException(string message) : IOException(message);
