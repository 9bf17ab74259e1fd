using System.Globalization;

namespace ProcessPool;

/// <summary>How many workers a pool has: a number, or a share of the processors.</summary>
/// <remarks>
/// Converts implicitly from <see cref="int"/> (1 is one worker, -1 is one for each processor) and from <see cref="double"/>
/// (1.0 is one for each processor, 0.5 is half of them, rounded half to even, at least one). "Processors" are those this process may use:
/// <see cref="Environment.ProcessorCount"/> honours CPU affinity and container limits. The default is all.
/// </remarks>
public readonly struct WorkerCount : IEquatable<WorkerCount>
{
    private const NumberStyles Number = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    private readonly double _value;
    private readonly bool _isFraction;

    private WorkerCount(double value, bool isFraction)
    {
        _value = value;
        _isFraction = isFraction;
    }

    /// <summary>One worker for each processor.</summary>
    public static WorkerCount All => default;

    /// <summary>A number of workers: at least 1, or -1 for all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is 0 or below -1.</exception>
    public static implicit operator WorkerCount(int count) => FromInt32(count);

    /// <summary>A share of the processors: above 0 and at most 1.0, or -1.0 for all.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is anything else, NaN included.</exception>
    public static implicit operator WorkerCount(double fraction) => FromDouble(fraction);

    /// <summary>Whether two counts ask for the same.</summary>
    public static bool operator ==(WorkerCount left, WorkerCount right) => left.Equals(right);

    /// <summary>Whether two counts ask for something different.</summary>
    public static bool operator !=(WorkerCount left, WorkerCount right) => !left.Equals(right);

    /// <inheritdoc cref="op_Implicit(int)"/>
    public static WorkerCount FromInt32(int count) => count switch
    {
        -1 => All,
        > 0 => new WorkerCount(count, isFraction: false),
        _ => throw new ArgumentOutOfRangeException(nameof(count), count, "A worker count is at least 1, or -1 for one worker for each processor."),
    };

    /// <inheritdoc cref="op_Implicit(double)"/>
    public static WorkerCount FromDouble(double fraction) => fraction switch
    {
        -1.0 => All,
        > 0 and <= 1 => new WorkerCount(fraction, isFraction: true),
        _ => throw new ArgumentOutOfRangeException(
            nameof(fraction), fraction, "A share of the processors is above 0 and at most 1.0 (1.0 is all), or -1 for all. For a number of workers pass an integer."),
    };

    /// <summary>Reads a count from text: <c>4</c> and <c>-1</c> are numbers; with a point or a percent sign it is a share: <c>0.5</c>, <c>1.0</c>, <c>50%</c>.</summary>
    /// <exception cref="FormatException">The text is not a number.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public static WorkerCount Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var trimmed = text.Trim();
        var isPercentage = trimmed.EndsWith('%');
        if (!isPercentage && !trimmed.Contains('.', StringComparison.Ordinal) && int.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return FromInt32(number);
        }

        return (isPercentage || trimmed.Contains('.', StringComparison.Ordinal)) && double.TryParse(isPercentage ? trimmed[..^1] : trimmed, Number, CultureInfo.InvariantCulture, out var share)
            ? FromDouble(isPercentage ? share / 100 : share)
            : throw new FormatException("Expected a number of workers such as 4, a share of the processors such as 0.5 or 50%, or -1 for all");
    }

    /// <summary>The number of workers on a machine.</summary>
    /// <param name="processors">How many processors there are, at least 1.</param>
    /// <param name="allowOversubscription">Whether a number may exceed <paramref name="processors"/>; if not, it is clamped.</param>
    public int Resolve(int processors, bool allowOversubscription = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(processors, 1);
        return this switch
        {
            { _value: 0 } => processors,
            { _isFraction: true } => Math.Max(1, (int)Math.Round(_value * processors)),
            _ => allowOversubscription ? (int)_value : Math.Min((int)_value, processors),
        };
    }

    /// <inheritdoc/>
    public bool Equals(WorkerCount other) => _value.Equals(other._value) && _isFraction == other._isFraction;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is WorkerCount other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_value, _isFraction);

    /// <summary>The text that <see cref="Parse"/> reads back.</summary>
    public override string ToString() => this switch
    {
        { _value: 0 } => "-1",
        { _isFraction: true } => _value.ToString("0.0###############", CultureInfo.InvariantCulture),
        _ => _value.ToString(CultureInfo.InvariantCulture),
    };
}
