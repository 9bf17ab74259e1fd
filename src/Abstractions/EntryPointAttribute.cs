namespace ProcessPool;

/// <summary>
/// Makes a public static method, or a class that implements a contract interface, callable through a sandbox pool.
/// </summary>
/// <remarks>
/// <para>On a method: the method is called by <see cref="Name"/>, or by its own name when none is given. It may be synchronous or
/// return <see cref="Task"/>, <see cref="Task{TResult}"/>, <see cref="ValueTask"/> or <see cref="ValueTask{TResult}"/>.
/// Arguments and result are anything System.Text.Json can serialize; <c>byte[]</c>, <see cref="ReadOnlyMemory{T}"/> of
/// byte and <see cref="Stream"/> travel as raw bytes. Optional parameters keep their defaults. A parameter of type
/// <see cref="CancellationToken"/> or <see cref="IPluginContext"/> is supplied by the sandbox and does not count as one.</para>
/// <para>On a class: one instance is made in each worker, by its public constructor (none, or one <see cref="IPluginContext"/>
/// parameter). The methods of every interface it implements, but for those of the base class library, are called
/// <c>IContract.Method</c>.</para>
/// <para>A worker runs one call at a time, so entry points need no locks against each other.</para>
/// </remarks>
/// <example><code>
/// [EntryPoint]
/// public static long Square(long value) => checked(value * value);
/// </code></example>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class, Inherited = false)]
public sealed class EntryPointAttribute : Attribute
{
    /// <summary>Names the entry point after its method, or after the contract's methods.</summary>
    public EntryPointAttribute()
    {
    }

    /// <summary>Names the entry point explicitly. Has no effect on a class.</summary>
    /// <param name="name">The name callers use; unique within the plugin, case-sensitive.</param>
    public EntryPointAttribute(string name) => Name = name;

    /// <summary>The explicit name, or null when the method's own name is used.</summary>
    public string? Name { get; }
}
