// Thumbnails of every image in a folder, however many there are: the map reads only as far ahead as the workers need, and a file that takes
// its worker down, hangs or is no image costs that file.
//
//   dotnet run --project samples/ConsoleMap -- ~/Pictures /tmp/thumbnails
using System.Collections.Concurrent;
using ProcessPool;

if (args is not [var source, var target] || !Directory.Exists(source) || Path.GetFullPath(source) == Path.GetFullPath(target))
{
    Console.Error.WriteLine("Usage: ConsoleMap SOURCE-FOLDER TARGET-FOLDER: one that exists, and another one.");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel();
};

Directory.CreateDirectory(target);
await using var pool = await SandboxPool.StartAsync(new()
{
    Plugin = Path.Combine(AppContext.BaseDirectory, "plugins", "Thumbnails"),
    CallTimeout = TimeSpan.FromSeconds(30),
    MemoryLimit = 512L << 20,
});

// Kept until its outcome is there: as many as are under way. Filled by the thread that reads the folder.
var underWay = new ConcurrentQueue<string>();
var (done, failed) = (0, 0);
try
{
    await foreach (var outcome in pool.MapAsync<CallArguments, object?>("CreateFileAsync", Calls(), cancellationToken: stop.Token))
    {
        underWay.TryDequeue(out var file);
        done++;
        if (outcome.Error is { } error)
        {
            failed++;
            Console.Error.WriteLine($"{file}: {error.Message}");
        }
    }
}
catch (OperationCanceledException)
{
    // Ctrl+C: what was under way is not counted.
}

Console.WriteLine($"{done - failed} thumbnails in {target}, {failed} files failed");
return stop.IsCancellationRequested ? 130 : failed == 0 ? 0 : 1;

IEnumerable<CallArguments> Calls()
{
    foreach (var file in Directory.EnumerateFiles(Path.GetFullPath(source)))
    {
        underWay.Enqueue(file);
        yield return [file, Path.Combine(Path.GetFullPath(target), Path.GetFileName(file)), 200];
    }
}
