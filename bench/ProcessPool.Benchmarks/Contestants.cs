namespace ProcessPool.Benchmarks;

/// <summary>Who is measured: a program that prints one line of JSON for a case.</summary>
/// <param name="Name">In the table.</param>
/// <param name="Program">The program.</param>
/// <param name="Arguments">What comes before the case.</param>
/// <param name="Cases">What it can do.</param>
internal sealed record Contestant(string Name, string Program, string[] Arguments, string[] Cases)
{
    public const string Ours = "ProcessPool";
    public const string RawPipe = ".NET raw pipe";
    public const string SharedMemory = "shared memory";
    public const string Hello = "dotnet hello";

    private static readonly string[] All = ["roundtrip", "singles", "bytes", "start", "crash", "memory", "cpu"];

    /// <summary>Ours, the peers that are installed, and the floors.</summary>
    public static async Task<List<Contestant>> FindAsync()
    {
        var own = typeof(Contestant).Assembly.Location;
        var peers = Path.Combine(Paths.Repository, "bench", "peers");
        var grpc = Path.Combine(peers, "grpc", "artifacts", "bin", "GrpcPeer", "release", "GrpcPeer.dll");
        var found = new List<Contestant>
        {
            new(Ours, "dotnet", [own, "ours"], [.. All, "bulk", "scale", "levels", "listeners", "safety"]),
            new("ProcessPoolExecutor", "python3", [Path.Combine(peers, "python", "executor.py")], [.. All, "bulk"]),
            new("multiprocessing.Pool", "python3", [Path.Combine(peers, "python", "pool.py")], [.. All, "bulk"]),
            new("joblib", "/usr/bin/python3", [Path.Combine(peers, "python", "joblib_peer.py")], [.. All, "bulk"]),
            new("piscina (threads)", "node", [Path.Combine(peers, "node", "piscina.mjs")], All),
            new("workerpool", "node", [Path.Combine(peers, "node", "workerpool.mjs")], All),
            new(RawPipe, "dotnet", [own, "pipe"], ["roundtrip"]),
            new(Hello, "dotnet", [Paths.Hello], ["start"]),
        };
        if (await PublishAsync() is { } published)
        {
            found.Add(new("itself with a ReadyToRun host", "dotnet", [published, "ours"], ["start"]));
            found.Add(new("the same with MinWorkers 1", "dotnet", [published, "first"], ["start"]));
        }

        if (File.Exists(grpc))
        {
            found.Add(new(".NET gRPC", "dotnet", [grpc], ["roundtrip", "singles", "bytes", "start", "memory"]));
        }

        foreach (var (name, file, cases) in new[] { ("C pipe", "pipe_echo", "roundtrip"), (SharedMemory, "shm_echo", "bytes"), ("memcpy", "memcpy", "bytes") })
        {
            var program = Path.Combine(Path.GetTempPath(), $"processpool-bench-{file}");
            if (await Processes.RunAsync("gcc", "-O2", "-o", program, Path.Combine(peers, "floors", file + ".c")) is not null)
            {
                found.Add(new(name, program, [], [cases]));
            }
        }

        return found;
    }

    /// <summary>This program as a user may publish it: precompiled.</summary>
    private static async Task<string?> PublishAsync()
    {
        var target = Path.Combine(Path.GetTempPath(), "processpool-bench-published");
        return await Processes.RunAsync(
            "dotnet", "publish", "-c", "Release", "--use-current-runtime", "--no-self-contained", "-o", target, "-p:PublishReadyToRun=true", Path.Combine(Paths.Repository, "bench", "ProcessPool.Benchmarks")) is null
            ? null
            : Path.Combine(target, "ProcessPool.Benchmarks.dll");
    }
}
