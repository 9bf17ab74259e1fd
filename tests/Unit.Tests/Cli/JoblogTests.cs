using System.Buffers;
using System.Text;
using ProcessPool.Cli;
using ProcessPool.Cli.Input;
using ProcessPool.Cli.Joblog;
using ProcessPool.Cli.Output;

namespace ProcessPool.Unit.Tests.Cli;

public sealed class JoblogTests : IDisposable
{
    private static readonly JoblogRun Run = new("P", "sha256:1", "Square", Raw: false, "/out");
    private readonly string _folder = Directory.CreateTempSubdirectory("processpool-joblog-").FullName;

    private string LogPath => Path.Combine(_folder, "log");

    private string OutputPath => Path.Combine(_folder, "out");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_record_is_a_line_that_begins_with_the_columns_of_gnu_parallel_and_can_be_read_again()
    {
        var buffer = new ArrayBufferWriter<byte>();
        new JoblogRecord(880, DateTimeOffset.FromUnixTimeMilliseconds(1_795_794_474_603), 20.0625, 12, 34, 0, 11, 901, 3, "crash", 0xabc).WriteTo(buffer, "Square");
        var line = Encoding.UTF8.GetString(buffer.WrittenSpan);
        Assert.Equal("881\t:\t1795794474.603\t    20.063\t12\t34\t0\t11\tSquare\t901\t3\tcrash\t00000abc\n", line);
        Assert.Equal(JoblogRecord.Columns.Split('\t').Length, line.Split('\t').Length);
        Assert.True(JoblogRecord.TryRead(buffer.WrittenSpan[..^1], out var record));
        Assert.Equal((880L, false, 0xabcu), record);
    }

    [Fact]
    public void What_was_written_is_read_and_the_last_outcome_of_a_line_counts()
    {
        Write(Record(0), Record(1, "crash"), Record(2, "timeout"), Record(1));
        using var log = JoblogFile.Open(LogPath);
        var history = new MapHistory(LogPath);
        Assert.Equal(Run, log.Read(history));
        Assert.Equal((3, true, true, false, false), (history.Lines, history.IsDone(0), history.IsDone(1), history.IsDone(2), history.IsDone(3)));
    }

    [Fact]
    public void A_torn_last_line_is_cut_off_wherever_it_was_torn()
    {
        Write(Record(0), Record(1));
        var whole = File.ReadAllBytes(LogPath);
        var last = whole.AsSpan(0, whole.Length - 1).LastIndexOf((byte)'\n') + 1;
        for (var length = last; length < whole.Length; length++)
        {
            File.WriteAllBytes(LogPath, whole[..length]);
            using var log = JoblogFile.Open(LogPath);
            var history = new MapHistory(LogPath);
            log.Read(history);
            Assert.Equal((last, 1), (new FileInfo(LogPath).Length, history.Lines));
        }

        File.WriteAllBytes(LogPath, whole[..10]);
        using var young = JoblogFile.Open(LogPath);
        Assert.True(young.IsEmpty, "Expected a torn first line to count as none.");
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("")]
    [InlineData("1\t:\t1\t1\t1\t1\t0\t0\tSquare\t1\t1\tok\t0000000")]
    [InlineData("0\t:\t1\t1\t1\t1\t0\t0\tSquare\t1\t1\tok\t00000001")]
    [InlineData("99999999999\t:\t1\t1\t1\t1\t0\t0\tSquare\t1\t1\tok\t00000001")]
    [InlineData("# processpool joblog 1 {}")]
    [InlineData("# processpool joblog 2 {\"plugin\":\"P\"}")]
    public void A_line_that_is_none_is_an_error_with_its_number(string line)
    {
        Write(Record(0));
        File.AppendAllText(LogPath, $"{line}\n");
        using var log = JoblogFile.Open(LogPath);
        Assert.Contains("Line 4 of the joblog", Assert.Throws<UsageException>(() => log.Read(new MapHistory(LogPath))).Message);
    }

    [Fact]
    public void What_is_no_joblog_is_refused_and_left_as_it_is()
    {
        File.WriteAllText(LogPath, "my thesis\nunfinished");
        Assert.Contains("is no joblog", Assert.Throws<UsageException>(() => JoblogFile.Open(LogPath)).Message);
        Assert.Equal("my thesis\nunfinished", File.ReadAllText(LogPath));
    }

    [Fact]
    public void A_joblog_in_use_says_so()
    {
        using var log = JoblogFile.Open(LogPath);
        Assert.Contains("in use", Assert.Throws<UsageException>(() => JoblogFile.Open(LogPath)).Message);
    }

    [Fact]
    public void Another_entry_point_another_plugin_another_output_and_another_content_are_refused()
    {
        AssertRefused("is of P Cube", Run with { EntryPoint = "Cube" });
        AssertRefused("is of Q Square", Run with { Plugin = "Q" });
        AssertRefused("--raw", Run with { Raw = true });
        AssertRefused("into standard output", Run with { Output = "-" });
        AssertRefused("--allow-changed-plugin", Run with { Digest = "sha256:2" });
        Run.RequireSame(Run with { Digest = "sha256:2" }, "log", allowChangedPlugin: true);
        Run.RequireSame(Run, "log", allowChangedPlugin: false);

        static void AssertRefused(string why, JoblogRun earlier) => Assert.Contains(why, Assert.Throws<UsageException>(() => Run.RequireSame(earlier, "log", allowChangedPlugin: false)).Message);
    }

