using GreetingPlugin.Contract;
using Microsoft.Extensions.Logging;
using ProcessPool;

namespace GreetingPlugin;

/// <summary>Made by dependency injection: it asks for what it needs in its constructor.</summary>
[EntryPoint]
public sealed partial class Greeter(PhraseBook phrases, ILogger<Greeter> logger) : IGreeter
{
    /// <inheritdoc/>
    public Task<string> GreetAsync(string name, CancellationToken cancellationToken)
    {
        Greeting(logger, name);
        return Task.FromResult($"{phrases.Salutation}, {name}!");
    }

    [LoggerMessage(LogLevel.Information, "Greeting {Name}.")]
    private static partial void Greeting(ILogger logger, string name);
}
