using System.IO.Compression;
using System.Reflection;
using System.Xml.Linq;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests;

/// <summary>
/// The packages of this checkout in a feed of their own, and plugin projects that were built from them once, all together. Nothing is taken from or put
/// into the user's folders: packages, templates and projects are in one folder, which is deleted at the end.
/// </summary>
public sealed class PluginSdkFixture : IAsyncLifetime
{
    private const string EntryPoint = "/// <summary>Numbers.</summary>\npublic static class Numbers { /// <summary>Doubles.</summary>\n[ProcessPool.EntryPoint] public static int Double(int value) => 2 * value; }";

    // Everything that a plugin should not set. What a runtime would have to be downloaded for is set for the check alone.
    private const string Wrong = """
        <OutputType>Exe</OutputType><UseAppHost>false</UseAppHost>
        </PropertyGroup>
        <PropertyGroup Condition="'$(MSBuildIsRestoring)' != 'true'"><PublishAot>true</PublishAot><PublishTrimmed>true</PublishTrimmed><PublishSingleFile>true</PublishSingleFile></PropertyGroup>
        <Target Name="Set" BeforeTargets="ProcessPoolCheckProject"><PropertyGroup><SelfContained>true</SelfContained></PropertyGroup></Target>
        <Target Name="Unset" AfterTargets="ProcessPoolCheckProject"><PropertyGroup><SelfContained>false</SelfContained></PropertyGroup></Target>
        <ItemGroup>
          <None Include="*.cs" Link="runtimes/ubuntu.22.04-x64/native/x.so" CopyToOutputDirectory="Always" />
          <None Include="*.cs" Link="runtimes/linux-musl-x64/native/x.so" CopyToOutputDirectory="Always" />
        </ItemGroup>
        <PropertyGroup>
        """;

    // An assembly of nothing, for a framework that would have to be downloaded.
    private const string Old = "<TargetFramework>netstandard2.0</TargetFramework><DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>"
        + "<GenerateAssemblyInfo>false</GenerateAssemblyInfo><GenerateTargetFrameworkAttribute>false</GenerateTargetFrameworkAttribute><NoWarn>CS2008;CS8021</NoWarn>";

    private readonly string _root = Directory.CreateTempSubdirectory("processpool-sdk-").FullName;
    private readonly List<string> _projects = [];

    /// <summary>What the build of all projects said.</summary>
    internal CliResult Build { get; private set; } = null!;

    /// <summary>The drop folder of the project <c>Deployed</c>.</summary>
    internal string DropFolder => Path.Combine(_root, "drop $it's");

    private string PathOf(string package) => Path.Combine(Feed, $"{package}.0.1.0.nupkg");

    private string Feed => Path.Combine(_root, "feed");

    /// <summary>The output of a project.</summary>
    internal string OutputOf(string project) => Path.Combine(_root, project, "bin", "Debug", "net10.0");

