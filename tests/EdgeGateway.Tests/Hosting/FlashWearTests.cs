using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Hosting;

public sealed class FlashWearTests
{
    private readonly ManualTime _time = new();
    private long _written;
    private long _samples;

    private FlashWear Start(params (string, long)[] counters) =>
        new(counters.ToDictionary(c => c.Item1, c => c.Item2), () => _samples, _time, () => _written);

    [Fact]
    public void Totals_go_on_over_restarts()
    {
        _written = 5_000;
        var first = Start();
        _written += 1_000;
        _samples = 10;
        var saved = first.Counters().ToArray();

        // The next process begins to count at zero.
        _written = 0;
        _samples = 0;
        var second = Start(saved);
        _written = 500;
        _samples = 5;
        Assert.Equal(6_500, second.Read()!.Value.TotalBytes);
        Assert.Equal(6_500.0 / 15, second.Read()!.Value.BytesPerSample);
    }

    [Fact]
    public void The_pace_is_that_of_the_last_day()
    {
        var wear = Start();
        for (var minute = 0; minute < 3 * 24 * 60; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            _written += minute < 24 * 60 ? 1_000_000 : 1_000;
            _ = wear.Counters();
        }

        Assert.InRange(wear.Read()!.Value.BytesPerDay, 1_440_000 - 20_000, 1_440_000 + 20_000);
    }

    [Fact]
    public void Where_the_system_does_not_count_nothing_is_made_up() =>
        Assert.Null(new FlashWear(new Dictionary<string, long>(), () => 0, _time, () => null).Read());
}
