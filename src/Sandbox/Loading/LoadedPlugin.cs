using System.Reflection;
using System.Runtime.Loader;
using McMaster.NETCore.Plugins;
using ProcessPool.Protocol;
using ProcessPool.Sandbox.Serving;

namespace ProcessPool.Sandbox.Loading;

using Attachments = ReadOnlyMemory<byte>[];
using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);
using Call = Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], CancellationToken, Task<(int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error)>>;

/// <summary>The plugin in its own load context, with Binder beside it there.</summary>
internal sealed class LoadedPlugin : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly PluginLoader _loader;
    private readonly Assembly _assembly;
    private Call? _call;
    private Func<ValueTask>? _dispose;

    private LoadedPlugin(PluginLoader loader, Assembly assembly)
    {
        _loader = loader;
        _assembly = assembly;
    }

    /// <summary>Loads the entry assembly by the policy.</summary>
    public static LoadedPlugin Load(string entryAssembly, LoadPolicy policy)
    {
        var loader = PluginLoader.CreateFromAssemblyFile(entryAssembly, policy.Apply);
        return new LoadedPlugin(loader, loader.LoadDefaultAssembly());
    }

    /// <summary>Binds entry points and constructs contract classes: the first plugin code that runs.</summary>
    public void Activate(InitializeRequest request)
    {
        var context = new PluginContext(request, _stopping.Token);
        using var reflection = _loader.EnterContextualReflection();
        var bind = LoadBinder(_loader.LoadContext).GetMethod("Bind", BindingFlags.Public | BindingFlags.Static)!
            .CreateDelegate<Func<Assembly, object, (Call, Func<ValueTask>)>>();
        (_call, _dispose) = bind(_assembly, context);
    }

    /// <summary>Runs one call through Binder.</summary>
    public async Task<Reply> CallAsync(string entryPoint, ReadOnlyMemory<byte> payload, Attachments attachments, CancellationToken cancellationToken)
    {
        using var reflection = _loader.EnterContextualReflection();
        return await _call!(entryPoint, payload, attachments, cancellationToken).ConfigureAwait(false);
    }

    public Task SignalStoppingAsync() => _stopping.CancelAsync();

    public ValueTask DisposeAsync() => _dispose?.Invoke() ?? default;

    private static Type LoadBinder(AssemblyLoadContext context)
    {
        var directory = Path.GetDirectoryName(typeof(LoadedPlugin).Assembly.Location)!;
        var binder = context.LoadFromAssemblyPath(Path.Combine(directory, "binder", "ProcessPool.Binder.dll"));
        return binder.GetType("ProcessPool.Binding.PluginBinder", throwOnError: true)!;
    }
}
