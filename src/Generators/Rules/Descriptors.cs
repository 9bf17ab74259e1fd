using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>What a contract cannot say. The same rules hold at run time, where <c>GetProxy</c> throws.</summary>
internal static class Descriptors
{
    public static readonly DiagnosticDescriptor NotAsynchronous = New(
        "PP001", "A contract's methods return a task or IAsyncEnumerable<T>", "{0} returns {1}, which cannot cross a process boundary: {2}");

    public static readonly DiagnosticDescriptor Overload = New(
        "PP002", "A contract has no overloads", "{0} is an overload, and entry points are told apart by name only: {2}");

    public static readonly DiagnosticDescriptor Property = New(
        "PP003", "A contract has no properties", "{0} is a property, which cannot be awaited: {2}");

    public static readonly DiagnosticDescriptor Event = New(
        "PP004", "A contract has no events", "{0} is an event, which cannot cross a process boundary: {2}");

    public static readonly DiagnosticDescriptor Generic = New(
        "PP005", "A contract has no generic methods", "{0} is generic, and the plugin is not told its type arguments: for each type {2}");

    public static readonly DiagnosticDescriptor ByReference = New(
        "PP006", "A contract's parameters are values", "{0} takes '{1}' by reference, and the plugin gets a copy: {2}");

    public static readonly DiagnosticDescriptor Tokens = New(
        "PP007", "A contract's methods take one CancellationToken at most", "{0} takes more than one CancellationToken, and a call is cancelled by one: {2}");

    public static readonly DiagnosticDescriptor NotInterface = New(
        "PP008", "A contract is an interface", "{0} is not an interface, and only an interface can stand for what runs in another process: {2}");

    public static readonly DiagnosticDescriptor StackOnly = New(
        "PP009", "A contract's parameters can leave the stack", "{0} takes '{1}', which cannot leave this process's memory: {2}");

    public static readonly DiagnosticDescriptor NotPublic = New(
        "PP010", "A contract's members are public", "{0} is {1}, and a plugin answers public methods only: {2}");

    public static readonly ImmutableArray<DiagnosticDescriptor> All =
        ImmutableArray.Create(NotAsynchronous, Overload, Property, Event, Generic, ByReference, Tokens, NotInterface, StackOnly, NotPublic);

    // {0} is the member, {1} what is wrong with it, {2} what to write instead.
    private static DiagnosticDescriptor New(string id, string title, string message) =>
        new(id, title, message, "Contracts", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
