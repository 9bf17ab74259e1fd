namespace GreetingPlugin.Contract;

/// <summary>Greets.</summary>
public interface IGreeter
{
    /// <summary>Greets somebody.</summary>
    Task<string> GreetAsync(string name, CancellationToken cancellationToken = default);
}
