using Microsoft.Extensions.Options;

namespace ProcessPool.Hosting;

/// <summary>Asks the options of one pool for their faults.</summary>
internal sealed class PoolOptionsValidator(string pool) : IValidateOptions<SandboxPoolOptions>
{
    public ValidateOptionsResult Validate(string? name, SandboxPoolOptions options)
    {
        if (name != pool)
        {
            return ValidateOptionsResult.Skip;
        }

        var faults = options.Validate();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.Select(fault => $"{(pool.Length == 0 ? "Sandbox pool" : $"Sandbox pool '{pool}'")}: {fault}"));
    }
}
