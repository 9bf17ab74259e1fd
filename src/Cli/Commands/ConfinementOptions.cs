using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using ProcessPool.Text;

namespace ProcessPool.Cli.Commands;

/// <summary>What the sandboxes of a verb may do.</summary>
internal sealed class ConfinementOptions
{
    private static readonly Dictionary<string, ConfinementPolicy> Levels = new(StringComparer.OrdinalIgnoreCase)
    {
        ["none"] = ConfinementPolicy.None,
        ["limits"] = ConfinementPolicy.Limits,
        ["restricted"] = ConfinementPolicy.Restricted,
        ["strict"] = ConfinementPolicy.Strict,
    };

    private readonly Option<string> _level = new("--confine")
    {
        Description = "How far plugins are confined: none, limits, restricted (no foreign files, network, programs), strict. 'processpool doctor' shows what this machine can enforce.",
        HelpName = "LEVEL",
        DefaultValueFactory = _ => "limits",
    };

    private readonly Option<string[]> _read = Paths("--allow-read", "Let confined plugins read a file or folder. Repeatable.");
    private readonly Option<string[]> _write = Paths("--allow-write", "Let confined plugins read and write a file or folder. Repeatable.");
    private readonly Option<bool> _network = new("--allow-net") { Description = "Let confined plugins use the network." };
    private readonly Option<long?> _memory = Size("--memory", "How much private memory each sandbox gets: 512M, 2G (at least 128M).");
    private readonly Option<long?> _scratch = Size("--scratch", "How much the files in each sandbox's scratch folder may hold: 1G.");
    private readonly Option<int?> _threads = Parsed<int>("--threads", "N", "How many threads each sandbox may have (at least 64).", "a number of threads: give 100", text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null);
    private readonly Option<double?> _cpus = Parsed<double>("--cpus", "RATE", "How many processors' time each sandbox gets: 0.5. Needs a control group of its own: see 'processpool doctor'.", "a number of processors: give 0.5 or 2", text => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) ? rate : null);

    public ConfinementOptions() => _level.Validators.Add(result =>
    {
        if (result.Tokens.Count > 0 && !Levels.ContainsKey(result.Tokens[0].Value))
        {
            result.AddError($"'{result.Tokens[0].Value}' is not a level: give {string.Join(", ", Levels.Keys)}.");
        }
    });

    public void AddTo(Command command)
    {
        command.Add(_level);
        command.Add(_read);
        command.Add(_write);
        command.Add(_network);
        command.Add(_memory);
        command.Add(_threads);
        command.Add(_cpus);
        command.Add(_scratch);
    }

    /// <summary>Whether the command line says anything of it.</summary>
    public bool IsGiven(CommandResult result) => new Option[] { _level, _read, _write, _network, _memory, _threads, _cpus, _scratch }.Any(option => result.GetResult(option) is { Implicit: false });

    public ConfinementPolicy Read(ParseResult parsed) => Levels[parsed.GetValue(_level)!] with
    {
        ReadablePaths = [.. (parsed.GetValue(_read) ?? []).Select(Path.GetFullPath)],
        WritablePaths = [.. (parsed.GetValue(_write) ?? []).Select(Path.GetFullPath)],
        Weakenings = parsed.GetValue(_network) ? [Weakening.Network] : [],
        MemoryLimit = parsed.GetValue(_memory),
        MaxThreads = parsed.GetValue(_threads),
        CpuRate = parsed.GetValue(_cpus),
        MaxScratchBytes = parsed.GetValue(_scratch),
    };

    private static Option<long?> Size(string name, string description) => Parsed<long>(name, "SIZE", description, "a size: give 512M or 2G", ByteSize.TryParse);

    private static Option<T?> Parsed<T>(string name, string shape, string description, string expected, Func<string, T?> parse)
        where T : struct => new(name)
        {
            Description = description,
            HelpName = shape,
            CustomParser = result =>
            {
                if (parse(result.Tokens[0].Value) is { } value)
                {
                    return value;
                }

                result.AddError($"'{result.Tokens[0].Value}' is not {expected}.");
                return null;
            },
        };

    private static Option<string[]> Paths(string name, string description)
    {
        var option = new Option<string[]>(name) { Description = description, HelpName = "PATH", AllowMultipleArgumentsPerToken = false };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => token.Value.Length == 0 || token.Value.Contains('\0')))
            {
                result.AddError($"{name} has an empty path: give a file or a folder.");
            }
        });
        return option;
    }
}
