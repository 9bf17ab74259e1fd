using Spectre.Console;
using Spectre.Console.Rendering;

namespace ProcessPool.Cli.Top;

/// <summary>What has one line for each thing, cut where the terminal ends and not wrapped.</summary>
internal sealed class Cut(IRenderable whole) : Renderable
{
    private const int Unbounded = 1_000;

    private static readonly Segment Mark = new("…");

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
        Segment.SplitLines(whole.Render(options, Unbounded)).SelectMany(line => Fit(line, maxWidth).Append(Segment.LineBreak));

    // A segment that there is no room for is null afterwards.
    private static IEnumerable<Segment> Fit(SegmentLine line, int maxWidth) =>
        line.CellCount() <= maxWidth ? line : Segment.Truncate(line, maxWidth - 1).OfType<Segment>().Append(Mark);
}
