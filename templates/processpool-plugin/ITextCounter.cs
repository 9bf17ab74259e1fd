namespace CompanyPlugin;

/// <summary>
/// A contract: a host calls it with <c>pool.GetProxy&lt;ITextCounter&gt;()</c>. Host and plugin each have their own copy: give this file to the host, or
/// move it to a project that both reference.
/// </summary>
public interface ITextCounter
{
    /// <summary>Counts the characters of a text, and of all texts before it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    Task<long> AddAsync(string text, CancellationToken cancellationToken);
}
