namespace ProcessPool.Protocol.Transport;

/// <summary>
/// Lets in only requests that the other side has reason to make, and so many of them at a time: from when one is read until its answer is being sent, so
/// that a side that makes requests and does not read the answers gets no further either. Thread-safe.
/// </summary>
/// <param name="capacity">How many may be inside.</param>
/// <param name="methods">Their names, and how often each may be called in all.</param>
internal sealed class RequestGate(int capacity, params (string Name, int MaxCalls)[] methods)
{
    /// <summary>As often as it likes.</summary>
    public const int Always = int.MaxValue;

    // Cancels a request; harmless, and answered by nothing.
    private const string Cancel = "$/cancelRequest";

    private readonly int[] _calls = new int[methods.Length];
    private int _inside;

    /// <exception cref="RequestRefusedException">It is not let in: the connection ends.</exception>
    public void Enter(string? method)
    {
        if (method == Cancel)
        {
            return;
        }

        var index = Array.FindIndex(methods, each => each.Name == method);
        if (index < 0)
        {
            throw new RequestRefusedException("It called its host where it has no reason to.");
        }

        if (methods[index].MaxCalls != Always && Interlocked.Increment(ref _calls[index]) > methods[index].MaxCalls)
        {
            throw new RequestRefusedException($"It called {method} more than {methods[index].MaxCalls} times.");
        }

        if (Interlocked.Increment(ref _inside) > capacity)
        {
            throw new RequestRefusedException($"It made more than {capacity} requests at once.");
        }
    }

    /// <summary>A request is being answered.</summary>
    public void Leave() => Interlocked.Decrement(ref _inside);
}

/// <summary>The other side made a request that it has no reason to make.</summary>
internal sealed class RequestRefusedException(string message) : IOException(message);
