using System.Diagnostics;
using GreetingPlugin.Contract;
using Microsoft.Extensions.Logging;
using ProcessPool;

namespace GreetingPlugin;

/// <summary>Made by dependency injection: it asks for what it needs in its constructor.</summary>
[EntryPoint]
public sealed partial class Greeter(PhraseBook phrases, ILogger<Greeter> logger) : IGreeter
{
    private static readonly Func<ILogger, string, IDisposable?> WithSalutation = LoggerMessage.DefineScope<string>("Salutation:{Salutation}");
    private static readonly ActivitySource Spans = new("GreetingPlugin");

    /// <inheritdoc/>
    public Task<string> GreetAsync(string name, CancellationToken cancellationToken)
    {
        // A scope, and a span of its own: both reach the host, if somebody wants them there.
        using var scope = WithSalutation(logger, phrases.Salutation);
        using var span = Spans.StartActivity("greet")?.SetTag("greeting.length", phrases.Salutation.Length);
        Greeting(logger, name);
        return Task.FromResult($"{phrases.Salutation}, {name}!");
    }

    [LoggerMessage(7, LogLevel.Information, "Greeting {Name}.")]
    private static partial void Greeting(ILogger logger, string name);
}
