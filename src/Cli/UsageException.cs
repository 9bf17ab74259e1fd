namespace ProcessPool.Cli;

/// <summary>What was asked for cannot be done as it was asked. The message is all the user sees of it: what is wrong, and what to do.</summary>
internal sealed class UsageException(string message) : Exception(message);
