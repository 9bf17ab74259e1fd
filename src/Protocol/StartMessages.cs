using ProcessPool.Protocol.Transport;

namespace ProcessPool.Protocol;

/// <summary>The first message on the control channel.</summary>
/// <param name="ProtocolVersion">The host's <see cref="WireLimits.ProtocolVersion"/>.</param>
/// <param name="PoolName">For <c>IPluginContext</c>.</param>
/// <param name="WorkerName">For <c>IPluginContext</c>.</param>
/// <param name="WorkerIndex">For <c>IPluginContext</c>.</param>
/// <param name="EntryAssembly">The absolute path of the plugin's entry assembly.</param>
/// <param name="MaxMessageBytes">The frame cap of both directions.</param>
/// <param name="ScratchDirectory">For <c>IPluginContext</c>.</param>
/// <param name="Settings">For <c>IPluginContext</c>.</param>
internal sealed record InitializeRequest(
    int ProtocolVersion, string PoolName, string WorkerName, int WorkerIndex, string EntryAssembly, int MaxMessageBytes,
    string ScratchDirectory = "", Dictionary<string, string>? Settings = null)
{
    public const byte Tag = 13;

    public void Write(WireWriter writer)
    {
        writer.Int32(ProtocolVersion);
        writer.String(PoolName);
        writer.String(WorkerName);
        writer.Int32(WorkerIndex);
        writer.String(EntryAssembly);
        writer.Int32(MaxMessageBytes);
        writer.String(ScratchDirectory);
        writer.List(Settings ?? [], (to, setting) =>
        {
            to.String(setting.Key);
            to.String(setting.Value);
        });
    }

    public static InitializeRequest Read(ref WireReader reader) => new(
        reader.Int32(), reader.String(), reader.String(), reader.Int32(), reader.String(), reader.Int32(), reader.String(),
        ReadSettings(ref reader));

    private static Dictionary<string, string> ReadSettings(ref WireReader reader)
    {
        var settings = new Dictionary<string, string>();
        foreach (var (name, value) in reader.List((ref WireReader from) => (from.String(), from.String())))
        {
            settings[name] = value;
        }

        return settings;
    }
}

/// <summary>A line of a plugin's log.</summary>
/// <param name="Level">A <c>PluginLogLevel</c>.</param>
/// <param name="Category">Who says so; "" is the plugin.</param>
/// <param name="Message">The text.</param>
/// <param name="Exception">What was thrown, as text, or "".</param>
internal sealed record PluginLogEntry(int Level, string Category, string Message, string Exception)
{
    public const byte Tag = 14;

    /// <summary>The call whose code said so; 0: none.</summary>
    public long CallId { get; init; }

    /// <summary>The event's number.</summary>
    public int EventId { get; init; }

    /// <summary>The event's name, or "".</summary>
    public string EventName { get; init; } = "";

    /// <summary>What the text was made of.</summary>
    public TagMessage[] Properties { get; init; } = [];

    /// <summary>What it was said in, from the outside in.</summary>
    public LogScopeMessage[] Scopes { get; init; } = [];

    public void Write(WireWriter writer)
    {
        writer.Int32(Level);
        writer.String(Category);
        writer.String(Message);
        writer.String(Exception);
        writer.Int64(CallId);
        writer.Int32(EventId);
        writer.String(EventName);
        TagMessage.WriteAll(writer, Properties);
        writer.List(Scopes, LogScopeMessage.Write);
    }

    public static PluginLogEntry Read(ref WireReader reader) => new(reader.Int32(), reader.String(), reader.String(), reader.String())
    {
        CallId = reader.Int64(),
        EventId = reader.Int32(),
        EventName = reader.String(),
        Properties = TagMessage.ReadAll(ref reader),
        Scopes = reader.List(LogScopeMessage.Read, WireLimits.MaxLogScopes),
    };
}

/// <summary>A scope of a log entry.</summary>
/// <param name="Text">As text.</param>
/// <param name="Properties">What it is made of.</param>
internal sealed record LogScopeMessage(string Text, TagMessage[] Properties)
{
    public static void Write(WireWriter writer, LogScopeMessage scope)
    {
        writer.String(scope.Text);
        TagMessage.WriteAll(writer, scope.Properties);
    }

    public static LogScopeMessage Read(ref WireReader reader) => new(reader.String(), TagMessage.ReadAll(ref reader));
}

/// <summary>The answer: the plugin is ready, or why not.</summary>
/// <param name="ProtocolVersion">The sandbox's <see cref="WireLimits.ProtocolVersion"/>.</param>
/// <param name="FailedStage">The stage that was not reached, or null when ready.</param>
/// <param name="Error">Why, when <paramref name="FailedStage"/> is set.</param>
/// <param name="LoadReport">What was found and what not, when <paramref name="FailedStage"/> is set and it got that far.</param>
internal sealed record InitializeReply(int ProtocolVersion, StartStage? FailedStage, RemoteError? Error, LoadReportMessage? LoadReport = null)
{
    public const byte Tag = 15;

    private const byte NoStage = byte.MaxValue;

    public void Write(WireWriter writer)
    {
        writer.Int32(ProtocolVersion);
        writer.Byte((byte?)FailedStage ?? NoStage);
        writer.Optional(Error, RemoteError.Write);
        writer.Optional(LoadReport, (to, report) => report.Write(to));
    }

    public static InitializeReply Read(ref WireReader reader) => new(
        reader.Int32(), reader.Byte() is var stage and not NoStage ? (StartStage)stage : null, RemoteError.ReadOptional(ref reader), reader.Optional(LoadReportMessage.Read));
}

/// <summary>The steps of the handshake, in order.</summary>
internal enum StartStage
{
    /// <summary>The process runs and its control channel answers.</summary>
    Started = 0,

    /// <summary>The plugin's files and load lists are known.</summary>
    Resolved = 1,

    /// <summary>The entry assembly is loaded.</summary>
    Loaded = 2,

    /// <summary>Entry points are bound and contract classes constructed and initialized.</summary>
    Activated = 3,

    /// <summary>Calls are accepted.</summary>
    Ready = 4,
}
