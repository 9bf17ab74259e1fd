using System.Globalization;

namespace ProcessPool.Workers;

/// <summary>How workers are called: <c>pool-0</c>, <c>pool-1</c> …</summary>
internal static class WorkerName
{
    public static string Of(string pool, int index) => string.Create(CultureInfo.InvariantCulture, $"{pool}-{index}");
}
