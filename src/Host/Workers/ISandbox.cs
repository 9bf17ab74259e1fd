using ProcessPool.Launch;
using ProcessPool.Protocol;
using ProcessPool.Protocol.Transport;

namespace ProcessPool.Workers;

/// <summary>A running sandbox program, wherever it runs: two channels, and its end.</summary>
internal interface ISandbox : IAsyncDisposable
{
    int? ProcessId { get; }

    Stream Control { get; }

    Stream Calls { get; }

    /// <summary>The same as pipes, where it is: Linux, in a process of its own.</summary>
    RawPipe? CallsPipe { get; }

    /// <summary>The exit code, when the sandbox is gone and its last output was read. Never fails.</summary>
    Task<int> Exited { get; }

    bool HasExited { get; }

    OutputTail StandardError { get; }

    /// <summary>A folder of its own, deleted with it.</summary>
    string ScratchDirectory { get; }

    /// <summary>What was achieved of the pool's policy.</summary>
    /// <param name="proof">What the sandbox has tried; null below Restricted.</param>
    /// <exception cref="FormatException">It is no proof.</exception>
    ConfinementReport Examine(string? proof);

    /// <summary>What it says it is executing; null when that is unknown.</summary>
    RecorderMark? ReadMark();

    /// <summary>Takes large attachments; null where there is none.</summary>
    Mailbox? Mailbox { get; }

    /// <summary>Gives what is in the mailbox back to the system.</summary>
    void EmptyMailbox();

    /// <summary>Frames of replies that it finished and had not sent when it died.</summary>
    byte[] ReadOutbox();

    /// <summary>What its process uses; null when it has ended, or there is none. <see cref="ProcessUse.Unreadable"/> when it lives and does not show it.</summary>
    ProcessUse? ReadUse();

    /// <summary>The processor time that its process has used; null when it has ended, or there is none.</summary>
    TimeSpan? ReadProcessorTime();

    /// <summary>The bytes of the files in its scratch folder, as far as they have been counted when there are more than enough.</summary>
    long ReadScratch(long enough);

    /// <summary>Ends it and its descendants at once.</summary>
    void Kill();
}
