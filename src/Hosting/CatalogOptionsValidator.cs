using Microsoft.Extensions.Options;

namespace ProcessPool.Hosting;

/// <summary>Asks a catalog's options for their faults.</summary>
internal sealed class CatalogOptionsValidator : IValidateOptions<PluginCatalogOptions>
{
    public ValidateOptionsResult Validate(string? name, PluginCatalogOptions options)
    {
        var faults = options.Validate();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.Select(fault => $"Plugin catalog: {fault}"));
    }
}
