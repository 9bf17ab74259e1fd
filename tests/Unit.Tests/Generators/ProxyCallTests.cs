using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ProcessPool.Generated;

namespace ProcessPool.Unit.Tests.Generators;

/// <summary>What a generated proxy asks its caller for.</summary>
public sealed class ProxyCallTests
{
    // Hides the library's, so that the proxy comes here.
    private const string Registry = """
        #pragma warning disable CS0436
        namespace ProcessPool.Generated
        {
            public static class ContractProxies
            {
                public static Delegate? Registered;
                public static void Register<T>(Func<ContractCaller, T> create) => Registered = create;
            }
        }
        """;

    private readonly RecordingCaller _caller = new();
    private readonly ICalls _proxy;

    public ProxyCallTests()
    {
        var source = HostSource.Asking("ProcessPool.Unit.Tests.Generators.ICalls", Registry);
        using var image = new MemoryStream();
        var result = HostSource.Complete(HostSource.Compile(source, LanguageVersion.Latest, MetadataReference.CreateFromFile(typeof(ICalls).Assembly.Location))).Emit(image);
        Assert.True(result.Success, string.Join(Environment.NewLine, result.Diagnostics));
        var host = System.Reflection.Assembly.Load(image.ToArray());
        RuntimeHelpers.RunModuleConstructor(host.ManifestModule.ModuleHandle);
        var create = host.GetType("ProcessPool.Generated.ContractProxies")!.GetField("Registered")!.GetValue(null);
        _proxy = Assert.IsType<Func<ContractCaller, ICalls>>(create)(_caller);
    }

    [Fact]
    public async Task Arguments_travel_with_their_declared_types_and_the_token_beside_them()
    {
        using var source = new CancellationTokenSource();
        Assert.Equal(7, await _proxy.SizeAsync(source.Token, "a", null!, 1.5));
        Assert.Equal("ICalls.SizeAsync<Int64>", _caller.Call);
        Assert.Equal(["a", 1.5], _caller.Arguments);
        Assert.Equal([typeof(object), typeof(double?)], _caller.Types);
        Assert.Equal(source.Token, _caller.Token);
    }

    [Fact]
    public async Task Every_way_of_returning_is_a_call()
    {
        await _proxy.PlainAsync();
        Assert.Equal("ICalls.PlainAsync", _caller.Call);
        Assert.Equal(CancellationToken.None, _caller.Token);
        await _proxy.ValueAsync();
        Assert.Equal("ICalls.ValueAsync", _caller.Call);
        Assert.Equal(7, await _proxy.ValueOfAsync());
        Assert.Equal("ICalls.ValueOfAsync<Int64>", _caller.Call);
        Assert.Empty(_proxy.AllAsync(default).ToBlockingEnumerable());
        Assert.Equal("stream ICalls.AllAsync<Int64>", _caller.Call);
    }

    [Fact]
    public async Task Streams_and_progress_are_wrapped()
    {
        var items = AsyncEnumerable.Empty<int>();
        var progress = new Progress<string>();
        await _proxy.StreamAsync(items, progress);
        Assert.Equal([ContractCaller.Stream(items)!.GetType(), ContractCaller.Progress(progress)!.GetType()], _caller.Arguments.Select(argument => argument!.GetType()));
        Assert.Equal([typeof(IAsyncEnumerable<int>), typeof(IProgress<string>)], _caller.Types);
    }

    [Fact]
    public async Task A_method_of_a_base_interface_is_called_by_that_interface()
    {
        await _proxy.SameAsync(1);
        Assert.Equal("ICalls.SameAsync", _caller.Call);
        await ((ICallsBase<int>)_proxy).SameAsync(1);
        Assert.Equal("ICallsBase.SameAsync", _caller.Call);
    }

    private sealed class RecordingCaller : ContractCaller
    {
        public string? Call { get; private set; }

        public object?[] Arguments { get; private set; } = [];

        public Type[] Types { get; private set; } = [];

        public CancellationToken Token { get; private set; }

        public override Task<T> InvokeAsync<T>(string entryPoint, object?[] arguments, Type[] types, CancellationToken cancellationToken)
        {
            Record($"{entryPoint}<{typeof(T).Name}>", arguments, types, cancellationToken);
            return Task.FromResult((T)(object)7L);
        }

        public override Task InvokeAsync(string entryPoint, object?[] arguments, Type[] types, CancellationToken cancellationToken)
        {
            Record(entryPoint, arguments, types, cancellationToken);
            return Task.CompletedTask;
        }

        public override IAsyncEnumerable<T> StreamAsync<T>(string entryPoint, object?[] arguments, Type[] types, CancellationToken cancellationToken)
        {
            Record($"stream {entryPoint}<{typeof(T).Name}>", arguments, types, cancellationToken);
            return AsyncEnumerable.Empty<T>();
        }

        private void Record(string call, object?[] arguments, Type[] types, CancellationToken token) => (Call, Arguments, Types, Token) = (call, arguments, types, token);
    }
}

public interface ICallsBase<in T>
{
    Task SameAsync(T value);
}

public interface ICalls : ICallsBase<int>
{
    Task PlainAsync();

    [SuppressMessage("Design", "CA1068", Justification = "A contract may have its token anywhere.")]
    Task<long> SizeAsync(CancellationToken token, object value, IPluginContext context, double? factor);

    ValueTask ValueAsync();

    ValueTask<long> ValueOfAsync();

    IAsyncEnumerable<long> AllAsync(CancellationToken token);

    Task StreamAsync(IAsyncEnumerable<int> items, IProgress<string> progress);

    new Task SameAsync(int value);
}
