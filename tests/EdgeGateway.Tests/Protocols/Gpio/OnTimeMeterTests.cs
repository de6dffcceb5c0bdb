using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Tests.Protocols.Gpio;

/// <summary>How long a contact was closed: known, unknown, and never invented.</summary>
public sealed class OnTimeMeterTests
{
    [Fact]
    public void Time_is_on_between_a_rising_and_a_falling_edge()
    {
        var meter = new OnTimeMeter();
        meter.Begin(isOn: false, 100);
        meter.Add(Event(130, true, 1));
        meter.Add(Event(170, false, 2));
        meter.Add(Event(180, true, 3));
        Assert.Equal(new OnTimeState { OnNs = 60, OffNs = 40, Starts = 2, IsOn = true, UntilNs = 200, LineSequence = 3 }, meter.Read(200));
    }

    [Fact]
    public void Edges_from_before_the_value_was_read_are_in_it()
    {
        var meter = new OnTimeMeter();
        meter.Begin(isOn: true, 100);
        meter.Add(Event(90, true, 1));
        meter.Add(Event(120, false, 2));
        Assert.Equal((20UL, 30UL, 0L), (meter.Read(150).OnNs, meter.Read(150).OffNs, meter.Read(150).Misread));
    }

    [Fact]
    public void Around_lost_edges_the_time_is_unknown()
    {
        var meter = new OnTimeMeter();
        meter.Begin(isOn: false, 0);
        meter.Add(Event(10, true, 1));
        meter.Add(Event(50, false, 4));
        var read = meter.Read(60);
        Assert.Equal((0UL, 20UL, 40UL, 2L), (read.OnNs, read.OffNs, read.UnknownNs, read.Lost));
    }

    [Fact]
    public void Two_edges_of_one_direction_are_a_blink_that_nobody_saw()
    {
        var meter = new OnTimeMeter();
        meter.Begin(isOn: false, 0);
        meter.Add(Event(10, true, 1));
        meter.Add(Event(30, true, 2));
        meter.Add(Event(40, false, 3));
        var read = meter.Read(50);
        Assert.Equal((30UL, 20UL, 1L, 1L), (read.OnNs, read.OffNs, read.Misread, read.Starts));
    }

    [Fact]
    public void A_line_that_was_kept_goes_on_and_one_that_was_let_go_begins_anew()
    {
        var before = new OnTimeMeter();
        before.Begin(isOn: false, 0);
        before.Add(Event(10, true, 1));
        var committed = before.Read(20);

        // Nothing was read and not committed: not a moment is missing.
        var kept = new OnTimeMeter(committed);
        kept.Add(Event(35, false, 2));
        Assert.Equal((25UL, 0UL), (kept.Read(40).OnNs, kept.Read(40).UnknownNs));

        // Edge 2 was read and not committed.
        var killed = new OnTimeMeter(committed);
        killed.Add(Event(50, true, 3));
        Assert.Equal((20UL, 30UL), (killed.Read(60).OnNs, killed.Read(60).UnknownNs));

        var anew = new OnTimeMeter(committed);
        anew.Begin(isOn: true, 5);
        anew.Add(Event(8, false, 1));
        Assert.Equal((13UL, 0UL), (anew.Read(8).OnNs, anew.Read(8).UnknownNs));
    }

    [Fact]
    public void After_the_end_nothing_is_known()
    {
        var meter = new OnTimeMeter();
        meter.Begin(isOn: true, 0);
        meter.End(10);
        Assert.Null(meter.IsOn);
        Assert.Equal((10UL, 5UL), (meter.Read(15).OnNs, meter.Read(15).UnknownNs));
    }

    private static GpioEvent Event(ulong nanoseconds, bool isRising, uint number) => new(nanoseconds, isRising, 0, number, number);
}
