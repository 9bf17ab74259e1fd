using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>Well-behaved entry points, one for each thing a call may carry.</summary>
internal static class EverydayPlugin
{
    public static string Folder => PluginSource.Types("""
        public static class Everyday
        {
            [EntryPoint] public static long Square(long value) => checked(value * value);
            [EntryPoint] public static string Repeat(string text, int times = 2, string separator = null, DayOfWeek day = DayOfWeek.Friday)
                => string.Join(separator ?? "-", Enumerable.Repeat(text, times)) + day;
            [EntryPoint] public static void Nothing() { }
            [EntryPoint] public static int Zero() => 0;
            [EntryPoint] public static string Empty() => "";
            [EntryPoint] public static object Null() => null;
            [EntryPoint] public static bool False() => false;
            [EntryPoint] public static int[] NoItems() => Array.Empty<int>();
            [EntryPoint] public static int[] OneItem() => new[] { 1 };
            [EntryPoint] public static (int, string) Pair(int number) => (number, "text");
            [EntryPoint] public static double NotANumber() => double.NaN;
            [EntryPoint] public static async Task<int> Later(int value) { await Task.Yield(); return value; }
            [EntryPoint] public static async ValueTask<int> LaterStill(int value) { await Task.Yield(); return value; }
            [EntryPoint] public static async Task LaterNothing() => await Task.Yield();
            [EntryPoint("renamed")] public static string OtherName() => "other";
            [EntryPoint] public static byte[] Reverse(byte[] bytes) { var copy = (byte[])bytes.Clone(); Array.Reverse(copy); return copy; }
            [EntryPoint] public static long Length(Stream stream) => stream.Length;
            [EntryPoint] public static Photo Flip(Photo photo) => photo with { Pixels = Reverse(photo.Pixels) };
            [EntryPoint] public static string Who(string text, IPluginContext context, CancellationToken token)
                => $"{text} {context.PoolName} {context.WorkerName} {context.WorkerIndex} {Path.GetFileName(context.PluginDirectory)} {token.CanBeCanceled}";
            [EntryPoint] public static void Throw(string message)
                => throw new InvalidOperationException(message, new ArgumentNullException("inner"));
            [EntryPoint] public static Task ThrowLater() => Task.FromException(new OddException());
            [EntryPoint] public static object Unserializable() => new Action(() => { });
            [EntryPoint] public static string Long(int length) => new string('x', length);
            [EntryPoint] public static async Task UntilCancelled(CancellationToken token) => await Task.Delay(Timeout.Infinite, token);
            private static readonly string s_identity = Guid.NewGuid().ToString();
            [EntryPoint] public static string Identity() => s_identity;
            [EntryPoint] public static string Attributes(Named named) => named.Value + System.Text.Json.JsonSerializer.Serialize(named);
            [EntryPoint] public static Named MakeNamed(int value) => new Named { Value = value };
            [EntryPoint] public static string Context() => System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(typeof(Everyday).Assembly).Name
                + "|" + (System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(typeof(Everyday).Assembly) == System.Runtime.Loader.AssemblyLoadContext.Default);
        }

        public record Photo(string Name, byte[] Pixels, ReadOnlyMemory<byte> Icon);

        public class Named { [JsonPropertyName("v")] public int Value { get; set; } }

        public class OddException : Exception { public override string Message => throw new InvalidOperationException(); }

        public interface ICounter
        {
            Task<int> AddAsync(int amount);
            ValueTask ResetAsync();
            Task<string> DescribeAsync(CancellationToken cancellationToken, string format = "N");
        }

        [EntryPoint]
        public sealed class Counter(IPluginContext context) : ICounter, IDisposable
        {
            private int _total;
            public Task<int> AddAsync(int amount) => Task.FromResult(_total += amount);
            public ValueTask ResetAsync() { _total = 0; return default; }
            public Task<string> DescribeAsync(CancellationToken cancellationToken, string format) => Task.FromResult(format + context.PoolName);
            public void Dispose() { }
        }
        """, "Everyday");
}

/// <summary>The host's own copies of the plugin's types.</summary>
public sealed record Photo(string Name, byte[] Pixels, ReadOnlyMemory<byte> Icon);

public interface ICounter
{
    Task<int> AddAsync(int amount);

    ValueTask ResetAsync();

    Task<string> DescribeAsync(CancellationToken cancellationToken, string format = "N");
}
