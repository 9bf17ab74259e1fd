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
    private readonly Option<long?> _memory = new("--memory")
    {
        Description = "How much private memory each sandbox gets: 512M, 2G (at least 128M).",
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

    public ConfinementOptions() => _level.AcceptOnlyFromAmong("none", "limits", "restricted", "strict");

    public void AddTo(Command command)
    {
        command.Add(_level);
        command.Add(_read);
        command.Add(_write);
        command.Add(_network);
        command.Add(_memory);
    }

    public ConfinementPolicy Read(ParseResult parsed) => LevelOf(parsed.GetValue(_level)!) with
    {
        ReadablePaths = [.. (parsed.GetValue(_read) ?? []).Select(Path.GetFullPath)],
        WritablePaths = [.. (parsed.GetValue(_write) ?? []).Select(Path.GetFullPath)],
        Weakenings = parsed.GetValue(_network) ? [Weakening.Network] : [],
        MemoryLimit = parsed.GetValue(_memory),
    };

    private static ConfinementPolicy LevelOf(string name) => name switch
    {
        "none" => ConfinementPolicy.None,
        "restricted" => ConfinementPolicy.Restricted,
        "strict" => ConfinementPolicy.Strict,
        _ => ConfinementPolicy.Limits,
    };

    private static Option<string[]> Paths(string name, string description) => new(name) { Description = description, HelpName = "PATH", AllowMultipleArgumentsPerToken = false };
}
