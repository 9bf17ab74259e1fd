using Microsoft.Extensions.DependencyInjection;
using ProcessPool;

namespace GreetingPlugin;

/// <summary>Registers the plugin's services. The host's settings are in the context.</summary>
public sealed class Startup : PluginStartup
{
    /// <inheritdoc/>
    protected override void ConfigureServices(IServiceCollection services, IPluginContext context) =>
        services.AddSingleton(new PhraseBook(context.Settings.TryGetValue("salutation", out var salutation) ? salutation : "Hello"));
}
