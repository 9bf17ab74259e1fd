using ProcessPool.Cli.Input;
using ProcessPool.Cli.Joblog;
using ProcessPool.Cli.Output;

namespace ProcessPool.Cli.Map;

/// <summary>One run of a map: its files, and what is done with them in which order.</summary>
internal sealed class MapWork : IDisposable
{
    private readonly MapOptions _options;
    private readonly LineReader _input;
    private readonly OutputFile? _file;
    private readonly JoblogFile? _joblog;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly MapTally _tally;
    private MapHistory? _history;
    private JoblogRun? _run;

    private MapWork(MapOptions options, LineReader input, OutputFile? file, JoblogFile? joblog)
    {
        (_options, _input, _file, _joblog) = (options, input, file, joblog);
        _tally = new MapTally(_time, () => input.Fraction);
        options.Pool.Logger = new StandardErrorLogger(_tally.WorkerEnded);
    }

    /// <summary>Opens the files. Nothing in them is changed yet, but for a torn last line of the joblog.</summary>
    /// <exception cref="UsageException">One cannot be opened, or they do not go together.</exception>
    public static MapWork Open(MapOptions options)
    {
        LineReader? input = null;
        OutputFile? file = null;
        JoblogFile? joblog = null;
        try
        {
            RequireDifferent(options);
            input = LineReader.Open(options.Input);
            file = options.Output == "-" ? null : OutputFile.Open(options.Output, options.Resume);
            joblog = options.Joblog is null ? null : JoblogFile.Open(options.Joblog);
            if (joblog is { IsEmpty: false } && !options.Resume)
            {
                throw new UsageException($"'{options.Joblog}' is the joblog of an earlier run: add --resume to go on with it, or delete it to do all anew.");
            }

            if (joblog is { IsEmpty: true } && options.Resume && file?.HasContent == true)
            {
                throw new UsageException($"'{options.Joblog}' is no joblog of an earlier run, but '{options.Output}' has something in it, which would be lost. Give the joblog that belongs to it, or delete the output.");
            }

            return new MapWork(options, input, file, joblog);
        }
        catch
        {
            input?.Dispose();
            file?.Dispose();
            joblog?.Dispose();
            throw;
        }
    }

    /// <summary>Looks whether the entry point may be called so, and reads what earlier runs did.</summary>
    /// <exception cref="UsageException">It may not, or they did something else.</exception>
    public void Prepare(PluginInfo plugin, EntryPointInfo entryPoint)
    {
        if (_options.Retries > 0 && !entryPoint.IsIdempotent && !_options.Idempotent)
        {
            throw new UsageException(
                $"--retries: {PluginText.Clean(entryPoint.Name)} is not marked [Idempotent], and a call that failed half way may have had effects. Mark it in the plugin, or say --idempotent if making it again does no harm.");
        }

        if (_joblog is null)
        {
            return;
        }

        var output = _file is { IsKept: true } ? Path.GetFullPath(_options.Output) : "-";
        _run = new JoblogRun(PluginText.Clean(plugin.Name), plugin.ComputeDigest(), entryPoint.Name, _options.Raw, output);
        if (_joblog.IsEmpty)
        {
            return;
        }

        _history = new MapHistory(_joblog.Path) { HasOutput = output != "-" };
        _run.RequireSame(_joblog.Read(_history), _joblog.Path, _options.AllowChangedPlugin);
        if (_history.HasOutput)
        {
            _file!.Read(_history);
            _history.RequireOutput(_options.Output);
        }
    }

    /// <summary>Makes the calls.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(SandboxPool pool, EntryPointInfo entryPoint, Interrupt interrupt)
    {
        if (_history is not null && _input.CanSeek)
        {
            await RequireSameInputAsync(_history, interrupt.Drain);
        }

        if (_history is null)
        {
            _file?.Clear();
        }
        else if (_history.HasOutput)
        {
            _file!.KeepDone(_history);
        }

        _joblog?.Begin(_run!);
        using var output = _file is null ? OutcomeWriter.OpenStandardOutput() : new OutcomeWriter(_file.Stream);
        try
        {
            await MapProgress.RunAsync(_tally, _options.Progress, _time, () => WriteAllAsync(pool, entryPoint, output, interrupt));
            if (_history is { HasOutput: true } && _options.KeepOrder)
            {
                _file!.Sort();
            }
        }
        catch (IOException exception) when (_file is null && Failure.IsReaderGone(exception))
        {
            return ExitCode.ReaderGone;
        }
        catch (Exception)
        {
            await WriteSummaryAsync();
            throw;
        }

        await WriteSummaryAsync();
        return _tally.Failed == 0 ? ExitCode.Succeeded : ExitCode.SomeFailed;
    }

