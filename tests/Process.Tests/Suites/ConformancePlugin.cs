using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>Entry points that give back what they get, and some that cannot.</summary>
internal static class ConformancePlugin
{
    public static string Folder => PluginSource.Types("""
        public static class Conformance
        {
            [EntryPoint] public static void Nothing() { }
            [EntryPoint] public static int Zero() => 0;
            [EntryPoint] public static string Text(string value) => value;
            [EntryPoint] public static long Whole(long value) => value;
            [EntryPoint] public static decimal Money(decimal value) => value;
            [EntryPoint] public static double Real(double value) => value;
            [EntryPoint] public static DateTimeOffset Moment(DateTimeOffset value) => value;
            [EntryPoint] public static TimeSpan Span(TimeSpan value) => value;
            [EntryPoint] public static Guid Id(Guid value) => value;
            [EntryPoint] public static int? Maybe(int? value) => value;
            [EntryPoint] public static DayOfWeek Day(DayOfWeek value) => value;
            [EntryPoint] public static int[] List(int[] value) => value;
            [EntryPoint] public static Dictionary<string, int> Map(Dictionary<string, int> value) => value;
            [EntryPoint] public static System.Text.Json.JsonElement Any(System.Text.Json.JsonElement value) => value;
            [EntryPoint] public static Node Tree(Node value) => value;
            [EntryPoint] public static Shape Polymorphic(Shape value) => value;
            [EntryPoint] public static (int, string) Tuple((int, string) value) => value;
            [EntryPoint] public static byte[] Bytes(byte[] value) => value;
            [EntryPoint] public static string Optional(string first = "one", int second = 2) => first + second;
            [EntryPoint] public static async IAsyncEnumerable<int> Stream(int value) { for (var i = 0; i < value; i++) { yield return i; } await Task.CompletedTask; }
            [EntryPoint] public static async Task<long> Sum(IAsyncEnumerable<long> value, IProgress<long> progress) { var sum = 0L; await foreach (var item in value) { sum += item; progress.Report(sum); } return sum; }
            [EntryPoint] public static void Throw(string value) => throw new InvalidOperationException(value, new FormatException("inside", new ArgumentException("deeper")));
            [EntryPoint] public static Bad BadResult() => new Bad();
            [EntryPoint] public static int BadArgument(Bad value) => 1;
            [EntryPoint] public static object Unserializable() => new Action(() => { });
        }

        public record Node(string Name, Node Next, List<Node> Children);

        public class Bad { public int Value { get => throw new FormatException("no value"); set => throw new FormatException("not that value"); } }

        [JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
        [JsonDerivedType(typeof(Circle), "circle")]
        public abstract record Shape;
        public sealed record Circle(double Radius) : Shape;
        """, "Conformance");
}
