namespace ProcessPool.Binding;

/// <summary>The arguments do not fit the entry point. The message is for the caller; no plugin code has run.</summary>
internal sealed class ArgumentsRefusedException(string message, Exception? inner = null) : Exception(message, inner);
