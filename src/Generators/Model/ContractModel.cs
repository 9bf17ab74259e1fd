namespace ProcessPool.Generators.Model;

/// <summary>Everything that the proxy of a contract depends on, as text: nothing of it keeps a compilation alive.</summary>
/// <param name="Key">The same for all ways of writing the same type.</param>
/// <param name="Identifier">Names the proxy and its file; two contracts may have the same.</param>
/// <param name="Type">The contract, as C#.</param>
/// <param name="Methods">Its methods, those of base interfaces included.</param>
internal sealed record ContractModel(string Key, string Identifier, string Type, EquatableArray<MethodModel> Methods);
