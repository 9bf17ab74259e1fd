using Microsoft.Extensions.Time.Testing;
using ProcessPool.Catalog;

namespace ProcessPool.Unit.Tests.Host;

public sealed class SettlingTests
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);

    private readonly FakeTimeProvider _time = new();
    private readonly Settling _settling;

    public SettlingTests() => _settling = new Settling(Settle, _time);

    [Fact]
    public void A_plugin_is_taken_when_it_has_not_changed_for_the_settle_time()
    {
        AssertLook([], true, Look(Plugin(1)));
        _time.Advance(Settle);
        AssertLook(["p"], false, Look(Plugin(1)));
    }

    [Fact]
    public void A_plugin_that_is_still_being_copied_is_waited_for()
    {
        Look(Plugin(1));
        for (var length = 2; length < 10; length++)
        {
            _time.Advance(Settle);
            AssertLook([], true, Look(Plugin(length)));
        }

        _time.Advance(Settle - TimeSpan.FromMilliseconds(1));
        AssertLook([], true, Look(Plugin(9)));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        AssertLook(["p"], false, Look(Plugin(9)));
    }

    [Fact]
    public void What_was_handled_is_not_handled_again_until_it_changes()
    {
        Take(Plugin(1));
        _time.Advance(Settle);
        AssertLook([], false, Look(Plugin(1)));
        AssertLook([], true, Look(Plugin(2)));
        _time.Advance(Settle);
        AssertLook(["p"], false, Look(Plugin(2)));
    }

    [Fact]
    public void A_folder_that_is_gone_for_a_moment_while_it_is_replaced_is_not_removed()
    {
        Take(Plugin(1));
        AssertLook([], true, Look());
        _time.Advance(Settle / 2);
        AssertLook([], true, Look(Plugin(2)));
        _time.Advance(Settle);
        AssertLook(["p"], false, Look(Plugin(2)));
    }

    [Fact]
    public void A_plugin_that_stays_away_is_removed_once()
    {
        Take(Plugin(1));
        Look();
        _time.Advance(Settle);
        AssertLook(["p"], false, Look());
        _settling.Handled("p", null);
        _time.Advance(Settle);
        AssertLook([], false, Look());
    }

    private static DroppedPlugin Plugin(long length) => new("p", "/p", [new PluginFile("p.dll", "/p.dll", length, 0)]);

    private static void AssertLook(string[] names, bool isMoving, (string[] Names, bool IsMoving) look)
    {
        Assert.Equal(names, look.Names);
        Assert.Equal(isMoving, look.IsMoving);
    }

    private void Take(DroppedPlugin source)
    {
        Look(source);
        _time.Advance(Settle);
        Assert.Single(Look(source).Names);
        _settling.Handled(source.Name, source);
    }

    private (string[] Names, bool IsMoving) Look(params DroppedPlugin[] sources)
    {
        var names = _settling.Look(sources.ToDictionary(source => source.Name), out var isMoving);
        return ([.. names], isMoving);
    }
}
