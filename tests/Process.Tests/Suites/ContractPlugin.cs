using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>A plugin that uses everything a contract may say.</summary>
internal static class ContractPlugin
{
    private const string Contract = """
        public interface IWork
        {
            IAsyncEnumerable<long> CountAsync(long to, CancellationToken token = default);
            IAsyncEnumerable<Sheet> SheetsAsync(int count);
            IAsyncEnumerable<long> CountThenThrowAsync(long to);
            IAsyncEnumerable<long> CountThenDieAsync(long to, string signal);
            IAsyncEnumerable<long> DripAsync();
            Task<int> LiveAsync();
            Task<long> SumAsync(IAsyncEnumerable<long> numbers, long atMost = long.MaxValue);
            Task<long> SumUntilAsync(IAsyncEnumerable<long> numbers, CancellationToken token);
            Task<long> CountBytesAsync(IAsyncEnumerable<byte[]> items);
            IAsyncEnumerable<byte[]> BytesAsync(int first, int second, int third);
            IAsyncEnumerable<long> CountAndReportAsync(int to, IProgress<Step> progress);
            IAsyncEnumerable<long> DoubleAsync(IAsyncEnumerable<long> numbers);
            Task<long> ReportAsync(int times, IProgress<Step> progress, CancellationToken token = default);
            Task<int> RememberAsync(int value);
            Task<int> ProcessIdAsync();
            Task<string> ReadAsync(string name);
            Task<string> ReadManyAsync(string name, int times);
            Task<string> UnknownServiceAsync();
            ValueTask<Shape> GrowAsync(Shape shape, CancellationToken token, int by);
            Task<Pair<int, string>> SwapAsync(Pair<string, int> pair);
            Task DieAsync();
            Task<int> DieTheFirstTimeAsync(string file);
            Task WaitAsync(CancellationToken token);
        }

        public record Sheet(int Number, byte[] Pixels);
        public record Step(int Done, string Text);
        public record Pair<TLeft, TRight>(TLeft Left, TRight Right);

        [JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
        [JsonDerivedType(typeof(Circle), "circle")]
        [JsonDerivedType(typeof(Square), "square")]
        public abstract record Shape;
        public sealed record Circle(double Radius) : Shape;
        public sealed record Square(double Side) : Shape;

        public interface IFiles
        {
            Task<string> ReadAsync(string name, CancellationToken token = default);
            Task<byte[]> BytesAsync(byte[] bytes);
        }

        public interface IUnknown { Task<int> DoAsync(); }
        """;

