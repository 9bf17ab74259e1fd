namespace ProcessPool.Cli.Joblog;

/// <summary>The joblog cannot be written any more.</summary>
internal sealed class JoblogException(string message, Exception inner) : IOException(message, inner);
