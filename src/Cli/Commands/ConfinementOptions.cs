using System.CommandLine;
using System.CommandLine.Parsing;
using ProcessPool.Cli.Input;

namespace ProcessPool.Cli.Commands;

/// <summary>What the sandboxes of a verb may do.</summary>
internal sealed class ConfinementOptions
{
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
    private readonly Option<int?> _threads = new("--threads") { Description = "How many threads each sandbox may have (at least 64).", HelpName = "N" };
    private readonly Option<double?> _cpus = new("--cpus") { Description = "How many processors' time each sandbox gets: 0.5. Needs a control group of its own: see 'processpool doctor'.", HelpName = "RATE" };

    public ConfinementOptions() => _level.AcceptOnlyFromAmong("none", "limits", "restricted", "strict");

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

    public ConfinementPolicy Read(ParseResult parsed) => LevelOf(parsed.GetValue(_level)!) with
    {
        ReadablePaths = [.. (parsed.GetValue(_read) ?? []).Select(Path.GetFullPath)],
        WritablePaths = [.. (parsed.GetValue(_write) ?? []).Select(Path.GetFullPath)],
        Weakenings = parsed.GetValue(_network) ? [Weakening.Network] : [],
        MemoryLimit = parsed.GetValue(_memory),
        MaxThreads = parsed.GetValue(_threads),
        CpuRate = parsed.GetValue(_cpus),
        MaxScratchBytes = parsed.GetValue(_scratch),
    };

    private static ConfinementPolicy LevelOf(string name) => name switch
    {
        "none" => ConfinementPolicy.None,
        "restricted" => ConfinementPolicy.Restricted,
        "strict" => ConfinementPolicy.Strict,
        _ => ConfinementPolicy.Limits,
    };

    private static Option<long?> Size(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SIZE",
        CustomParser = result =>
        {
            if (ByteSize.TryParse(result.Tokens[0].Value) is { } size)
            {
                return size;
            }

            result.AddError($"'{result.Tokens[0].Value}' is not a size: give 512M or 2G.");
            return null;
        },
    };

    private static Option<string[]> Paths(string name, string description) => new(name) { Description = description, HelpName = "PATH", AllowMultipleArgumentsPerToken = false };
}
