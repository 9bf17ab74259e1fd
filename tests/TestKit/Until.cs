namespace ProcessPool.TestKit;

/// <summary>For what has no event to wait for.</summary>
public static class Until
{
    /// <summary>Ends when a condition holds; fails with what was expected when it does not in time.</summary>
    public static Task HoldsAsync(Func<bool> condition, string what)
    {
        return WaitAsync().Within(what);

        async Task WaitAsync()
        {
            var end = TimeProvider.System.GetTimestamp() + (long)(TestTime.Limit.TotalSeconds * TimeProvider.System.TimestampFrequency);
            while (!condition())
            {
                if (TimeProvider.System.GetTimestamp() >= end)
                {
                    throw new TimeoutException($"Expected within {TestTime.Limit}: {what}.");
                }

                // Looks again soon, without taking the processor from what it waits for.
                await Task.Delay(TimeSpan.FromMilliseconds(5));
            }
        }
    }
}
