using ProcessPool.TestKit;

namespace ProcessPool.Unit.Tests.Generators;

/// <summary>What is generated is checked in: a change of it is a change somebody sees.</summary>
public sealed class GeneratedSourceTests
{
    public static readonly TheoryData<string, string, string> Contracts = new()
    {
        {
            "Returns", "Acme.IThumbs", """
            namespace Acme;
            public interface IThumbs
            {
                Task PlainAsync();
                Task<long> CreateAsync(string path, int width, CancellationToken token);
                ValueTask ValueAsync(CancellationToken token);
                ValueTask<string?> NameAsync(int id);
                IAsyncEnumerable<int> AllAsync(CancellationToken token);
            }
            """
        },
        {
            "Parameters", "IWork", """
            public interface IWork
            {
                Task NoneAsync();
                Task TokenFirstAsync(CancellationToken token, int value);
                Task ContextAsync(IPluginContext context, string? text);
                Task StreamAsync(IAsyncEnumerable<byte[]> items, IProgress<double>? progress);
                Task NamesAsync(int @class, int caller, int s_types4, params string[] rest);
            }
            """
        },
        {
            "Inherited", "Outer.IBoth<string>", """
            public static class Outer
            {
                public interface ILeft<T> { Task<T> SameAsync(T value); }
                public interface IRight { Task SameAsync(string value); }
                public interface IBoth<T> : ILeft<T>, IRight { Task<T?> OwnAsync(); }
            }
            """
        },
    };

    [Fact]
    public void A_pool_whose_options_use_what_another_generator_writes_has_its_proxies()
    {
        const string Source = """
            public interface IWork { Task RunAsync(); }
            internal partial class Types : System.Text.Json.Serialization.JsonSerializerContext;
            public static class Host
            {
                public static async Task Use()
                {
                    await using var pool = await SandboxPool.StartAsync(new SandboxPoolOptions { Plugin = "p", JsonTypeInfoResolver = Types.Default });
                    await pool.GetProxy<IWork>().RunAsync();
                }
            }
            """;
        Assert.Single(HostSource.Generate(HostSource.Compile(Source)));
    }

    [Theory]
    [MemberData(nameof(Contracts))]
    public void A_proxy_is_written_as_listed(string name, string contract, string source)
    {
        var path = Path.Combine(Repository.Root, "tests", "Unit.Tests", "Generators", "Snapshots", name + ".txt");
        var actual = Assert.Single(HostSource.Generate(HostSource.Compile(HostSource.Asking(contract, source)))).Value;
        var expected = File.Exists(path) ? File.ReadAllText(path) : "";
        if (actual != expected)
        {
            File.WriteAllText(path + ".new", actual);
        }

        Assert.True(actual == expected, $"Expected the proxy of {contract} to be as listed. If the change is meant, replace {path} by {path}.new.");
    }
}
