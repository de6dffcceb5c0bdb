using EdgeGateway.Core.Polling;

namespace EdgeGateway.Tests.Polling;

public sealed class BusyMeterTests
{
    [Fact]
    public void The_share_is_that_of_the_last_minute()
    {
        var meter = new BusyMeter(500);
        for (var at = 500L; at < 600_500; at += 100)
        {
            meter.Add(at, at < 300_000 ? 80 : 20);
        }

        Assert.Equal(0.2, meter.Share(600_499), 3);
        Assert.Equal(0, meter.Share(700_000), 3);
    }

    [Fact]
    public void At_the_start_it_is_that_of_the_time_so_far()
    {
        var meter = new BusyMeter(0);
        meter.Add(400, 100);
        Assert.Equal(0.25, meter.Share(400), 3);
        meter.Add(9_000, 900);
        Assert.Equal(0.1, meter.Share(10_500), 3);
        Assert.Equal(0.05, meter.Share(20_500), 3);
    }

    [Fact]
    public void More_than_all_of_the_time_is_all_of_it()
    {
        var meter = new BusyMeter(0);
        meter.Add(1_000, 5_000);
        Assert.Equal(1, meter.Share(1_000));
    }
}
