using System.Text.Json.Serialization;

namespace ProcessPool.Process.Tests.Suites;

/// <summary>The host's own copy of the contract of <see cref="ContractPlugin"/>.</summary>
public interface IWork
{
    IAsyncEnumerable<long> CountAsync(long to, CancellationToken token = default);

    IAsyncEnumerable<Sheet> SheetsAsync(int count);

    IAsyncEnumerable<long> CountThenThrowAsync(long to);

    IAsyncEnumerable<long> CountThenDieAsync(long to, string signal);

    IAsyncEnumerable<long> DripAsync();

    Task<int> LiveAsync();

    Task<long> SumAsync(IAsyncEnumerable<long> numbers, long atMost = long.MaxValue);

    Task<long> SumUntilAsync(IAsyncEnumerable<long> numbers, CancellationToken token);

    Task<long> CountBytesAsync(IAsyncEnumerable<byte[]> items);

    IAsyncEnumerable<byte[]> BytesAsync(int first, int second, int third);

    IAsyncEnumerable<long> CountAndReportAsync(int to, IProgress<Step> progress);

    IAsyncEnumerable<long> DoubleAsync(IAsyncEnumerable<long> numbers);

    Task<long> ReportAsync(int times, IProgress<Step> progress, CancellationToken token = default);

    Task<int> RememberAsync(int value);

    Task<int> ProcessIdAsync();

    Task<string> ReadAsync(string name);

    Task<string> ReadManyAsync(string name, int times);

    Task<string> UnknownServiceAsync();

    ValueTask<Shape> GrowAsync(Shape shape, CancellationToken token, int by);

    Task<Pair<int, string>> SwapAsync(Pair<string, int> pair);

    Task DieAsync();

    Task<int> DieTheFirstTimeAsync(string file);

    Task WaitAsync(CancellationToken token);
}

public sealed record Sheet(int Number, byte[] Pixels);

public sealed record Step(int Done, string Text);

public sealed record Pair<TLeft, TRight>(TLeft Left, TRight Right);

[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Circle), "circle")]
[JsonDerivedType(typeof(Square), "square")]
public abstract record Shape;

public sealed record Circle(double Radius) : Shape;

public sealed record Square(double Side) : Shape;

public interface IFiles
{
    Task<string> ReadAsync(string name, CancellationToken token = default);

    Task<byte[]> BytesAsync(byte[] bytes);
}
