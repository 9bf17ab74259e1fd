namespace ProcessPool;

/// <summary>What became of one call of many: a value or an error.</summary>
/// <typeparam name="T">The type of the result.</typeparam>
public readonly struct CallOutcome<T>
{
    private readonly T _value;

    internal CallOutcome(long index, T value, Exception? error)
    {
        Index = index;
        _value = value;
        Error = error;
    }

    /// <summary>The call's place in the input, from 0.</summary>
    public long Index { get; }

    /// <summary>Why the call failed, or null: a <see cref="SandboxPoolException"/>, or <see cref="OperationCanceledException"/>.</summary>
    public Exception? Error { get; }

    /// <summary>Whether the call succeeded.</summary>
    public bool Succeeded => Error is null;

    /// <summary>The result.</summary>
    /// <exception cref="InvalidOperationException">The call failed; the inner exception is <see cref="Error"/>.</exception>
    public T Value => Error is null ? _value : throw new InvalidOperationException($"Call {Index} failed: {Error.Message}", Error);

    /// <summary>The index with the value or the error.</summary>
    public override string ToString() => Error is null ? $"{Index}: {_value}" : $"{Index}: {Error.GetType().Name}: {Error.Message}";
}

/// <summary>What can be done with the outcomes of a batch.</summary>
public static class CallOutcomes
{
    /// <summary>The values in order.</summary>
    /// <exception cref="AggregateException">At least one call failed; it has the error of each.</exception>
    public static IReadOnlyList<T> GetValues<T>(this IReadOnlyList<CallOutcome<T>> outcomes)
    {
        ArgumentNullException.ThrowIfNull(outcomes);
        var errors = outcomes.Where(outcome => !outcome.Succeeded).Select(outcome => outcome.Error!).ToList();
        return errors.Count == 0
            ? [.. outcomes.Select(outcome => outcome.Value)]
            : throw new AggregateException($"{errors.Count} of {outcomes.Count} calls failed.", errors);
    }
}
