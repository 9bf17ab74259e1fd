namespace ProcessPool.Generators.Model;

/// <summary>A parameter of a contract's method.</summary>
/// <param name="Type">Its type, as C#.</param>
/// <param name="Name">Its name, as C#.</param>
/// <param name="TypeOf">Its type as the operand of <c>typeof</c>, which takes no nullable reference type.</param>
/// <param name="Role">What becomes of it.</param>
internal sealed record ParameterModel(string Type, string Name, string TypeOf, ParameterRole Role);

/// <summary>What a proxy does with an argument.</summary>
internal enum ParameterRole
{
    /// <summary>It travels.</summary>
    Argument,

    /// <summary>Its items travel, one by one, while the call executes.</summary>
    Stream,

    /// <summary>What the plugin reports comes back to it.</summary>
    Progress,

    /// <summary>It cancels the call.</summary>
    Token,

    /// <summary>The sandbox supplies its own.</summary>
    Context,
}
