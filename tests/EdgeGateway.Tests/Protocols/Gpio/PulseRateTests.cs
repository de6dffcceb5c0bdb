using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Tests.Protocols.Gpio;

/// <summary>Frequency from time stamps: exact for any window, and zero when the belt stands.</summary>
public sealed class PulseRateTests
{
    private const ulong Second = 1_000_000_000;

    [Fact]
    public void A_frequency_is_exact_however_the_window_falls()
    {
        // 3 Hz read once a second and a bit: counting pulses in the window would give 3 or 4.
        var rate = new PulseRate(TimeSpan.FromSeconds(10), 0);
        var pulse = 1;
        for (var read = 1; read <= 20; read++)
        {
            var now = (ulong)read * 1_100_000_000;
            for (; (ulong)pulse * Second / 3 <= now; pulse++)
            {
                rate.Add(1, (ulong)pulse * Second / 3);
            }

            Assert.Equal(3, rate.Read(now)!.Value, 6);
        }
    }

    [Fact]
    public void Pulses_that_only_the_numbers_prove_count()
    {
        var rate = new PulseRate(TimeSpan.FromSeconds(10), 0);
        rate.Add(1, Second);
        rate.Add(50, 2 * Second);
        Assert.Equal(50, rate.Read(2 * Second)!.Value, 9);
    }

    [Fact]
    public void One_pulse_tells_no_frequency_and_none_for_long_enough_tells_zero()
    {
        var rate = new PulseRate(TimeSpan.FromSeconds(5), 10 * Second);
        Assert.Null(rate.Read(11 * Second));
        rate.Add(1, 12 * Second);
        Assert.Null(rate.Read(13 * Second));
        Assert.Equal(0, rate.Read(17 * Second));
        var idle = new PulseRate(TimeSpan.FromSeconds(5), 10 * Second);
        Assert.Equal(0, idle.Read(15 * Second));
    }

    [Fact]
    public void A_belt_that_stops_is_seen_to_slow_down_and_stand()
    {
        var rate = new PulseRate(TimeSpan.FromSeconds(5), 0);
        rate.Add(1, Second);
        rate.Add(10, 2 * Second);
        Assert.Equal(10, rate.Read(2 * Second)!.Value, 9);

        // Half a pulse late tells nothing; after a second it is at most 1 Hz, after four a quarter.
        Assert.Equal(10, rate.Read(2_050_000_000)!.Value, 9);
        Assert.Equal(1, rate.Read(3 * Second)!.Value, 9);
        Assert.Equal(0.25, rate.Read(6 * Second)!.Value, 9);
        Assert.Equal(0, rate.Read(7 * Second));

        // It starts again: the first pulse ends a long interval, the next give the new speed.
        rate.Add(1, 12 * Second);
        Assert.Equal(0.1, rate.Read(12 * Second)!.Value, 9);
        rate.Add(4, 13 * Second);
        Assert.Equal(4, rate.Read(13 * Second)!.Value, 9);
    }

    [Fact]
    public void A_break_and_a_clock_that_was_set_back_begin_anew()
    {
        var rate = new PulseRate(TimeSpan.FromSeconds(5), 0);
        rate.Add(1, Second);
        rate.Add(10, 2 * Second);
        rate.Break(3 * Second);
        Assert.Null(rate.Read(3 * Second));
        rate.Add(1, 4 * Second);
        rate.Add(2, 5 * Second);
        Assert.Equal(2, rate.Read(5 * Second)!.Value, 9);
        rate.Add(1, 3 * Second);
        rate.Add(1, 4 * Second);
        Assert.Equal(1, rate.Read(4 * Second)!.Value, 9);
    }
}
