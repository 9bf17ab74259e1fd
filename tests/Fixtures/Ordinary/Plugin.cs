using ProcessPool;

namespace Ordinary;

/// <summary>What ordinary .NET code does, and expects to work.</summary>
public static class Plugin
{
    /// <summary>"ok", or the exception's name and message, for each thing.</summary>
    [EntryPoint]
    public static async Task<Dictionary<string, string>> RunAsync(IPluginContext context)
    {
        var ends = new Dictionary<string, string>();
        foreach (var (name, run) in Files.All(context.ScratchDirectory).Concat(Computing.All()).Concat(Machine.All()))
        {
            try
            {
                await run();
                ends[name] = "ok";
            }
            catch (Exception exception)
            {
                ends[name] = $"{exception.GetType().Name}: {exception.Message.Split('\n')[0]}";
            }
        }

        return ends;
    }
}
