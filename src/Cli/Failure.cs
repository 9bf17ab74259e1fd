namespace ProcessPool.Cli;

/// <summary>What a verb could not go on after: a message on standard error and an exit code. No verb ends with a stack trace for what its user, a plugin or the machine has done.</summary>
internal static class Failure
{
    /// <summary>Says what has happened.</summary>
    /// <returns>The exit code; null: it is a fault of this program.</returns>
    public static int? Tell(Exception exception)
    {
        var (message, code) = exception switch
        {
            // Only a signal cancels.
            OperationCanceledException => ("", ExitCode.Interrupted),
            PluginLoadException or WorkerStartException or ConfinementException or CallRejectedException => (exception.Message, ExitCode.CannotStart),
            SandboxPoolException => (exception.Message, ExitCode.SomeFailed),
            UsageException => (exception.Message, ExitCode.Usage),
            // Without the name of a parameter, which means nothing on a command line.
            ArgumentException => (exception.Message.Split(" (Parameter '")[0], ExitCode.Usage),
            IOException gone when IsReaderGone(gone) => ("", ExitCode.ReaderGone),
            UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException => (exception.Message, ExitCode.SomeFailed),
            IOException => ($"Input or output ended early: {exception.Message}", ExitCode.SomeFailed),
            _ => ("", -1),
        };
        if (message.Length > 0)
        {
            Console.Error.WriteLine(message);
        }

        return code < 0 ? null : code;
    }

    /// <summary>Whether nobody reads an output any more.</summary>
    public static bool IsReaderGone(IOException exception) => exception.HResult is 32 or unchecked((int)0x800700E8) or unchecked((int)0x8007006D);
}
