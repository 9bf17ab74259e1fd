namespace ProcessPool.Binding;

/// <summary>An entry point of our own, which runs no plugin code: a worker that waits anyway has the way of a call compiled before the first one comes.</summary>
internal static class WarmUp
{
    /// <summary>No plugin can have this name: the host knows entry points from metadata, and this one is not there.</summary>
    public const string Name = "$warm";

    public static string Run(int number, string text, bool flag = true) => flag ? text : $"{number}";
}
