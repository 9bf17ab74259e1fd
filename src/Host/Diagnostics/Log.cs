using Microsoft.Extensions.Logging;

namespace ProcessPool.Diagnostics;

/// <summary>Every event the library logs. The ids are part of the public contract and never reused.</summary>
internal static partial class Log
{
    // Those that the command-line tool knows by their number.
    public const int WorkerDiedId = 11;
    public const int CallKilledId = 16;
    public const int StandardOutputId = 20;
    public const int StandardErrorId = 21;
    public const int CallRetriedId = 33;

    [LoggerMessage(1, LogLevel.Information, "Pool {Pool} is running: {Workers} workers for {Plugin}.")]
    public static partial void PoolStarted(this ILogger logger, string pool, int workers, string plugin);

    [LoggerMessage(2, LogLevel.Information, "Pool {Pool} has stopped: {Completed} calls were finished meanwhile, {Cancelled} cut off, {Killed} workers killed.")]
    public static partial void PoolStopped(this ILogger logger, string pool, long completed, long cancelled, int killed);

    [LoggerMessage(3, LogLevel.Error, "Pool {Pool} is broken: no worker can be started any more.")]
    public static partial void PoolBroken(this ILogger logger, Exception? exception, string pool);

    [LoggerMessage(4, LogLevel.Warning, "{Requested} workers were asked for, but there are {Processors} processors; using {Processors}. Set AllowOversubscription to get them all.")]
    public static partial void WorkersClamped(this ILogger logger, int requested, int processors);

    [LoggerMessage(5, LogLevel.Warning, "Pool {Pool} runs in debug mode: no isolation, and Environment, Gpu, WorkingDirectory and output capture are not applied.")]
    public static partial void DebugMode(this ILogger logger, string pool);

    [LoggerMessage(10, LogLevel.Debug, "Worker {Worker} (pid {ProcessId}) is ready.")]
    public static partial void WorkerReady(this ILogger logger, string worker, int? processId);

    [LoggerMessage(WorkerDiedId, LogLevel.Error, "Worker {Worker} (pid {ProcessId}) died: {Reason}, exit code {ExitCode} {Signal}.")]
    public static partial void WorkerDied(this ILogger logger, string worker, int? processId, CrashReason reason, int exitCode, string? signal);

    [LoggerMessage(12, LogLevel.Error, "A worker of pool {Pool} could not be started; next attempt in {Delay}.")]
    public static partial void WorkerStartFailed(this ILogger logger, Exception exception, string pool, TimeSpan delay);

    [LoggerMessage(13, LogLevel.Error, "A slot of pool {Pool} is given up: no worker is started for it any more. Reset() tries again.")]
    public static partial void SlotGivenUp(this ILogger logger, Exception? exception, string pool);

    [LoggerMessage(14, LogLevel.Warning, "Worker {Worker} (pid {ProcessId}) did not stop within {Timeout} and is killed: {Why}")]
    public static partial void WorkerStopForced(this ILogger logger, string worker, int? processId, TimeSpan timeout, string why);

    [LoggerMessage(15, LogLevel.Error, "Worker {Worker} (pid {ProcessId}) broke the protocol and is killed: {What}")]
    public static partial void ProtocolViolated(this ILogger logger, string worker, int? processId, string what);

    [LoggerMessage(CallKilledId, LogLevel.Warning, "Worker {Worker} (pid {ProcessId}) is killed: its call {Call} of {EntryPoint} was {Why} and did not end.")]
    public static partial void CallKilled(this ILogger logger, string worker, int? processId, long call, string entryPoint, string why);

    [LoggerMessage(17, LogLevel.Warning, "The scratch folder {Directory} could not be deleted.")]
    public static partial void ScratchLeft(this ILogger logger, Exception exception, string directory);

    [LoggerMessage(18, LogLevel.Warning, "Worker {Worker} (pid {ProcessId}) left {Count} processes behind that had left its process tree; they are killed.")]
    public static partial void LeftoversKilled(this ILogger logger, string worker, int? processId, int count);

    [LoggerMessage(19, LogLevel.Warning, "Worker {Worker} (pid {ProcessId}) has {Amount} {What}, more than the limit of {Limit}, and is killed.")]
    public static partial void LimitExceeded(this ILogger logger, string worker, int? processId, long amount, string what, long limit);

    [LoggerMessage(StandardOutputId, LogLevel.Information, "{Worker}: {Line}")]
    public static partial void StandardOutput(this ILogger logger, string worker, string line);

    [LoggerMessage(StandardErrorId, LogLevel.Information, "{Worker}: {Line}")]
    public static partial void StandardError(this ILogger logger, string worker, string line);

