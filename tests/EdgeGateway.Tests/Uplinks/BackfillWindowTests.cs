using EdgeGateway.Uplinks;

namespace EdgeGateway.Tests.Uplinks;

public class BackfillWindowTests
{
    private readonly BackfillWindow _window = new();

    [Fact]
    public void A_quick_link_soon_has_twenty_large_messages_under_way()
    {
        for (var i = 0; i < 30; i++)
        {
            Assert.False(_window.Acknowledged(64 * 1024, At(i), At(i) + TimeSpan.FromMilliseconds(5)));
        }

        Assert.Equal(BackfillWindow.Largest, _window.Bytes);
    }

    [Fact]
    public void A_link_that_takes_seconds_gets_half_again_and_again_but_never_less_than_a_small_message()
    {
        var before = _window.Bytes;
        Assert.True(_window.Acknowledged(64 * 1024, At(0), At(3)));
        Assert.Equal(before / 2, _window.Bytes);
        for (var i = 3; i < 100; i += 3)
        {
            _window.Acknowledged(64 * 1024, At(i), At(i + 3));
        }

        Assert.Equal((BackfillWindow.Smallest, BackfillWindow.Smallest), (_window.Bytes, _window.MessageBytes));
    }

    [Fact]
    public void Messages_that_were_under_way_together_are_blamed_once()
    {
        var before = _window.Bytes;
        Assert.True(_window.Acknowledged(1_000, At(0), At(3)));
        Assert.False(_window.Acknowledged(1_000, At(0.5), At(3.5)));
        Assert.False(_window.Acknowledged(1_000, At(1), At(4)));
        Assert.Equal(before / 2, _window.Bytes);
        Assert.True(_window.Acknowledged(1_000, At(3.5), At(6)));
    }

    [Fact]
    public void A_long_way_is_no_queue()
    {
        // A satellite: 700 ms there and back, with nothing in between.
        for (var i = 0; i < 100; i++)
        {
            Assert.False(_window.Acknowledged(64 * 1024, At(i), At(i + 0.7)));
        }

        Assert.Equal(BackfillWindow.Largest, _window.Bytes);
    }

    [Fact]
    public void A_new_connection_begins_anew()
    {
        _window.Acknowledged(1_000, At(0), At(5));
        _window.Begin();
        Assert.Equal(new BackfillWindow().Bytes, _window.Bytes);
        Assert.True(_window.Acknowledged(1_000, At(1), At(6)));
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
