namespace ProcessPool;

/// <summary>
/// Optional: makes the instances of classes with <see cref="EntryPointAttribute"/>, in place of their constructors. A plugin has at most one class that
/// implements it, public, with a constructor without parameters; the package ProcessPool.Plugin has one for dependency injection.
/// It owns what it makes: when the worker ends it is disposed (<see cref="IAsyncDisposable"/> or <see cref="IDisposable"/>), its instances are not.
/// </summary>
public interface IPluginActivator
{
    /// <summary>Makes an instance. Called once for each class, before the first call.</summary>
    /// <param name="type">The class with the attribute.</param>
    /// <param name="context">The worker's context.</param>
    object Create(Type type, IPluginContext context);
}
