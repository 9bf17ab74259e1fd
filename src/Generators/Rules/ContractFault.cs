using Microsoft.CodeAnalysis;

namespace ProcessPool.Generators.Rules;

/// <summary>A rule that a contract breaks.</summary>
/// <param name="Rule">Which.</param>
/// <param name="Member">The member that does, as it was declared; or the type, where it is not an interface.</param>
/// <param name="Detail">What is wrong with it, where the rule alone does not say.</param>
internal sealed record ContractFault(DiagnosticDescriptor Rule, ISymbol Member, string Detail = "");
