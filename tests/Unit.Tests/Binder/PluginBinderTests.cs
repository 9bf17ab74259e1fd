using System.Text;
using Moq;
using ProcessPool.Binding;

namespace ProcessPool.Unit.Tests.Binder;

/// <summary>Binder over this very assembly, without a sandbox around it.</summary>
public sealed class PluginBinderTests
{
    [Fact]
    public async Task An_entry_point_gets_the_context_it_declares()
    {
        var context = new Mock<IPluginContext>();
        context.SetupGet(each => each.WorkerName).Returns("w-3");
        var (call, _, instances) = PluginBinder.Bind(typeof(PluginBinderTests).Assembly, context.Object, activator: null);
        var ((status, payload, _, error), _) = await call("WhoAmI", "[]"u8.ToArray(), [], NoHost, CancellationToken.None);
        Assert.Equal((0, "\"w-3\"", (Exception?)null), (status, Encoding.UTF8.GetString(payload.Span), error));
        Assert.IsType<Contract>(Assert.Single(instances));
    }

    [Theory]
    [InlineData("[1", 2)]
    [InlineData("", 2)]
    [InlineData("[]x", 2)]
    [InlineData("[[[[", 2)]
    public async Task A_damaged_payload_is_refused(string payload, int expected)
    {
        var (call, _, _) = PluginBinder.Bind(typeof(PluginBinderTests).Assembly, Mock.Of<IPluginContext>(), activator: null);
        Assert.Equal(expected, (await call("Sum", Encoding.UTF8.GetBytes(payload), [], NoHost, CancellationToken.None)).First.Status);
    }

    [Fact]
    public async Task An_attachment_that_is_not_there_is_refused()
    {
        var (call, _, _) = PluginBinder.Bind(typeof(PluginBinderTests).Assembly, Mock.Of<IPluginContext>(), activator: null);
        Assert.Equal(2, (await call("Count", """[{"$bytes":1}]"""u8.ToArray(), [new byte[1]], NoHost, CancellationToken.None)).First.Status);
        Assert.Equal(0, (await call("Count", """[{"$bytes":0}]"""u8.ToArray(), [new byte[1]], NoHost, CancellationToken.None)).First.Status);
    }

    [EntryPoint]
    public static string WhoAmI(IPluginContext context) => context.WorkerName;

    [EntryPoint]
    public static int Sum(int a, int b = 2) => a + b;

    [EntryPoint]
    public static int Count(byte[] bytes) => bytes.Length;

    public interface IContract
    {
        Task DoAsync();
    }

    [EntryPoint]
    public sealed class Contract : IContract
    {
        public Task DoAsync() => Task.CompletedTask;
    }

    private static Task<(ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], bool)> NoHost(string target, ReadOnlyMemory<byte> payload, ReadOnlyMemory<byte>[] attachments, CancellationToken token) =>
        throw new InvalidOperationException("There is no host.");
}