    public void Dispose()
    {
        _input.Dispose();
        _file?.Dispose();
        _joblog?.Dispose();
    }

    private async Task WriteAllAsync(SandboxPool pool, EntryPointInfo entryPoint, OutcomeWriter output, Interrupt interrupt)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interrupt.Kill);
        var calls = new MapCalls(pool, entryPoint, _options, interrupt.Drain);
        await using var outcomes = calls.RunAsync(ItemsAsync(interrupt), stop.Token).GetAsyncEnumerator(CancellationToken.None);
        while (true)
        {
            var next = outcomes.MoveNextAsync().AsTask();
            try
            {
                // Whoever reads the output must not wait for a full buffer while there is nothing more to write.
                if (!next.IsCompletedSuccessfully || !next.Result || _joblog is { IsFull: true })
                {
                    Flush(output);
                }

                if (!await next)
                {
                    return;
                }

                Write(output, outcomes.Current);
            }
            catch (Exception)
            {
                // Nobody takes the output any more: what runs is for nothing, and may never end by itself. An iterator must not be disposed of while it runs.
                await stop.CancelAsync();
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw;
            }
        }
    }

    // Before anything is changed. An input that comes once is compared while it is read.
    private async Task RequireSameInputAsync(MapHistory history, CancellationToken drain)
    {
        using var input = LineReader.Open(_options.Input);
        var index = 0L;
        await foreach (var line in input.ReadAsync(drain))
        {
            if (index == history.Lines)
            {
                break;
            }

            history.RequireSame(index++, line);
        }

        if (!drain.IsCancellationRequested)
        {
            history.RequireEnd(index);
        }
    }

    private async IAsyncEnumerable<MapItem> ItemsAsync(Interrupt interrupt)
    {
        var index = 0L;
        await foreach (var line in _input.ReadAsync(interrupt.Drain))
        {
            _history?.RequireSame(index, line);
            if (_history?.IsDone(index) == true)
            {
                _tally.Skip();
            }
            else
            {
                _tally.Begin();
                yield return new MapItem(index, line, _time.GetUtcNow());
            }

            index++;
        }

        if (!interrupt.Drain.IsCancellationRequested)
        {
            _history?.RequireEnd(index);
        }
    }

    private void Write(OutcomeWriter output, MapOutcome outcome)
    {
        var error = output.Write(outcome);
        _tally.Count(outcome, error);
        _joblog?.Add(JoblogRecord.Of(outcome, error, output.LastLength, _time.GetUtcNow()));
    }

    // In this order: what the joblog has, the output has.
    private void Flush(OutcomeWriter output)
    {
        output.Flush();
        _joblog?.Flush();
        _tally.Written();
    }

    private async Task WriteSummaryAsync()
    {
        foreach (var line in _tally.Summary(Rerun()))
        {
            await Console.Error.WriteLineAsync(line);
        }
    }

    private string Rerun() => _joblog is null
        ? "With --joblog FILE, a run can be gone on with: --resume makes only those calls that failed or were never made."
        : $"To make only those again: {CommandLine.Of(Environment.GetCommandLineArgs().Skip(1), "--resume")}";

    private static void RequireDifferent(MapOptions options)
    {
        var files = new[] { (options.Input, "the input"), (options.Output, "the output"), (options.Joblog ?? "-", "the joblog") }.Where(file => file.Item1 is not "-" and not "").Select(file => (Path: Resolved(file.Item1), What: file.Item2)).ToList();
        foreach (var (first, second) in files.SelectMany((first, at) => files.Skip(at + 1).Select(second => (first, second))).Where(pair => pair.first.Path == pair.second.Path))
        {
            throw new UsageException($"'{first.Path}' is {first.What}: it cannot be {second.What} too.");
        }
    }

    private static string Resolved(string path)
    {
        try
        {
            return OwnFile.Resolved(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException(exception.Message);
        }
    }
}
