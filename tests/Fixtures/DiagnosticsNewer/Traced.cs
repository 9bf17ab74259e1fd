using System.Diagnostics;
using ProcessPool;

/// <summary>Makes spans with a version of its own.</summary>
public static class Traced
{
    private static readonly ActivitySource Spans = new("Acme.Newer");

    [EntryPoint]
    public static string Render()
    {
        using var span = Spans.StartActivity("newer");
        return typeof(ActivitySource).Assembly.GetName().Version!.ToString(1);
    }
}
