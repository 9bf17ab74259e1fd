using System.Globalization;
using System.Linq.Expressions;
using System.Runtime;
using System.Runtime.Loader;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;

using static Ordinary.Check;

namespace Ordinary;

internal static class Computing
{
    public static IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        ("compile a regular expression", Sync(() => Is(new Regex("(a|b)+c", RegexOptions.Compiled).IsMatch("ababc")))),
        ("compile an expression", Sync(() => Is(Expression.Lambda<Func<int>>(Expression.Constant(7)).Compile()() == 7))),
        ("read and write JSON", Sync(() => Is(JsonSerializer.Deserialize<Dictionary<string, int>>("""{"a":7}""")!["a"] == 7))),
        ("loop in parallel", Sync(() => { var sum = 0; Parallel.For(0, 1_000, i => Interlocked.Add(ref sum, i)); Is(sum == 499_500); })),
        ("a timer", async () => await Task.Delay(1)),
        ("64 threads", Sync(() => { var threads = Enumerable.Range(0, 64).Select(_ => new Thread(() => Thread.Sleep(10))).ToList(); threads.ForEach(thread => thread.Start()); threads.ForEach(thread => thread.Join()); })),
        ("a thread's priority", Sync(() => Thread.CurrentThread.Priority = ThreadPriority.Normal)),
        ("a thread with a stack of 16 MiB", Sync(() => { var thread = new Thread(() => { }, 16 << 20); thread.Start(); thread.Join(); })),
        ("encrypt by AES", Sync(() => { using var aes = Aes.Create(); Is(aes.EncryptCbc(new byte[10], aes.IV).Length == 16); })),
        ("hash by SHA-256", Sync(() => Is(SHA256.HashData([1]).Length == 32))),
        ("sign by RSA", Sync(() => { using var rsa = RSA.Create(2048); Is(rsa.SignData([1], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).Length == 256); })),
        ("random numbers", Sync(() => Is(RandomNumberGenerator.GetBytes(16).Length == 16))),
        ("a load context that is unloaded", Sync(() => { var context = new AssemblyLoadContext("x", isCollectible: true); context.LoadFromAssemblyPath(typeof(Computing).Assembly.Location); context.Unload(); })),
        ("collect garbage", Sync(() => { GC.Collect(); GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency; GCSettings.LatencyMode = GCLatencyMode.Interactive; })),
        ("cultures", Sync(() => Is(new CultureInfo("de-DE").NumberFormat.NumberDecimalSeparator.Length == 1))),
        ("time zones", Sync(() => Is(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin").BaseUtcOffset.Hours == 1))),
    ];
}