    /// <summary>The warnings of a project, each once, without its place.</summary>
    internal IReadOnlyList<string> WarningsOf(string project) =>
        [.. Build.Lines.Where(line => line.Contains(": warning ", StringComparison.Ordinal) && line.EndsWith($"{project}.csproj]", StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf(": warning ", StringComparison.Ordinal) + ": warning ".Length)..line.LastIndexOf(" [", StringComparison.Ordinal)]).Distinct()];

    /// <summary>The files of a package, without those that every package has.</summary>
    internal IReadOnlyList<string> FilesOf(string package)
    {
        using var archive = ZipFile.OpenRead(PathOf(package));
        return [.. archive.Entries.Select(entry => entry.FullName).Where(name => !name.StartsWith("_rels/", StringComparison.Ordinal) && !name.StartsWith("package/", StringComparison.Ordinal) && name != "[Content_Types].xml").Order(StringComparer.Ordinal)];
    }

    /// <summary>The packages that a package depends on.</summary>
    internal IReadOnlyList<string> DependenciesOf(string package) => [.. Dependencies(package).Select(dependency => dependency.Id).Order(StringComparer.Ordinal)];

    /// <summary>The versions of a package that another one takes.</summary>
    internal string RangeOf(string package, string dependency) => Dependencies(package).Single(each => each.Id == dependency).Range;

    private List<(string Id, string Range)> Dependencies(string package)
    {
        using var archive = ZipFile.OpenRead(PathOf(package));
        using var description = archive.GetEntry($"{package}.nuspec")!.Open();
        return [.. XDocument.Load(description).Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => ((string)element.Attribute("id")!, (string)element.Attribute("version")!))];
    }

    public async ValueTask InitializeAsync()
    {
        await PackAsync("src/Abstractions/ProcessPool.Abstractions.csproj", "src/Host/ProcessPool.Host.csproj", "src/Hosting/ProcessPool.Hosting.csproj", "src/Testing/ProcessPool.Testing.csproj", "src/Plugin/ProcessPool.Plugin.csproj", "src/Plugin.Sdk/ProcessPool.Plugin.Sdk.csproj", "templates/ProcessPool.Templates.csproj");
        await AddFromTemplateAsync("Acme.Small");
        await AddFromTemplateAsync("Acme.Large", "--contract");
        Add("FiveLines");
        Add("WithoutSdk", package: "ProcessPool.Abstractions");
        Add("Deployed", $"<ProcessPoolDeployTo>../{Path.GetFileName(DropFolder)}</ProcessPoolDeployTo>", EntryPoint + "internal static class Input { public static int Read() => System.Console.Read(); }");
        Directory.CreateDirectory(Path.Combine(DropFolder, "Deployed"));
        await File.WriteAllTextAsync(Path.Combine(DropFolder, "Deployed", "of-the-version-before.txt"), "");
        Add("Wrong", Wrong, EntryPoint + "internal static class Program { private static void Main() { } }");
        Add("Old", Old, source: "");
        Add("Several", "</PropertyGroup><PropertyGroup><TargetFramework /><TargetFrameworks>net10.0</TargetFrameworks>");
        await BuildAsync();
    }

    /// <summary>What is said to a project that is to be deployed for several frameworks.</summary>
    internal Task<CliResult> DeploySeveralAsync() =>
        Dotnet.RunAsync("msbuild", Path.Combine(_root, "Several", "Several.csproj"), "-nologo", "-v:q", "-t:Build", "-p:TargetFrameworks=net10.0%3bnet8.0", "-p:ProcessPoolDeployTo=../several");

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }

    // What the build that runs the tests has built.
    private async Task PackAsync(params string[] projects)
    {
        var configuration = typeof(PluginSdkFixture).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var all = string.Join(';', projects.Select(project => Path.Combine(Repository.Root, project)));
        var pack = Write("pack.proj", $"""
            <Project>
              <Target Name="Pack">
                <MSBuild Projects="{all}" Targets="Pack" BuildInParallel="true" Properties="NoBuild=true;Configuration={configuration};PackageOutputPath={Feed}" />
              </Target>
            </Project>
            """);
        Succeeded(await Dotnet.RunAsync("msbuild", pack, "-nologo", "-v:q", "-m"));
    }

    private async Task AddFromTemplateAsync(string name, params string[] options)
    {
        string[] hive = ["--debug:custom-hive", Path.Combine(_root, "hive")];
        if (_projects.Count == 0)
        {
            Succeeded(await Dotnet.RunAsync(["new", "install", Directory.GetFiles(Feed, "ProcessPool.Templates.*.nupkg").Single(), .. hive]));
        }

        Succeeded(await Dotnet.RunAsync(["new", "processpool-plugin", "-o", Path.Combine(_root, name), "--no-update-check", .. options, .. hive]));
        _projects.Add(name);
    }

    private void Add(string name, string properties = "", string source = EntryPoint, string package = "ProcessPool.Plugin.Sdk")
    {
        Write($"{name}/{name}.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net10.0</TargetFramework>{properties}</PropertyGroup>
              <ItemGroup><PackageReference Include="{package}" Version="0.1.0" /></ItemGroup>
            </Project>
            """);
        Write($"{name}/Source.cs", source);
        _projects.Add(name);
    }

    private async Task BuildAsync()
    {
        // What lies above the folder is not to be found.
        Write("Directory.Build.props", "<Project />");
        Write("Directory.Build.targets", "<Project />");
        Write("Directory.Packages.props", "<Project />");
        var all = Write("All.slnx", $"<Solution>{string.Concat(_projects.Select(name => $"<Project Path=\"{name}/{name}.csproj\" />"))}</Solution>");
        var environment = new Dictionary<string, string> { ["NUGET_PACKAGES"] = Path.Combine(_root, "packages") };
        Build = Succeeded(await Dotnet.RunAsync("dotnet", _root, environment, "build", all, "-c", "Debug", $"-p:RestoreSources={Feed}"));
    }

    private string Write(string path, string text)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
        return full;
    }

    private static CliResult Succeeded(CliResult result) =>
        result.ExitCode == 0 ? result : throw new InvalidOperationException($"Expected exit code 0, got {result.ExitCode}:\n{result.Output}{result.Error}");
}
