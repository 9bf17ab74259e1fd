using System.Runtime.InteropServices;
using ProcessPool.Cli.Input;

namespace ProcessPool.Cli.Joblog;

/// <summary>What earlier runs did, by the joblog and by the output where that is a file of ours. Five bytes for each line of input.</summary>
/// <param name="path">The joblog's path, for errors.</param>
internal sealed class MapHistory(string path)
{
    private readonly List<uint> _checks = [];
    private readonly List<State> _states = [];

    [Flags]
    private enum State : byte
    {
        None = 0,
        Succeeded = 1,
        Written = 2,
        Kept = 4,
    }

    /// <summary>How many lines of input have an outcome in the joblog, at least; the last of them has.</summary>
    public long Lines { get; private set; }

    /// <summary>Set when the output is a file of ours: only what is in it counts.</summary>
    public bool HasOutput { get; set; }

    /// <summary>The joblog has an outcome.</summary>
    public void Add(long index, bool succeeded, uint check)
    {
        ref var state = ref StateOf(index);
        _checks[(int)index] = check;
        Lines = Math.Max(Lines, index + 1);
        state |= succeeded ? State.Succeeded : State.None;
    }

    /// <summary>The output has a success.</summary>
    public void AddWritten(long index)
    {
        if (index < Lines)
        {
            StateOf(index) |= State.Written;
        }
    }

    /// <summary>Whether a success in the output is to stay: the joblog has it too, and it is the first.</summary>
    public bool Keep(long index)
    {
        if (!IsDone(index) || _states[(int)index].HasFlag(State.Kept))
        {
            return false;
        }

        StateOf(index) |= State.Kept;
        return true;
    }

    /// <summary>Refuses an output that has nothing of what the joblog says was written to it.</summary>
    /// <param name="output">Its path.</param>
    /// <exception cref="UsageException">It is another's, or gone.</exception>
    public void RequireOutput(string output)
    {
        if (_states.Any(state => state.HasFlag(State.Succeeded)) && !_states.Any(state => state.HasFlag(State.Succeeded | State.Written)))
        {
            throw new UsageException($"'{path}' says that results were written to '{output}', and there are none: it was emptied, moved or replaced. Put it back; or delete the joblog and the output, and do all anew.");
        }
    }

    /// <summary>Whether there is nothing left to do for a line.</summary>
    public bool IsDone(long index) =>
        index < _states.Count && _states[(int)index] is var state && state.HasFlag(State.Succeeded) && (!HasOutput || state.HasFlag(State.Written));

    /// <summary>Refuses a line that is not the one an earlier run read.</summary>
    /// <exception cref="UsageException">It is another.</exception>
    public void RequireSame(long index, InputLine line)
    {
        if (index < Lines && _checks[(int)index] is not 0 and var check && check != line.Check())
        {
            throw new UsageException(
                $"Line {line.Number} of the input is not what it was when '{path}' was written. Give the input of that run; or delete the joblog and the output, and do all anew.");
        }
    }

    /// <summary>Refuses an input that ends before what earlier runs read.</summary>
    /// <param name="lines">How many lines it has.</param>
    /// <exception cref="UsageException">It is shorter.</exception>
    public void RequireEnd(long lines)
    {
        if (lines < Lines)
        {
            throw new UsageException(
                $"The input has {lines} lines, and '{path}' has the outcome of line {Lines} (blank ones do not count). Give the input of that run; or delete the joblog and the output, and do all anew.");
        }
    }

    private ref State StateOf(long index)
    {
        if (index >= _states.Count)
        {
            CollectionsMarshal.SetCount(_states, (int)index + 1);
            CollectionsMarshal.SetCount(_checks, (int)index + 1);
        }

        return ref CollectionsMarshal.AsSpan(_states)[(int)index];
    }
}
