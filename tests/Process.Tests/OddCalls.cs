namespace ProcessPool.Process.Tests;

/// <summary>The outcomes of an entry point that returns its argument, kills its worker at 1,500 and throws at 2,500.</summary>
internal static class OddCalls
{
    public static void Check(IEnumerable<CallOutcome<long>> outcomes)
    {
        foreach (var outcome in outcomes)
        {
            switch (outcome.Index)
            {
                case 1_500:
                    Assert.Equal(Execution.Started, Assert.IsType<WorkerCrashedException>(outcome.Error).Execution);
                    break;
                case 2_500:
                    Assert.Contains("not this one", Assert.IsType<PluginCallException>(outcome.Error).Message);
                    break;
                default:
                    Assert.Equal(outcome.Index, outcome.Value);
                    break;
            }
        }
    }
}
