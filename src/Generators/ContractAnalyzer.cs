using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using ProcessPool.Generators.Rules;

namespace ProcessPool.Generators;

/// <summary>Says while the host is written what <c>GetProxy</c> would say when it runs.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ContractAnalyzer : DiagnosticAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => Descriptors.All;

    public override void Initialize(AnalysisContext context)
    {
        // A page or a view is generated code that somebody wrote.
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            // A contract is used in many places, and each of its lines is wrong once.
            var said = new ConcurrentDictionary<Location, bool>();
            start.RegisterSyntaxNodeAction(node => Report(node, said), SyntaxKind.GenericName);
        });
    }

    private static void Report(SyntaxNodeAnalysisContext context, ConcurrentDictionary<Location, bool> said)
    {
        if (!ContractUse.MayBe(context.Node) || ContractUse.Find(context.Node, context.SemanticModel, context.CancellationToken) is not { } contract)
        {
            return;
        }

        foreach (var fault in ContractRules.Check(contract))
        {
            var written = fault.Member is ITypeSymbol ? null : fault.Member.Locations.FirstOrDefault(location => location.SourceTree is { } tree && context.Compilation.ContainsSyntaxTree(tree));
            if (written is null || said.TryAdd(written, true))
            {
                context.ReportDiagnostic(FaultMessage.For(fault, contract, written ?? context.Node.GetLocation(), context.Compilation));
            }
        }
    }
}
