using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.Loader;
using ProcessPool.Protocol;
using ProcessPool.Sandbox.Serving;

namespace ProcessPool.Sandbox.Loading;

using Attachments = ReadOnlyMemory<byte>[];
using Call = Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], CancellationToken, Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)>>, CancellationToken, Task<((int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error) First, IAsyncEnumerator<(int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error)>? Stream)>>;
using Direct = (Func<ReadOnlyMemory<byte>, System.Buffers.IBufferWriter<byte>, CancellationToken, (int Status, ReadOnlyMemory<byte>[] Attachments, Exception? Error)> Call, bool TakesToken);
using HostCall = Func<string, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>[], CancellationToken, Task<(ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, bool More)>>;
using BeginSpan = Func<string, string, string, bool, (Action Enter, Func<int, (string Source, string Name, int Kind, string Id, string Parent, long StartedAt, long Duration, int Status, string StatusText, KeyValuePair<string, object?>[] Tags, (string Name, long At, KeyValuePair<string, object?>[] Tags)[] Events)[]> End)?>;
using Reply = (int Status, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>[] Attachments, Exception? Error);

/// <summary>The plugin in its own load context, with Binder beside it there.</summary>
internal sealed class LoadedPlugin : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly AssemblyLoadContext _context;
    private readonly Assembly _assembly;
    private readonly Stack<object> _owned = new();
    private Call? _call;
    private Func<string, Direct?>? _findDirect;
    private BeginSpan? _beginSpan;

    private LoadedPlugin(AssemblyLoadContext context, Assembly assembly, LoadReporter reporter)
    {
        _context = context;
        _assembly = assembly;
        Reporter = reporter;
    }

    /// <summary>Says where what it needs comes from.</summary>
    public LoadReporter Reporter { get; }

    public LoadReportMessage? LoadReport => Reporter.Report(_context);

    /// <summary>Loads the entry assembly by the policy.</summary>
    /// <exception cref="InvalidOperationException">Its <c>.deps.json</c> is damaged, or lists what is not there.</exception>
    public static LoadedPlugin Load(string entryAssembly, LoadPolicy policy, LoadReporter reporter)
    {
        var context = policy.CreateContext();
        return new LoadedPlugin(context, context.LoadFromAssemblyPath(entryAssembly), reporter);
    }

    /// <summary>Binds entry points, constructs contract classes and initializes them: the first plugin code that runs.</summary>
    public async Task ActivateAsync(InitializeRequest request, HostNotices notices, HostCalls hostCalls)
    {
        using var reflection = _context.EnterContextualReflection();
        var binder = LoadBinder(_context, "ProcessPool.Binding.PluginBinder");
        var hostService = binder.GetMethod("HostService", BindingFlags.Public | BindingFlags.Static)!.CreateDelegate<Func<Type, HostCall, object>>();
        var context = new PluginContext(request, notices, hostCalls, type => hostService(type, hostCalls.AskAsync), _stopping.Token);
        var activator = FindActivator();
        var bind = binder.GetMethod("Bind", BindingFlags.Public | BindingFlags.Static)!.CreateDelegate<Func<Assembly, object, Func<Type, object>?, (Call, Func<string, Direct?>, object[])>>();
        (_call, _findDirect, var instances) = bind(_assembly, context, activator is null ? null : type => activator.Create(type, context));
        foreach (var owned in activator is null ? instances : [activator])
        {
            _owned.Push(owned);
        }

        foreach (var instance in instances.OfType<IPluginInitializer>())
        {
            await instance.InitializeAsync(_stopping.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Runs one call through Binder: the reply, and what follows it if that is the beginning of a stream.</summary>
    public async Task<(Reply First, IAsyncEnumerator<Reply>? Stream)> CallAsync(
        string entryPoint, ReadOnlyMemory<byte> payload, Attachments attachments, HostCall host, CancellationToken cancellationToken)
    {
        using var reflection = _context.EnterContextualReflection();
        return await _call!(entryPoint, payload, attachments, host, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What runs calls that are over when the method returns; null when this entry point's are not. In <see cref="EnterReflection"/>.</summary>
    public Direct? FindDirect(string entryPoint) => _findDirect!(entryPoint);

    /// <summary>Begins the span of a call that is traced. Null when its parent is none.</summary>
    /// <param name="entryPoint">The entry point's name.</param>
    /// <param name="parent">The host's span.</param>
    /// <param name="collects">Whether the spans go to the host by way of the reply; if not, this is the host's process.</param>
    public CallSpan? BeginSpan(string entryPoint, TraceParent parent, bool collects)
    {
        // Looked up for the first call that is traced: most hosts trace nothing.
        _beginSpan ??= LoadBinder(_context, "ProcessPool.Binding.Spans.CallSpan").GetMethod("Begin", BindingFlags.Public | BindingFlags.Static)!.CreateDelegate<BeginSpan>();
        return _beginSpan(entryPoint, parent.Id, parent.State, collects) is var (enter, end) ? new CallSpan(enter, end) : null;
    }

    /// <summary>What plugin code looks up by name is looked up in its context.</summary>
    public AssemblyLoadContext.ContextualReflectionScope EnterReflection() => _context.EnterContextualReflection();

    public Task SignalStoppingAsync() => _stopping.CancelAsync();

    /// <summary>Disposes what was made last first, all of it, and then throws what the first one threw.</summary>
    public async ValueTask DisposeAsync()
    {
        Exception? first = null;
        while (_owned.TryPop(out var owned))
        {
            try
            {
                if (owned is IAsyncDisposable asynchronous)
                {
                    await asynchronous.DisposeAsync().ConfigureAwait(false);
                }
                else if (owned is IDisposable disposable)
                {
                    disposable.Dispose();
                }
            }
            catch (Exception exception)
            {
                first ??= exception;
            }
        }

        if (first is not null)
        {
            ExceptionDispatchInfo.Throw(first);
        }
    }

    private IPluginActivator? FindActivator()
    {
        var types = _assembly.GetExportedTypes().Where(type => type is { IsClass: true, IsAbstract: false } && typeof(IPluginActivator).IsAssignableFrom(type)).ToList();
        return types switch
        {
            [] => null,
            [var only] => (IPluginActivator)Activator.CreateInstance(only, BindingFlags.DoNotWrapExceptions | BindingFlags.Public | BindingFlags.Instance, null, null, null)!,
            _ => throw new InvalidOperationException($"{string.Join(" and ", types)} implement IPluginActivator. Keep one."),
        };
    }

    private static Type LoadBinder(AssemblyLoadContext context, string type)
    {
        var directory = Path.GetDirectoryName(typeof(LoadedPlugin).Assembly.Location)!;
        var binder = context.LoadFromAssemblyPath(Path.Combine(directory, "binder", "ProcessPool.Binder.dll"));
        return binder.GetType(type, throwOnError: true)!;
    }
}
