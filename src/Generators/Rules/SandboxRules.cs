using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>Members of the framework that mean something else in a sandbox than in a program.</summary>
internal static class SandboxRules
{
    private const string NoInput = "standard input is closed in a sandbox, so there is nothing to read. Take what is to be read as an argument";
    private const string EndsWorker = "it ends the worker, and with it the call fails as if the plugin had crashed. Throw an exception instead";

    /// <summary>What comes of a member, and what to do; null when it is as good in a sandbox as elsewhere.</summary>
    public static string? Check(ISymbol member) => (member.ContainingType?.ToDisplayString(), member.Name) switch
    {
        ("System.Console", "Read" or "ReadLine" or "ReadKey" or "In" or "KeyAvailable" or "OpenStandardInput") => NoInput,
        ("System.Environment", "Exit" or "FailFast") => EndsWorker,
        _ => null,
    };
}
