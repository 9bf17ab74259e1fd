using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;

namespace ProcessPool.Unit.Tests.Documentation;

/// <summary>What the code of a page uses and does not declare, by the names that the pages give it. A page that needs something else declares it.</summary>
public abstract class TakenForGranted
{
    protected static string[] args => [];

    protected static HostApplicationBuilder builder => Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();

    protected static WebApplication app => throw new NotSupportedException();

    protected static SandboxPoolOptions options => new();

    protected static SandboxPool pool => throw new NotSupportedException();

    protected static PluginCatalog catalog => throw new NotSupportedException();

    protected static IEnumerable<string> files => [];

    protected static byte[] image => [];

    protected static string user => "";

    protected static IFiles folder => throw new NotSupportedException();
}

public interface IPdfRenderer
{
    Task<byte[]> RenderAsync(string id, CancellationToken cancellationToken);
}

public interface IThumbs
{
    Task<byte[]> CreateAsync(byte[] image, CancellationToken cancellationToken);
}

public interface ISession
{
    Task OpenAsync(string name);
}

public interface IFiles
{
    Task<byte[]> ReadAsync(string name);
}

public static class NativeLibraryThatSometimesCrashes
{
    public static long Measure(string path) => path.Length;
}
