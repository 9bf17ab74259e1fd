namespace ProcessPool.TestKit;

/// <summary>How long anything may take before a test says that it hangs. Far above what it does take.</summary>
public static class TestTime
{
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Fails with what was expected instead of hanging.</summary>
    public static async Task<T> Within<T>(this Task<T> task, string what)
    {
        try
        {
            return await task.WaitAsync(Limit);
        }
        catch (TimeoutException exception) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Expected within {Limit}: {what}.", exception);
        }
    }

    /// <inheritdoc cref="Within{T}"/>
    public static async Task Within(this Task task, string what)
    {
        try
        {
            await task.WaitAsync(Limit);
        }
        catch (TimeoutException exception) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Expected within {Limit}: {what}.", exception);
        }
    }
}
