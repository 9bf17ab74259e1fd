using System.CommandLine;
using System.CommandLine.Parsing;
using ProcessPool.Cli.Input;
using ProcessPool.Text;

namespace ProcessPool.Cli.Commands;

/// <summary>The arguments and options that every verb with a pool has.</summary>
internal sealed class PoolArguments
{
    public Argument<string> Plugin { get; } = new("PLUGIN") { Description = "The plugin's folder, or its DLL." };

    public Argument<string> EntryPoint { get; } = new("ENTRY") { Description = "The entry point's name; IContract.Method for a contract method. 'processpool list' shows them." };

    private Option<WorkerCount> Jobs { get; } = new("--jobs", "-j")
    {
        Description = "How many workers: 4 is four, 0.5 or 50% is half of the processors, -1 is one for each.",
        CustomParser = result => Parse(result, text =>
        {
            try
            {
                return WorkerCount.Parse(text);
            }
            catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentOutOfRangeException)
            {
                return null;
            }
        }, WorkerCount.All, "is not a number of workers: give a number such as 4, a share such as 0.5 or 50%, or -1 for all."),
        DefaultValueFactory = _ => WorkerCount.All,
    };

    private Option<string[]> Environment { get; } = new("--env")
    {
        Description = "Set K=V in the sandboxes' environment; {worker} and {pool} are filled in. Repeatable.",
        HelpName = "K=V",
        AllowMultipleArgumentsPerToken = false,
        Validators =
        {
            result =>
            {
                foreach (var token in result.Tokens.Where(token => token.Value.IndexOf('=', StringComparison.Ordinal) <= 0))
                {
                    result.AddError($"--env '{token.Value}' is not of the form K=V.");
                }
            },
        },
    };

    private Option<string> Gpu { get; } = AcceptOnly(new Option<string>("--gpu") { Description = "Whether plugins may use GPUs.", DefaultValueFactory = _ => "off" }, "off", "on");

    private Option<TimeSpan?> CallTimeout { get; } = new("--timeout")
    {
        Description = "How long one call may take: 500ms, 3s, 2m (default: no limit).",
        HelpName = "TIME",
        CustomParser = result => Parse(result, Duration.TryParse, TimeSpan.Zero, "is not a duration: give 500ms, 3s, 2m or 1h."),
    };

    private ConfinementOptions Confinement { get; } = new();

    private Option<bool> Debug { get; } = new("--debug") { Description = "Run the plugin inside this process, for a debugger: no isolation." };

    public void AddTo(Command command)
    {
        command.Add(Plugin);
        command.Add(EntryPoint);
        command.Add(Jobs);
        command.Add(Environment);
        command.Add(Gpu);
        command.Add(CallTimeout);
        Confinement.AddTo(command);
        command.Add(Debug);
    }

    public SandboxPoolOptions Read(ParseResult parsed)
    {
        var confinement = Confinement.Read(parsed);
        var options = new SandboxPoolOptions
        {
            Plugin = parsed.GetRequiredValue(Plugin),
            Workers = parsed.GetValue(Jobs),
            Gpu = parsed.GetValue(Gpu) == "on" ? GpuAccess.On : GpuAccess.Off,
            CallTimeout = parsed.GetValue(CallTimeout),
            Confinement = confinement,
            Debug = parsed.GetValue(Debug),
            // One line after the other may be bad: each costs itself, and the rest is still worth doing.
            Restart = new RestartPolicy { MaxRestarts = 50, MaxDelay = TimeSpan.FromSeconds(1) },
            // Relative paths in arguments mean what they mean in the shell; a plugin that cannot see that folder gets one of its own.
            WorkingDirectory = confinement.Level < ConfinementLevel.Restricted || confinement.ReadablePaths.Concat(confinement.WritablePaths).Any(IsAtOrAboveCurrent) ? System.Environment.CurrentDirectory : null,
            Logger = new StandardErrorLogger(),
        };
        foreach (var pair in parsed.GetValue(Environment) ?? [])
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            options.Environment[pair[..equals]] = pair[(equals + 1)..];
        }

        return options;
    }

    private static bool IsAtOrAboveCurrent(string path) =>
        $"{System.Environment.CurrentDirectory}/".StartsWith($"{Path.TrimEndingDirectorySeparator(path).TrimEnd('/')}/", StringComparison.Ordinal);

    private static Option<string> AcceptOnly(Option<string> option, params string[] values)
    {
        option.AcceptOnlyFromAmong(values);
        return option;
    }

    private static T Parse<T>(ArgumentResult result, Func<string, T?> parse, T otherwise, string fault)
        where T : struct
    {
        var text = result.Tokens is [var token] ? token.Value : "";
        if (parse(text) is { } value)
        {
            return value;
        }

        result.AddError($"'{text}' {fault}");
        return otherwise;
    }
}
