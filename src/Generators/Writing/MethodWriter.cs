using ProcessPool.Generators.Model;
using ProcessPool.Generators.Rules;

namespace ProcessPool.Generators.Writing;

/// <summary>Writes a method of a proxy.</summary>
/// <param name="method">The method.</param>
/// <param name="caller">The name of the proxy's <c>ContractCaller</c>.</param>
/// <param name="types">The name of the field with the types that the method passes.</param>
internal sealed class MethodWriter(MethodModel method, string caller, string types)
{
    private readonly List<ParameterModel> _passed = [.. method.Parameters.Where(parameter => parameter.Role is not (ParameterRole.Token or ParameterRole.Context))];

    /// <summary>The types are the same in every call: the field that keeps them, or null where nothing is passed.</summary>
    public string? Field =>
        _passed.Count == 0 ? null : $"    private static readonly global::System.Type[] {types} = [{List(_passed.Select(parameter => $"typeof({parameter.TypeOf})"))}];";

    public string Method => $"""
            {method.Declaration}({List(method.Parameters.Select(parameter => $"{parameter.Type} {parameter.Name}"))}) =>
                {Call};
        """;

    private string Call => method.Returns switch
    {
        ReturnKind.Task => $"{caller}.InvokeAsync({Arguments})",
        ReturnKind.ValueTask => $"new global::System.Threading.Tasks.ValueTask({caller}.InvokeAsync({Arguments}))",
        ReturnKind.ValueTaskOf => $"new global::System.Threading.Tasks.ValueTask<{method.Result}>({caller}.InvokeAsync<{method.Result}>({Arguments}))",
        ReturnKind.Stream => $"{caller}.StreamAsync<{method.Result}>({Arguments})",
        _ => $"{caller}.InvokeAsync<{method.Result}>({Arguments})",
    };

    private string Arguments =>
        $"{method.EntryPoint}, [{List(_passed.Select(Argument))}], {(_passed.Count == 0 ? "[]" : types)}, {Token ?? "default"}";

    private string? Token => method.Parameters.FirstOrDefault(parameter => parameter.Role == ParameterRole.Token)?.Name;

    private static string Argument(ParameterModel parameter) => parameter.Role switch
    {
        ParameterRole.Stream => $"global::ProcessPool.Generated.ContractCaller.Stream({parameter.Name})",
        ParameterRole.Progress => $"global::ProcessPool.Generated.ContractCaller.Progress({parameter.Name})",
        _ => parameter.Name,
    };

    private static string List(IEnumerable<string> parts) => string.Join(", ", parts);
}
