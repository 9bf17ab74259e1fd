using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace ProcessPool.Hosting.Configuration;

/// <summary>What is wrong with the section that the options of a pool were taken from.</summary>
internal sealed class PoolConfigurationValidator(string pool, IConfigurationSection section) : IValidateOptions<SandboxPoolOptions>
{
    public ValidateOptionsResult Validate(string? name, SandboxPoolOptions options)
    {
        if (name != pool)
        {
            return ValidateOptionsResult.Skip;
        }

        var faults = PoolConfiguration.Apply(section, new SandboxPoolOptions());
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
