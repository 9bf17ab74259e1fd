using System.Reflection;

namespace ProcessPool.Benchmarks;

/// <summary>Where the build put what is measured.</summary>
internal static class Paths
{
    public static string Hello { get; } = Read("Hello");

    public static string Plugin { get; } = Read("Plugin");

    /// <summary>The checkout.</summary>
    public static string Repository { get; } = Read("Repository");

    private static string Read(string key) =>
        typeof(Paths).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