    public static string Folder => PluginSource.Types(Contract + """

        [EntryPoint]
        public sealed class Work(IPluginContext context) : IWork, IPluginInitializer, IAsyncDisposable
        {
            private static int s_live;
            private int _remembered;
            private bool _initialized;

            public async ValueTask InitializeAsync(CancellationToken token)
            {
                context.ReportStage("half way");
                await Task.Yield();
                _initialized = true;
                context.Log(PluginLogLevel.Warning, "initialized", category: "Work");
            }

            public async IAsyncEnumerable<long> CountAsync(long to, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
            {
                Interlocked.Increment(ref s_live);
                try
                {
                    for (var i = 0L; i < to; i++) { token.ThrowIfCancellationRequested(); yield return i; }
                }
                finally { Interlocked.Decrement(ref s_live); }
                await Task.CompletedTask;
            }

            public async IAsyncEnumerable<Sheet> SheetsAsync(int count)
            {
                for (var i = 0; i < count; i++) { await Task.Yield(); yield return new Sheet(i, new byte[] { (byte)i, 7 }); }
            }

            public async IAsyncEnumerable<long> CountThenThrowAsync(long to)
            {
                for (var i = 0L; i < to; i++) { yield return i; }
                await Task.Yield();
                throw new InvalidOperationException("enough");
            }

            public async IAsyncEnumerable<long> CountThenDieAsync(long to, string signal)
            {
                for (var i = 0L; i < to; i++) { yield return i; }
                // Its reader says by a file that it has them.
                while (!File.Exists(signal)) { await Task.Delay(5); }
                Environment.Exit(3);
            }

            public async IAsyncEnumerable<long> DripAsync()
            {
                Interlocked.Increment(ref s_live);
                try
                {
                    for (var i = 0L; ; i++) { await Task.Delay(1); yield return i; }
                }
                finally { Interlocked.Decrement(ref s_live); }
            }

            public Task<int> LiveAsync() => Task.FromResult(s_live);

            public async Task<long> SumAsync(IAsyncEnumerable<long> numbers, long atMost = long.MaxValue)
            {
                var sum = 0L;
                await foreach (var number in numbers) { sum += number; if (sum > atMost) break; }
                return sum;
            }

            public async Task<long> SumUntilAsync(IAsyncEnumerable<long> numbers, CancellationToken token)
            {
                var sum = 0L;
                await foreach (var number in numbers.WithCancellation(token)) { sum += number; }
                return sum;
            }

            public async Task<long> CountBytesAsync(IAsyncEnumerable<byte[]> items)
            {
                var sum = 0L;
                await foreach (var bytes in items) { sum += bytes.Length; }
                return sum;
            }

            public async IAsyncEnumerable<byte[]> BytesAsync(int first, int second, int third)
            {
                yield return new byte[first];
                yield return new byte[second];
                yield return new byte[third];
                await Task.CompletedTask;
            }

            public async IAsyncEnumerable<long> CountAndReportAsync(int to, IProgress<Step> progress)
            {
                for (var i = 0; i < to; i++)
                {
                    using (ExecutionContext.SuppressFlow())
                    {
                        var thread = new Thread(() => progress.Report(new Step(i + 1, "")));
                        thread.Start();
                        thread.Join();
                    }

                    await Task.Yield();
                    yield return i;
                }
            }

            public async IAsyncEnumerable<long> DoubleAsync(IAsyncEnumerable<long> numbers)
            {
                await foreach (var number in numbers) { yield return number * 2; }
            }

            public Task<long> ReportAsync(int times, IProgress<Step> progress, CancellationToken token = default)
            {
                for (var i = 1; i <= times; i++) { progress.Report(new Step(i, $"step {i}")); }
                return Task.FromResult((long)times);
            }

            public Task<int> RememberAsync(int value) { var before = _remembered; _remembered = value; return Task.FromResult(before); }
            public Task<int> ProcessIdAsync() => Task.FromResult(_initialized ? Environment.ProcessId : -1);
            public async Task<string> ReadAsync(string name)
            {
                var files = context.GetHostService<IFiles>();
                var bytes = await files.BytesAsync(new byte[] { 1, 2 });
                return await files.ReadAsync(name) + string.Join(",", bytes);
            }

            public async Task<string> ReadManyAsync(string name, int times)
            {
                var files = context.GetHostService<IFiles>();
                var all = await Task.WhenAll(Enumerable.Range(0, times).Select(_ => files.ReadAsync(name)));
                return all.Distinct().Single();
            }

            public async Task<string> UnknownServiceAsync()
            {
                try { await context.GetHostService<IUnknown>().DoAsync(); return "?"; }
                catch (HostServiceException exception) { return exception.Message; }
            }

            public ValueTask<Shape> GrowAsync(Shape shape, CancellationToken token, int by) => new(shape switch
            {
                Circle circle => circle with { Radius = circle.Radius * by },
                Square square => square with { Side = square.Side * by },
                _ => shape,
            });

            public Task<Pair<int, string>> SwapAsync(Pair<string, int> pair) => Task.FromResult(new Pair<int, string>(pair.Right, pair.Left));
            public Task DieAsync() { Environment.Exit(3); return Task.CompletedTask; }

            [Idempotent]
            public Task<int> DieTheFirstTimeAsync(string file)
            {
                if (!File.Exists(file)) { File.WriteAllText(file, ""); Environment.Exit(3); }
                return Task.FromResult(Environment.ProcessId);
            }

            public Task WaitAsync(CancellationToken token) => Task.Delay(Timeout.Infinite, token);
            public ValueTask DisposeAsync() { context.Log(PluginLogLevel.Information, "disposed " + context.Settings["greeting"]); return default; }
        }
        """, "Contracts");
}