    [LoggerMessage(22, LogLevel.Information, "Worker {Worker} (pid {ProcessId}) is recycled ({Reason}): a fresh one takes its place as soon as it is ready.")]
    public static partial void WorkerRecycled(this ILogger logger, string worker, int? processId, Supervision.RecycleReason reason);

    [LoggerMessage(23, LogLevel.Warning, "A fresh worker could not be started to recycle {Worker} (pid {ProcessId}); the old one goes on.")]
    public static partial void RecycleFailed(this ILogger logger, Exception exception, string worker, int? processId);

    [LoggerMessage(25, LogLevel.Debug, "Call {Call} of {EntryPoint} goes back to the queue: worker {Worker} (pid {ProcessId}) died before it had begun, by its own account.")]
    public static partial void CallReturned(this ILogger logger, long call, string entryPoint, string worker, int? processId);

    [LoggerMessage(27, LogLevel.Warning, "The plugin of worker {Worker} (pid {ProcessId}) threw while it was disposed: {Message}")]
    public static partial void DisposeThrew(this ILogger logger, string worker, int? processId, string message);

    [LoggerMessage(26, LogLevel.Information, "Pool {Pool} is reset: every slot may start workers again.")]
    public static partial void PoolReset(this ILogger logger, string pool);

    [LoggerMessage(31, LogLevel.Error, "A posted call of {EntryPoint} failed, and there is no onError to tell.")]
    public static partial void PostFailed(this ILogger logger, Exception exception, string entryPoint);

    [LoggerMessage(EventId = 34, Message = "{Worker}: [{Category}] {Message}")]
    private static partial void PluginLine(this ILogger logger, LogLevel level, string worker, string category, string message);

    /// <summary>A line of a plugin's own log; its level is what the plugin says.</summary>
    public static void PluginLogged(this ILogger logger, string worker, int level, string category, string message, string exception)
    {
        var text = exception.Length > 0 ? $"{message}\n{exception}" : message;
        var severity = (LogLevel)Math.Clamp(level, (int)LogLevel.Trace, (int)LogLevel.Critical);
        logger.PluginLine(severity, worker, category.Length > 0 ? category : "plugin", text);
    }

    [LoggerMessage(32, LogLevel.Error, "A progress handler threw. The call goes on.")]
    public static partial void ProgressThrew(this ILogger logger, Exception exception);

    [LoggerMessage(CallRetriedId, LogLevel.Warning, "Call {Call} of {EntryPoint} is made again ({Retry} of {Retries}): worker {Worker} (pid {ProcessId}) died while executing it, and it is idempotent.")]
    public static partial void CallRetried(this ILogger logger, long call, string entryPoint, string worker, int? processId, int retry, int retries);

    [LoggerMessage(30, LogLevel.Error, "A callback of {EntryPoint} threw. The pool goes on.")]
    public static partial void CallbackThrew(this ILogger logger, Exception exception, string entryPoint);

    [LoggerMessage(35, LogLevel.Information, "Plugin {Plugin}: {Change}; {Digest} serves.")]
    public static partial void PluginChanged(this ILogger logger, string plugin, PluginChangeKind change, string digest);

    [LoggerMessage(36, LogLevel.Error, "Plugin {Plugin} is broken: {Consequence}.")]
    public static partial void PluginBroken(this ILogger logger, Exception exception, string plugin, string consequence);

    [LoggerMessage(37, LogLevel.Information, "Plugin {Plugin} cannot be taken yet, and is tried again: {Message}")]
    public static partial void PluginNotReadable(this ILogger logger, string plugin, string message);

    [LoggerMessage(38, LogLevel.Error, "The drop folder {Directory} cannot be read, and is tried again. Plugins go on serving.")]
    public static partial void DropFolderNotReadable(this ILogger logger, Exception exception, string directory);

    [LoggerMessage(39, LogLevel.Error, "A handler of PluginCatalog.Changed threw. The catalog goes on.")]
    public static partial void ChangeHandlerThrew(this ILogger logger, Exception exception);

    [LoggerMessage(40, LogLevel.Warning, "Old snapshots cannot be deleted; the store grows.")]
    public static partial void EvictionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(41, LogLevel.Warning, "Changes of {Directory} are not announced; it is looked at every few seconds instead.")]
    public static partial void NotWatched(this ILogger logger, Exception exception, string directory);

    [LoggerMessage(42, LogLevel.Warning, "What worker {Worker} (pid {ProcessId}) uses cannot be read, so that its limits cannot be watched. It is killed.")]
    public static partial void UseNotReadable(this ILogger logger, string worker, int? processId);

    [LoggerMessage(43, LogLevel.Error, "A look at what worker {Worker} (pid {ProcessId}) uses failed. The pool goes on; further failures of this kind are not logged.")]
    public static partial void LookFailed(this ILogger logger, Exception exception, string worker, int? processId);
}
