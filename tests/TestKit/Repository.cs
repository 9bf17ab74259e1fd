namespace ProcessPool.TestKit;

/// <summary>Where things are in the checkout.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>The configuration that the tests were built in; what they build themselves need not be built anew in another.</summary>
    public static string Configuration { get; } = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}release", StringComparison.Ordinal) ? "Release" : "Debug";

    public static string Plugins => Path.Combine(Root, "artifacts", "plugins");

    public static string SamplePlugin => Path.Combine(Plugins, "SamplePlugin");

    /// <summary>A plugin of tests/Fixtures.</summary>
    public static string Fixture(string name) => Path.Combine(Root, "artifacts", "fixtures", name);

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "ProcessPool.sln")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException("ProcessPool.sln is in no folder above the tests.");
        }

        return directory.FullName;
    }
}
