using Microsoft.AspNetCore.Http;
using ProcessPool;

/// <summary>A plugin that needs a shared framework which neither host nor sandbox has.</summary>
public static class Pages
{
    /// <summary>Uses a type of ASP.NET Core.</summary>
    [EntryPoint]
    public static string Join(string first, string second) => new PathString(first).Add(new PathString(second)).Value!;
}
