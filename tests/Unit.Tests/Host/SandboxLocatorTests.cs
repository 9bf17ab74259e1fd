using ProcessPool.Launch;

namespace ProcessPool.Unit.Tests.Host;

public sealed class SandboxLocatorTests
{
    private static readonly string[] Everywhere =
        ["/said/ProcessPool.Sandbox.dll", "/app/processpool/ProcessPool.Sandbox.dll", "/cache/pool/lib/net10.0/processpool/ProcessPool.Sandbox.dll", "/cache/pool/processpool/ProcessPool.Sandbox.dll"];

    [Fact]
    public void The_sandbox_is_where_the_variable_says_then_beside_the_program_then_beside_the_library_then_in_its_package()
    {
        Assert.Equal(Everywhere[0], Find("/said", Everywhere));
        Assert.Equal(Everywhere[0], Find("/said/ProcessPool.Sandbox.dll", Everywhere));
        Assert.Equal(Everywhere[1..], Enumerable.Range(1, 3).Select(first => Find(null, Everywhere[first..])));
    }

    [Fact]
    public void Where_there_is_none_every_place_is_named_and_what_to_do() =>
        Assert.Equal(
            "The sandbox program ProcessPool.Sandbox.dll is missing. Looked in: /app/processpool, /cache/pool/lib/net10.0/processpool, /cache/pool/processpool. "
            + "A build puts it into 'processpool' beside every program that references ProcessPool: build or publish it again, and copy that folder too; or let PROCESSPOOL_SANDBOX_PATH name the folder.",
            Assert.Throws<WorkerStartException>(() => Find("", [])).Message);

    [Fact]
    public void What_the_variable_says_is_not_replaced_by_another_place() =>
        Assert.StartsWith(
            "The sandbox program is missing: PROCESSPOOL_SANDBOX_PATH says /elsewhere, and /elsewhere/ProcessPool.Sandbox.dll is not there.", Assert.Throws<WorkerStartException>(() => Find("/elsewhere", Everywhere)).Message);

    private static string Find(string? said, IEnumerable<string> files) => SandboxLocator.Find(said, "/app/", "/cache/pool/lib/net10.0", files.Contains, new FaultSite("pool"));
}
