using ProcessPool.Generators.Rules;

namespace ProcessPool.Generators.Model;

/// <summary>A method of a contract.</summary>
/// <param name="Declaration">What stands before the parameters: return type, interface and name, as C#.</param>
/// <param name="EntryPoint">The entry point's name, as a C# literal.</param>
/// <param name="Returns">How it gives back what the plugin answers.</param>
/// <param name="Result">What that is, as C#, or null.</param>
/// <param name="Parameters">Its parameters.</param>
internal sealed record MethodModel(string Declaration, string EntryPoint, ReturnKind Returns, string? Result, EquatableArray<ParameterModel> Parameters);
