using System.Text.Json;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>The plugins of the repository do their work, and say what is wrong with input that they cannot use.</summary>
public sealed class RealPluginUseTests(RealPlugins plugins) : IClassFixture<RealPlugins>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("processpool-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Thumbnails_keep_the_aspect_of_the_image_and_its_transparency()
    {
        Pools.SkipWhenConfined("writes files outside of its folder");
        var pool = await plugins.PoolAsync("Thumbnails");
        var image = await pool.InvokeAsync<byte[]>("Draw", [300, 100]);
        Assert.Equal((300, 100), Images.SizeOf(image));
        var thumbnail = await pool.InvokeAsync<byte[]>("Create", [image, 60]);
        Assert.Equal((60, 20), Images.SizeOf(thumbnail));
        Assert.Equal((60, 20), Images.SizeOf(await pool.InvokeAsync<byte[]>("Create", [thumbnail, 10_000])));
        Assert.True(Images.IsPng(await pool.InvokeAsync<byte[]>("Create", [Images.TransparentPixel, 10])));

        var (source, target) = (Path.Combine(_folder, "image.png"), Path.Combine(_folder, "thumbnail.jpg"));
        await File.WriteAllBytesAsync(source, image);
        await pool.InvokeAsync("CreateFileAsync", [source, target, 30]);
        Assert.Equal((30, 10), Images.SizeOf(await File.ReadAllBytesAsync(target)));
        Assert.Equal([source, target], Directory.GetFiles(_folder).Order());
    }

    [Theory]
    [InlineData("Create", """["bm8gaW1hZ2U=",10]""", "System.IO.InvalidDataException", "8 bytes are not an image")]
    [InlineData("Create", """["",10]""", "System.IO.InvalidDataException", "0 bytes are not an image")]
    [InlineData("Create", """["",0]""", "System.ArgumentOutOfRangeException", "1 to 10,000 pixels")]
    [InlineData("Draw", "[10001,1]", "System.ArgumentOutOfRangeException", "1 to 10,000 pixels")]
    [InlineData("CreateFileAsync", """["/no/such/file","/no/such/target",10]""", "System.IO.DirectoryNotFoundException", "/no/such/file")]
    public Task What_is_no_image_or_no_size_is_refused(string entryPoint, string arguments, string type, string message) =>
        RefusedAsync("Thumbnails", entryPoint, arguments, type, message);

    [Fact]
    public async Task Scripts_use_what_they_are_given_and_return_text_or_JSON()
    {
        var pool = await plugins.PoolAsync("CSharpScript");
        Assert.Equal("10", await EvaluateAsync("var n = (int)Globals[\"n\"]; return Enumerable.Range(1, n).Sum();", new { n = 4 }));
        Assert.Equal("plain", await EvaluateAsync("await Task.FromResult(\"plain\")"));
        Assert.Equal("""{"A":1,"B":[0.5]}""", await EvaluateAsync("new { A = 1, B = new[] { 0.5 } }"));
        Assert.Equal("null", await EvaluateAsync("var unused = Globals == null;"));
        Assert.Equal("System.Int32", await EvaluateAsync("typeof(int)"));

        Task<string> EvaluateAsync(string code, object? globals = null) => pool.InvokeAsync<string>("EvaluateAsync", [code, globals]);
    }

    [Theory]
    [InlineData("""["var a = 1;\nreturn a + b;"]""", "Microsoft.CodeAnalysis.Scripting.CompilationErrorException", "Line 2, column 12: CS0103: The name 'b' does not exist")]
    [InlineData("""["throw new TimeoutException(\"on purpose\");"]""", "System.TimeoutException", "on purpose")]
    public Task A_script_that_is_wrong_says_where_or_what_it_threw(string arguments, string type, string message) =>
        RefusedAsync("CSharpScript", "EvaluateAsync", arguments, type, message);

    [Fact]
    public async Task Rows_of_a_query_come_as_a_stream_with_columns_by_name()
    {
        Pools.SkipWhenConfined("writes files outside of its folder");
        var pool = await plugins.PoolAsync("SqliteQuery");
        var database = Path.Combine(_folder, "people.db");
        Assert.Equal(3, await pool.InvokeAsync<int>("Execute", [database, "create table people(name text, age, photo); insert into people values ('Ada', 36, x'0102'), ('Bob', null, null), ('Cy', 1.5, null)"]));
        var people = await pool.StreamAsync<Dictionary<string, JsonElement>>("QueryAsync", [database, "select * from people where name <> $1 order by name", (object[])["Bob"]]).ToListAsync();
        Assert.Equal(["""{"name":"Ada","age":36,"photo":"AQI="}""", """{"name":"Cy","age":1.5,"photo":null}"""], people.Select(row => JsonSerializer.Serialize(row)));
        var many = pool.StreamAsync<Dictionary<string, long>>("QueryAsync", [database, Numbers.UpTo(20_000)]);
        Assert.Equal(20_000L * 20_001 / 2, await many.Select(row => row["i"]).SumAsync());
    }

    [Fact]
    public async Task A_query_that_computes_without_an_end_is_interrupted_when_its_reader_leaves_and_its_worker_lives_on()
    {
        var options = Pools.Options(Path.Combine(Repository.Plugins, "SqliteQuery"));
        options.CancelGrace = TestTime.Limit;
        await using var pool = await SandboxPool.StartAsync(options).Within("the pool starts");
        var before = await pool.MeasureAsync<int>("Execute", [":memory:", "create table t(a)"]);
        using var leaving = new CancellationTokenSource();
        var rows = pool.StreamAsync<Dictionary<string, long>>("QueryAsync", [":memory:", Numbers.FirstOfEndless(2_000)], options: null, leaving.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReadAsync().Within("the query is interrupted"));
        Assert.Equal(before.ProcessId, (await pool.MeasureAsync<int>("Execute", [":memory:", "create table t(a)"]).Within("the worker is free")).ProcessId);

        async Task ReadAsync()
        {
            await foreach (var row in rows)
            {
                await leaving.CancelAsync();
            }
        }
    }

    [Theory]
    [InlineData("""["/no/such/file","select 1"]""", "Microsoft.Data.Sqlite.SqliteException", "unable to open")]
    [InlineData("""[":memory:","selec 1"]""", "Microsoft.Data.Sqlite.SqliteException", "near \"selec\": syntax error")]
    [InlineData("""[":memory:","create table t(a)"]""", "Microsoft.Data.Sqlite.SqliteException", "readonly")]
    [InlineData("""[":memory:","select 1 as a, 2 as a"]""", "System.ArgumentException", "more than one column 'a'")]
    [InlineData("""[":memory:","select $1",[[]]]""", "System.ArgumentException", "Parameter $1 is Array")]
    public Task A_query_that_cannot_run_says_why(string arguments, string type, string message) => RefusedAsync("SqliteQuery", "QueryAsync", arguments, type, message);

    [Fact]
    public async Task Equations_eigenvalues_and_fits_are_computed()
    {
        var pool = await plugins.PoolAsync("Numerics");
        var solution = await pool.InvokeAsync<double[]>("Solve", CallArguments.FromJson("[[[2,1],[1,3]],[3,5]]"));
        Assert.Equal([0.8, 1.4], solution, (expected, actual) => Math.Abs(expected - actual) < 1e-12);
        Assert.Equal("""[{"real":0,"imaginary":1},{"real":0,"imaginary":-1}]""", await JsonAsync("Eigenvalues", "[[[0,1],[-1,0]]]"));
        Assert.Equal("""{"intercept":1,"slope":2}""", await JsonAsync("LinearFit", "[[0,1,2],[1,3,5]]"));

        async Task<string> JsonAsync(string entryPoint, string arguments) => (await pool.InvokeAsync<JsonElement>(entryPoint, CallArguments.FromJson(arguments))).GetRawText();
    }

    [Theory]
    [InlineData("Solve", "[[[1,2,3],[4,5,6],[7,8,9]],[1,2,3]]", "singular")]
    [InlineData("Solve", "[[[1,2],[3]],[1,2]]", "row 2 of 2 has 1 numbers")]
    [InlineData("Solve", "[[[1,2],[3,4]],[1]]", "Expected 2 numbers")]
    [InlineData("Solve", """[[[1,"NaN"],[3,4]],[1,2]]""", "none of them infinite or NaN")]
    [InlineData("Eigenvalues", "[[[1,2]]]", "row 1 of 1 has 2 numbers")]
    [InlineData("Eigenvalues", "[[]]", "at least one row")]
    [InlineData("LinearFit", "[[1,1],[1,2]]", "two different x")]
    public Task Numbers_without_a_result_are_refused(string entryPoint, string arguments, string message) =>
        RefusedAsync("Numerics", entryPoint, arguments, "System.ArgumentException", message);

    private async Task RefusedAsync(string plugin, string entryPoint, string arguments, string type, string message)
    {
        var pool = await plugins.PoolAsync(plugin);
        var refused = await Assert.ThrowsAsync<PluginCallException>(() => pool.InvokeAsync<JsonElement>(entryPoint, CallArguments.FromJson(arguments)).Within("the call is refused"));
        Assert.Equal(type, refused.Error.Type);
        Assert.Contains(message, refused.Error.Message);
    }
}
