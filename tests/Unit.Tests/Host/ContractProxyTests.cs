namespace ProcessPool.Unit.Tests.Host;

public sealed class ContractProxyTests
{
    private readonly SandboxPool _pool = new(new SandboxPoolOptions { Plugin = "plugin" });

    public interface IUnsupported
    {
        event EventHandler Changed;

        int Property { get; }

        int Synchronous();

        Task Generic<T>(T value);

        Task ByReference(ref int value);

        Task Overload(int value);

        Task Overload(string value);
    }

    [Fact]
    public void Everything_a_contract_cannot_say_is_named_at_once()
    {
        var refused = Assert.Throws<NotSupportedException>(() => _pool.GetProxy<IUnsupported>());
        foreach (var name in new[] { "Changed", "Property", "Synchronous()", "Generic[T](T)", "ByReference(Int32 ByRef)", "Overload(System.String)" })
        {
            Assert.Contains(name, refused.Message);
        }

        Assert.Throws<NotSupportedException>(() => _pool.GetProxy<string>());
    }
}
