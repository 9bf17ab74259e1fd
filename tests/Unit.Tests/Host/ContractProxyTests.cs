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

        Task TwoTokens(CancellationToken first, CancellationToken second);
    }

    public interface ILeft
    {
        Task Same(int value);
    }

    public interface IRight
    {
        Task Same(string value);
    }

    public interface IBoth : ILeft, IRight
    {
        Task WithContext(int value, IPluginContext context, CancellationToken token);
    }

    [Fact]
    public void Everything_a_contract_cannot_say_is_named_at_once()
    {
        var refused = Assert.Throws<NotSupportedException>(() => _pool.GetProxy<IUnsupported>());
        foreach (var name in new[] { "Changed", "Property", "Synchronous()", "Generic[T](T)", "ByReference(Int32 ByRef)", "Overload(System.String)", "TwoTokens(System.Threading.CancellationToken, System.Threading.CancellationToken)" })
        {
            Assert.Contains(name, refused.Message);
        }

        Assert.Throws<NotSupportedException>(() => _pool.GetProxy<string>());
    }

    public interface IEnding : IAsyncDisposable
    {
        Task DoAsync();
    }

    [Fact]
    public void A_contract_cannot_inherit_from_the_framework() =>
        Assert.Contains("comes from System.IAsyncDisposable", Assert.Throws<NotSupportedException>(() => _pool.GetProxy<IEnding>()).Message);

    [Fact]
    public void Methods_of_one_name_in_two_base_contracts_are_no_overloads() => Assert.NotNull(_pool.GetProxy<IBoth>());
}
