namespace ProcessPool;

/// <summary>What a plugin may know and ask of the sandbox it runs in. Supplied to entry points and constructors that declare it.</summary>
/// <remarks>One instance for the life of a worker; every member may be used from any thread.</remarks>
public interface IPluginContext
{
    /// <summary>The name of the pool this worker belongs to.</summary>
    string PoolName { get; }

    /// <summary>The name of this worker, such as <c>thumbs-2</c>: the pool's name and the index. Used again when this one is gone.</summary>
    string WorkerName { get; }

    /// <summary>A number that no other living worker of the pool has, from 0.</summary>
    int WorkerIndex { get; }

    /// <summary>The absolute path of the folder that the plugin was loaded from.</summary>
    string PluginDirectory { get; }

    /// <summary>The absolute path of a folder of this worker alone, empty at its start and deleted at its end.</summary>
    string ScratchDirectory { get; }

    /// <summary>What the host set for this plugin (<c>SandboxPoolOptions.Settings</c>). Keys are case-sensitive.</summary>
    IReadOnlyDictionary<string, string> Settings { get; }

    /// <summary>Cancelled when the worker is about to end. No call is executing then; what the plugin does in the background should end.</summary>
    CancellationToken Stopping { get; }

    /// <summary>
    /// A proxy of a service that the host exposes under this interface (<c>SandboxPoolOptions.Expose</c>). Its methods may be used while a call executes,
    /// and throw <see cref="HostServiceException"/> when the host does not expose it or its code throws.
    /// </summary>
    /// <typeparam name="T">The interface; its methods return tasks. The host has its own copy of it.</typeparam>
    /// <remarks>Its methods throw <see cref="InvalidOperationException"/> where no call executes, such as in a thread that outlived one.</remarks>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not an interface, or has members that cannot be called across processes.</exception>
    T GetHostService<T>()
        where T : class;

    /// <summary>Writes to the host's log, under this worker's name. Returns at once; when the host cannot keep up, the oldest entries that wait are dropped.</summary>
    /// <param name="level">How severe it is.</param>
    /// <param name="message">The text, cut at 8 Ki characters.</param>
    /// <param name="exception">What was thrown, if anything; its text is added.</param>
    /// <param name="category">Who says so, such as a type's full name; null: the plugin.</param>
    void Log(PluginLogLevel level, string message, Exception? exception = null, string? category = null);

    /// <summary>Writes to the host's log what is more than a text. Returns at once; when the host cannot keep up, the oldest entries that wait are dropped.</summary>
    /// <param name="entry">What is to be said.</param>
    void Log(PluginLogRecord entry);

    /// <summary>
    /// Tells the host that a long start goes on, and gives the next stage its full time (<c>SandboxPoolOptions.StartTimeout</c>). Has no effect after the
    /// start, or after 64 reports.
    /// </summary>
    /// <param name="stage">What has been reached, for error messages, such as <c>model loaded</c>.</param>
    void ReportStage(string stage);
}
