namespace ProcessPool.Unit.Tests.Host;

public sealed class WorkerCountTests
{
    [Theory]
    [InlineData(1, 8, 1)]
    [InlineData(5, 8, 5)]
    [InlineData(999, 8, 8)]
    [InlineData(-1, 8, 8)]
    public void A_number_is_that_many_but_no_more_than_processors(int count, int processors, int expected)
    {
        WorkerCount workers = count;
        Assert.Equal(expected, workers.Resolve(processors));
    }

    [Theory]
    [InlineData(1.0, 8, 8)]
    [InlineData(0.5, 8, 4)]
    [InlineData(0.5, 5, 2)]
    [InlineData(0.5, 7, 4)]
    [InlineData(0.01, 8, 1)]
    [InlineData(-1.0, 8, 8)]
    public void A_fraction_is_a_share_of_the_processors(double fraction, int processors, int expected)
    {
        WorkerCount workers = fraction;
        Assert.Equal(expected, workers.Resolve(processors));
    }

    [Fact]
    public void Oversubscription_is_allowed_when_asked_for() => Assert.Equal(64, ((WorkerCount)64).Resolve(2, allowOversubscription: true));

    [Fact]
    public void The_default_is_all() => Assert.Equal(6, default(WorkerCount).Resolve(6));

    [Theory]
    [InlineData(0)]
    [InlineData(-2)]
    [InlineData(int.MinValue)]
    public void Other_numbers_are_refused(int count) => Assert.Throws<ArgumentOutOfRangeException>(() => (WorkerCount)count);

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.5)]
    [InlineData(-0.5)]
    [InlineData(2.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Other_fractions_are_refused(double fraction) => Assert.Throws<ArgumentOutOfRangeException>(() => (WorkerCount)fraction);

    [Theory]
    [InlineData("1", 1)]
    [InlineData("1.0", 8)]
    [InlineData("50%", 4)]
    [InlineData(" 0.25 ", 2)]
    [InlineData("-1", 8)]
    public void Text_with_a_point_or_percent_sign_is_a_fraction(string text, int expected)
    {
        var workers = WorkerCount.Parse(text);
        Assert.Equal(expected, workers.Resolve(8));
        Assert.Equal(workers, WorkerCount.Parse(workers.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("two")]
    [InlineData("1,5")]
    [InlineData("0,5%")]
    [InlineData("1,0.5")]
    [InlineData("1e1%")]
    public void Other_text_is_refused(string text) => Assert.Throws<FormatException>(() => WorkerCount.Parse(text));
}
