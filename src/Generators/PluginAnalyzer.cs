using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using ProcessPool.Generators.Rules;

namespace ProcessPool.Generators;

/// <summary>Says while a plugin is written what the loader would say, and what would happen in a sandbox.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class PluginAnalyzer : DiagnosticAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => PluginDescriptors.All;

    public override void Initialize(AnalysisContext context)
    {
        // The loader does not ask who wrote an entry point.
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (start.Compilation.GetTypesByMetadataName("ProcessPool.EntryPointAttribute").IsEmpty)
            {
                return;
            }

            start.RegisterSymbolAction(ReportUncallable, SymbolKind.Method, SymbolKind.NamedType);
            if (start.Compilation.Options.OutputKind is OutputKind.DynamicallyLinkedLibrary)
            {
                // A program may have both: entry points, and a console of its own. Asked for only where something is suspicious.
                var isPlugin = new Lazy<bool>(() => HasEntryPoint(start.Compilation.Assembly.GlobalNamespace));
                start.RegisterOperationAction(operation => ReportUse(operation, isPlugin), OperationKind.Invocation, OperationKind.PropertyReference, OperationKind.MethodReference);
            }
        });
    }

    private static void ReportUncallable(SymbolAnalysisContext context)
    {
        if (IsMarked(context.Symbol) && EntryPointRules.Check(context.Symbol) is var (fault, advice))
        {
            context.ReportDiagnostic(Diagnostic.Create(PluginDescriptors.NotCallable, context.Symbol.Locations[0], NameOf(context.Symbol), fault, advice));
        }
    }

    private static void ReportUse(OperationAnalysisContext context, Lazy<bool> isPlugin)
    {
        ISymbol used = context.Operation switch
        {
            IInvocationOperation invocation => invocation.TargetMethod,
            var reference => ((IMemberReferenceOperation)reference).Member,
        };
        if (SandboxRules.Check(used) is { } consequence && context.Operation.Parent is not INameOfOperation && isPlugin.Value)
        {
            context.ReportDiagnostic(Diagnostic.Create(PluginDescriptors.NotInSandbox, context.Operation.Syntax.GetLocation(), NameOf(used), consequence));
        }
    }

    private static bool HasEntryPoint(INamespaceOrTypeSymbol container) => container.GetMembers().Any(member =>
        member is IMethodSymbol && IsMarked(member) || member is INamedTypeSymbol && IsMarked(member) || member is INamespaceOrTypeSymbol inner && HasEntryPoint(inner));

    private static bool IsMarked(ISymbol symbol) => symbol.GetAttributes().Any(attribute => attribute.AttributeClass is { } type && Known.IsEntryPoint(type));

    private static string NameOf(ISymbol symbol) => symbol is INamedTypeSymbol type ? Text.Of(type) : Text.NameOf(symbol);
}
