using ProcessPool;

namespace CompanyPlugin;

/// <summary>The contract's implementation: one instance in each worker, which runs one call at a time.</summary>
/// <param name="context">The sandbox that it runs in.</param>
[EntryPoint]
public sealed class TextCounter(IPluginContext context) : ITextCounter
{
    private long _characters;

    /// <inheritdoc/>
    public Task<long> AddAsync(string text, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(text);
        _characters += text.Length;
        context.Log(PluginLogLevel.Debug, $"{_characters} characters so far");
        return Task.FromResult(_characters);
    }
}
