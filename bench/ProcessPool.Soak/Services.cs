using System.Diagnostics;
using System.Globalization;
using System.Net;
using ProcessPool.TestKit;

namespace ProcessPool.Soak;

/// <summary>The web service of samples/ThumbnailService under a loopback load, before, while and after its native library crashes: every request is answered, with a result or with an error that names the crash.</summary>
internal static class Services
{
    private const int Clients = 4;
    private const int Warmup = 200;
    private static readonly TimeSpan CrashEvery = TimeSpan.FromMilliseconds(250);

    public static async Task<bool> RunAsync(double seconds)
    {
        var program = Path.Combine(Repository.Root, "artifacts", "bin", "ThumbnailService", Repository.Configuration.ToLowerInvariant(), "ThumbnailService.dll");
        var start = new ProcessStartInfo("dotnet", ["exec", program, "--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default=Warning", "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Information", "--Logging:LogLevel:ProcessPool=None"]) { RedirectStandardOutput = true };
        using var service = Process.Start(start)!;
        try
        {
            string? line;
            do
            {
                line = await service.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The service has ended.");
            }
            while (!line.Contains("Now listening on:", StringComparison.Ordinal));

            _ = service.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
            using var client = new HttpClient { BaseAddress = new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..].Trim()), Timeout = TimeSpan.FromSeconds(60) };
            var image = await PictureAsync();
            for (var i = 0; i < Warmup; i++)
            {
                await PostAsync(client, "/thumbnails?size=200", image);
            }

            Console.WriteLine("   phase     requests   200   502 SIGSEGV   other   unanswered   p50 ms   p99 ms   service MB   workers");
            var held = true;
            foreach (var (phase, crashes) in new[] { ("before", false), ("during", true), ("after", false) })
            {
                held &= await PhaseAsync(phase, crashes, client, service, image, TimeSpan.FromSeconds(seconds));
            }

            return held;
        }
        finally
        {
            service.Kill();
            await service.WaitForExitAsync();
        }
    }

    private static async Task<bool> PhaseAsync(string phase, bool crashes, HttpClient client, Process service, byte[] image, TimeSpan length)
    {
        var (answers, latencies, began) = (new Dictionary<string, int>(), new List<double>(), Stopwatch.GetTimestamp());
        var load = Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(began) < length)
            {
                var from = Stopwatch.GetTimestamp();
                Count(await PostAsync(client, "/thumbnails?size=200", image), Stopwatch.GetElapsedTime(from).TotalMilliseconds);
            }
        })).ToList();
        if (crashes)
        {
            load.Add(Task.Run(async () =>
            {
                while (Stopwatch.GetElapsedTime(began) < length)
                {
                    Count(await PostAsync(client, "/crash", []), null);
                    await Task.Delay(CrashEvery);
                }
            }));
        }

        await Task.WhenAll(load);
        service.Refresh();
        latencies.Sort();
        var (ok, crash, unanswered) = (answers.GetValueOrDefault("200"), answers.GetValueOrDefault("502 SIGSEGV"), answers.GetValueOrDefault("none"));
        var all = answers.Values.Sum();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"   {phase,-9} {all,8} {ok,5} {crash,13} {all - ok - crash - unanswered,7} {unanswered,12} {latencies[latencies.Count / 2],8:0.0} {latencies[latencies.Count * 99 / 100],8:0.0} {service.WorkingSet64 / 1e6,12:0} {Sandboxes.Of(service.Id).Count,9}"));
        return unanswered == 0 && all == ok + crash && (crashes ? crash > 0 : crash == 0);

        void Count(string answer, double? milliseconds)
        {
            lock (answers)
            {
                answers[answer] = answers.GetValueOrDefault(answer) + 1;
                if (milliseconds is { } took)
                {
                    latencies.Add(took);
                }
            }
        }
    }

    // The status; of a crash with the signal that its answer names; "none" when there was no answer.
    private static async Task<string> PostAsync(HttpClient client, string path, byte[] body)
    {
        try
        {
            using var content = new ByteArrayContent(body);
            using var answer = await client.PostAsync(path, content);
            var status = ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
            return answer.StatusCode == HttpStatusCode.BadGateway && (await answer.Content.ReadAsStringAsync()).Contains("SIGSEGV", StringComparison.Ordinal) ? $"{status} SIGSEGV" : status;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return "none";
        }
    }

    private static async Task<byte[]> PictureAsync()
    {
        await using var pool = await SandboxPool.StartAsync(new() { Plugin = Path.Combine(Repository.Plugins, "Thumbnails"), Workers = 1 });
        return await pool.InvokeAsync<byte[]>("Draw", [640, 480]);
    }
}
