using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ProcessPool.Unit.Tests.Generators;

/// <summary>Where nothing is generated, nothing breaks: the proxy is made, or refused, at run time.</summary>
public sealed class NoProxyTests
{
    private const string Work = "public interface IWork { Task RunAsync(); }";

    [Theory]
    [InlineData("public interface IWork { int Count(); }")]
    [InlineData("public interface IWork { Task RunAsync(); Task RunAsync(int value); }")]
    [InlineData("public interface IWork { int Count { get; } }")]
    [InlineData("public interface IWork { event Action Changed; }")]
    [InlineData("public interface IWork { Task RunAsync<T>(T value); }")]
    [InlineData("public interface IWork { Task RunAsync(ref int value); }")]
    [InlineData("public interface IWork { Task RunAsync(CancellationToken one, CancellationToken two); }")]
    [InlineData("public interface IWork { Task RunAsync(Span<int> values); }")]
    [InlineData("public interface IWork { internal Task RunAsync(); }")]
    [InlineData("public interface IWork : IDisposable { Task RunAsync(); }")]
    [InlineData("public class IWork { }")]
    public void A_contract_that_breaks_a_rule_has_no_proxy(string contract) => AssertNone(HostSource.Asking("IWork", contract));

    [Theory]
    [InlineData("public static class Host { private interface IWork { Task RunAsync(); } public static void Use(SandboxPool pool) => pool.GetProxy<IWork>(); }")]
    [InlineData("public class Host { protected interface IWork { Task RunAsync(); } public static void Use(SandboxPool pool) => pool.GetProxy<IWork>(); }")]
    [InlineData("file interface IWork { Task RunAsync(); } file class Host { public static void Use(SandboxPool pool) => pool.GetProxy<IWork>(); }")]
    [InlineData("public interface IWork<T> { Task RunAsync(); } file class Mine; file class Host { public static void Use(SandboxPool pool) => pool.GetProxy<IWork<Mine>>(); }")]
    [InlineData("public interface IWork<T> { Task RunAsync(); } public class Host { public static void Use(SandboxPool pool) => pool.GetProxy<IWork<dynamic>>(); }")]
    [InlineData("public interface IWork<T> { Task RunAsync(); } public class Host { public static void Use<T>(SandboxPool pool) => pool.GetProxy<IWork<T[]>>(); }")]
    [InlineData("public class Host { public static void Use<T>(SandboxPool pool) where T : class => pool.GetProxy<T>(); }")]
    public void A_contract_that_another_file_cannot_name_has_no_proxy(string source) => AssertNone(source);

    [Fact]
    public void A_contract_behind_an_extern_alias_has_no_proxy()
    {
        const string Host = "extern alias Other; public static class Host { public static void Use(SandboxPool pool) => pool.GetProxy<Other::IWork>(); }";
        AssertNone(Host, HostSource.Library("public interface IWork { System.Threading.Tasks.Task RunAsync(); }", "Other"));
    }

    [Theory]
    [InlineData("public class Other { public T GetProxy<T>() => default!; } public class Host { public static void Use(Other pool) => pool.GetProxy<IWork>(); }")]
    [InlineData("public class SandboxPool { public T GetProxy<T>() => default!; } public class Host { public static void Use(SandboxPool pool) => pool.GetProxy<IWork>(); }")]
    [InlineData("public class Host { public static T GetProxy<T>() => default!; public static void Use() => GetProxy<IWork>(); }")]
    [InlineData("public static class Host { public static T GetProxy<T>(this SandboxPool pool, string name) => default!; public static void Use(SandboxPool pool) => pool.GetProxy<IWork>(\"name\"); }")]
    [InlineData("public class GetProxy<T>; public class Host { public static object Use() => new GetProxy<IWork>(); }")]
    [InlineData("public class Host { public static void Use(SandboxPool pool) => pool.InvokeAsync<IWork>(\"name\"); }")]
    public void Other_methods_of_the_name_mean_nothing(string source) => AssertNone(Work + source);

    [Fact]
    public void A_host_in_an_older_language_has_no_proxy() =>
        Assert.Empty(HostSource.Generate(HostSource.Compile(HostSource.Asking("IWork", Work), LanguageVersion.CSharp11)));

    [Fact]
    public void A_contract_that_does_not_compile_yet_has_no_proxy() =>
        Assert.Empty(HostSource.Generate(HostSource.Compile(HostSource.Asking("IWork", "public interface IWork { Task RunAsync(Missing value); }"))));

    private static void AssertNone(string source, params MetadataReference[] references)
    {
        var compilation = HostSource.Compile(source, LanguageVersion.Latest, references);
        Assert.Empty(compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));
        Assert.Empty(HostSource.Generate(compilation));
    }
}
