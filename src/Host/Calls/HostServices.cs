using System.Reflection;
using ProcessPool.Binding;
using ProcessPool.Binding.Contracts;
using ProcessPool.Binding.Payload;
using ProcessPool.Binding.Streams;
using ProcessPool.Protocol;

namespace ProcessPool.Calls;

/// <summary>What the host exposes to its plugins: methods of interfaces, and nothing else. Thread-safe.</summary>
internal sealed class HostServices
{
    private readonly Dictionary<string, BoundEntryPoint> _methods = new(StringComparer.Ordinal);

    /// <param name="exposed">The interfaces and who implements them.</param>
    /// <param name="json">The host's JSON.</param>
    public HostServices(IEnumerable<(Type Service, object Implementation)> exposed, PayloadJson json)
    {
        foreach (var (service, implementation) in exposed)
        {
            foreach (var method in ContractRules.Members(service).OfType<MethodInfo>())
            {
                var name = ContractRules.EntryPoint(method);
                _methods.Add(name, new BoundEntryPoint(name, method, implementation, context: null, json));
            }
        }
    }

    /// <summary>Nothing is exposed.</summary>
    public bool IsEmpty => _methods.Count == 0;

    /// <summary>Why an interface cannot be exposed, or null.</summary>
    public static string? Fault(Type service)
    {
        try
        {
            ContractRules.RefuseUnsupported(service);
            return ContractRules.Members(service).OfType<MethodInfo>().FirstOrDefault(method =>
                ContractRules.Result(method.ReturnType) is { Streams: true } || method.GetParameters().Any(parameter => LiveParameter.For(parameter.ParameterType) is not null)) is { } live
                ? $"{service} cannot be exposed: {live.Name} has a stream or a progress handler, which only calls of a plugin can have. Use arrays, or pages of them."
                : null;
        }
        catch (NotSupportedException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Runs one method for a plugin.</summary>
    public async Task<CallReply> CallAsync(CallbackRequest request, CancellationToken cancellationToken)
    {
        if (!_methods.TryGetValue(request.Target, out var method))
        {
            return Callbacks.Refused($"The host does not expose {request.Target}. It has to say so: options.Expose<…>(…).");
        }

        var result = await method.CallAsync(request.Payload, request.Attachments, new HostLink(null), cancellationToken).ConfigureAwait(false);
        var (json, attachments) = method.Write(result);
        return new CallReply(CallStatus.Succeeded, json, attachments, null);
    }
}
