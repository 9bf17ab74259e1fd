using ProcessPool;
using SamplePlugin;

await using var pool = await SandboxPool.StartAsync(new()
{
    Plugin = Path.Combine(AppContext.BaseDirectory, "plugins", "SamplePlugin"),
    Workers = args is [var count] ? WorkerCount.Parse(count) : WorkerCount.All,
});
Console.WriteLine($"{pool.WorkerCount} workers, each in a process of its own");

// One result: wait for it.
Console.WriteLine($"7 * 7 = {await pool.InvokeAsync<long>("Square", [7])}");

// Callbacks: on the thread pool, as results arrive.
var sum = 0L;
using var done = new CountdownEvent(100);
for (var i = 1; i <= 100; i++)
{
    pool.Post<long>("Square", [i], onResult: y => { Interlocked.Add(ref sum, y); done.Signal(); });
}

done.Wait();
Console.WriteLine($"the squares of 1 to 100 add up to {sum}");

// A batch: fill it, wait for all. One call reads memory that is not there: a native crash, which ends its process.
var batch = pool.CreateBatch<long>(100);
for (var i = 0; i < 100; i++)
{
    batch.Add(i == 50 ? "PeekNative" : "Square", [i]);
}

var outcomes = batch.Wait();
var failures = outcomes.Where(outcome => !outcome.Succeeded).ToList();
Console.WriteLine($"{outcomes.Count - failures.Count} of 100 calls succeeded, {failures.Count} failed:");
foreach (var failure in failures)
{
    var crash = (WorkerCrashedException)failure.Error!;
    Console.WriteLine($"  call {failure.Index}: {crash.EntryPoint} ended worker {crash.WorkerName} (pid {crash.ProcessId}) with {crash.Signal}");
}

// A sequence of any length, on real input: the repository's own files, through the replaced worker too.
var files = SourceFiles().ToList();
var total = 0L;
await foreach (var outcome in pool.MapAsync<string, TextStatistics>("TextStatistics", files))
{
    total += outcome.Value.Words;
}

Console.WriteLine($"{files.Count} files, {total} words");

// Typed: the contract's methods, as if the object were here.
var text = await pool.GetProxy<ITextAnalyzer>().AnalyzeAsync("the quick brown fox jumps over the lazy dog");
Console.WriteLine($"most frequent word: {text.MostFrequent[0].Word}");

static IEnumerable<string> SourceFiles()
{
    var root = new DirectoryInfo(AppContext.BaseDirectory);
    while (root.Parent is not null && !File.Exists(Path.Combine(root.FullName, "ProcessPool.sln")))
    {
        root = root.Parent;
    }

    return Directory.EnumerateFiles(Path.Combine(root.FullName, "src"), "*.cs", SearchOption.AllDirectories);
}
