using System.Reflection;
using ProcessPool.Binding;
using ProcessPool.Binding.Contracts;

namespace ProcessPool.Plugins;

/// <summary>Compares the host's contract with the plugin's, which is read from metadata.</summary>
internal static class ContractComparison
{
    /// <summary>Refuses a contract of which the plugin lacks a method, or has it with another signature. What the plugin has besides is fine.</summary>
    /// <exception cref="PluginLoadException">They differ; the message has both signatures of every method that does.</exception>
    public static void RefuseDifferences(Type contract, PluginInfo plugin)
    {
        var open = contract.IsGenericType ? contract.GetGenericTypeDefinition() : contract;
        ContractRules.RefuseUnsupported(open);
        var faults = ContractRules.Members(open).OfType<MethodInfo>().Select(method => Fault(method, plugin)).OfType<string>().ToList();
        if (faults.Count > 0)
        {
            throw new PluginLoadException(
                LoadStage.Contract,
                plugin.EntryAssembly,
                $"{plugin.Name} does not implement {TypeNames.Of(contract)} as this program knows it:{Environment.NewLine}{string.Join(Environment.NewLine, faults)}{Environment.NewLine}" +
                "Build the plugin and this program with the same version of the contract.");
        }
    }

    private static string? Fault(MethodInfo method, PluginInfo plugin)
    {
        var host = EntryPointInfo.Of(ContractRules.EntryPoint(method), method);
        var found = plugin.EntryPoints.FirstOrDefault(entryPoint => entryPoint.Name == host.Name);
        if (found is null)
        {
            var same = plugin.EntryPoints.Where(entryPoint => entryPoint.Name.StartsWith(host.Name.Split('.')[0] + '.', StringComparison.Ordinal)).Select(entryPoint => $"{Environment.NewLine}    {entryPoint}").ToList();
            return $"  this program has    {host}{Environment.NewLine}  the plugin has none{(same.Count > 0 ? ", but" + string.Concat(same) : " of this contract")}";
        }

        return Fits(host, found) ? null : $"  this program has    {host}{Environment.NewLine}  the plugin has      {found}";
    }

    // Arguments go by position: names do not matter, and the plugin may have further optional parameters.
    private static bool Fits(EntryPointInfo host, EntryPointInfo plugin) =>
        host.ReturnType == plugin.ReturnType
        && host.Parameters.Count <= plugin.Parameters.Count
        && host.Parameters.Zip(plugin.Parameters).All(pair => pair.First.Type == pair.Second.Type)
        && plugin.Parameters.Skip(host.Parameters.Count).All(parameter => parameter.IsOptional);
}