    [Fact]
    public void Another_line_of_input_is_refused_by_its_number_and_so_is_a_shorter_input()
    {
        var history = new MapHistory("log");
        history.Add(1, succeeded: true, new InputLine(3, "7").Check());
        history.RequireSame(0, new InputLine(1, "never seen before"));
        history.RequireSame(1, new InputLine(3, "7"));
        Assert.Contains("Line 3 of the input", Assert.Throws<UsageException>(() => history.RequireSame(1, new InputLine(3, "8"))).Message);
        history.RequireEnd(2);
        Assert.Contains("has 1 lines", Assert.Throws<UsageException>(() => history.RequireEnd(1)).Message);
    }

    [Fact]
    public void Checks_tell_lines_apart_by_each_of_their_characters()
    {
        const string Line = "{\"path\":\"/data/000017.jpg\"}";
        var checks = Enumerable.Range(0, Line.Length).Select(at => new InputLine(1, Line.Remove(at, 1).Insert(at, "~")).Check()).Append(new InputLine(1, Line).Check()).Append(new InputLine(1, Line + "~").Check());
        Assert.Equal(Line.Length + 2, checks.Distinct().Count());
    }

    [Fact]
    public void Of_the_output_stays_what_the_joblog_has_too_each_line_once_without_errors()
    {
        const string Done = "{\"index\":0,\"value\":0}\n{\"index\":3,\"value\":\"{\\\"index\\\":1}\"}\n";
        File.WriteAllText(OutputPath, """
            {"index":0,"value":0}
            {"index":1,"error":{"kind":"crash"}}
            {"index":3,"value":"{\"index\":1}"}
            {"index":0,"value":0}
            {"index":9,"value":0}
            {"index":2,"val
            """);
        Assert.Equal(Done, Kept(Record(0), Record(1, "crash"), Record(3)));
        Assert.Equal(Done, Kept(Record(0), Record(1, "crash"), Record(3)));
        Assert.Equal(["out"], Directory.GetFiles(_folder).Select(Path.GetFileName));
        Assert.Equal("{\"index\":0,\"value\":0}\n", Kept(Record(0)));
        Assert.Equal("", Kept());
    }

    [Fact]
    public void An_output_that_has_nothing_of_what_the_joblog_says_is_refused_and_one_that_lacks_some_is_not()
    {
        File.WriteAllText(OutputPath, "");
        Assert.Contains("there are none", Assert.Throws<UsageException>(() => Kept(Record(0), Record(1))).Message);
        File.WriteAllText(OutputPath, "{\"index\":1,\"value\":0}\n");
        Assert.Equal("{\"index\":1,\"value\":0}\n", Kept(Record(0), Record(1)));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("{\"index\":x,\"value\":1}")]
    [InlineData("{\"index\":-1,\"value\":1}")]
    [InlineData("{\"value\":1}")]
    public void An_output_of_something_else_is_refused(string line)
    {
        File.WriteAllText(OutputPath, $"{{\"index\":0,\"value\":0}}\n{line}\n");
        Assert.Contains("Line 2 of", Assert.Throws<UsageException>(() => Kept(Record(0))).Message);
    }

    [Fact]
    public void An_output_is_sorted_by_the_input()
    {
        var large = new string('x', 3_000_000);
        File.WriteAllText(OutputPath, $"{{\"index\":2,\"value\":\"{large}\"}}\n{{\"index\":0,\"value\":0}}\n{{\"index\":1,\"error\":{{}}}}\n");
        using (var output = OutputFile.Open(OutputPath, resume: true))
        {
            output.Sort();
            output.Sort();
        }

        Assert.Equal(["{\"index\":0,\"value\":0}", "{\"index\":1,\"error\":{}}", $"{{\"index\":2,\"value\":\"{large}\"}}"], File.ReadAllLines(OutputPath));
    }

    private static JoblogRecord Record(long index, string outcome = JoblogRecord.Succeeded) => new(index, DateTimeOffset.UnixEpoch, 0, 1, 1, 0, 0, index + 1, 1, outcome, 7);

    private void Write(params JoblogRecord[] records)
    {
        using var log = JoblogFile.Open(LogPath);
        log.Begin(Run);
        foreach (var record in records)
        {
            log.Add(record);
        }

        log.Flush();
    }

    private string Kept(params JoblogRecord[] records)
    {
        var history = new MapHistory(LogPath) { HasOutput = true };
        foreach (var record in records)
        {
            history.Add(record.Index, record.Outcome == JoblogRecord.Succeeded, record.Check);
        }

        using (var output = OutputFile.Open(OutputPath, resume: true))
        {
            output.Read(history);
            history.RequireOutput(OutputPath);
            output.KeepDone(history);
            Assert.Equal(output.Stream.Length, output.Stream.Position);
        }

        return File.ReadAllText(OutputPath);
    }
}
