using EdgeGateway.Core;
using EdgeGateway.Core.State;
using EdgeGateway.Hosting;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Hosting;

/// <summary>Requirement T-2: what is known of the wall clock, from what the kernel says and what the store remembers.</summary>
public sealed class ClockQualityTests
{
    private static readonly DateTimeOffset Today = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset NeverSet = new(1970, 1, 1, 0, 1, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(true, false, 0, 0, TimeQuality.Synchronised)]
    [InlineData(false, true, 0, 0, TimeQuality.Holdover)]
    [InlineData(false, false, 0, 0, TimeQuality.Unset)]
    [InlineData(false, true, 0, 14, TimeQuality.Unset)]
    [InlineData(true, false, 0, 14, TimeQuality.Synchronised)]
    [InlineData(false, true, -30_000, 0, TimeQuality.Unset)]
    [InlineData(true, true, -30_000, 0, TimeQuality.Unset)]
    public void T_2_at_the_start(bool synchronised, bool hasChip, int daysOff, int lastGoodDaysAhead, TimeQuality expected)
    {
        var time = new ManualTime(daysOff == 0 ? Today : NeverSet);
        var clock = new GatewayClock(time, new Source { Facts = new ClockFacts(synchronised, hasChip, null) });
        clock.Begin(lastGoodDaysAhead == 0 ? null : Instant.From(Today.AddDays(lastGoodDaysAhead)), null);
        Assert.Equal(expected, clock.Quality);
        Assert.NotEmpty(clock.Text);
    }

    [Fact]
    public void T_2_a_clock_that_was_synchronised_holds_over_when_its_source_is_gone_also_in_the_next_process_of_the_boot()
    {
        var time = new ManualTime(Today);
        var source = new Source { Facts = new ClockFacts(true, false, TimeSpan.FromMilliseconds(20)) };
        var clock = new GatewayClock(time, source);
        clock.Begin(null, null);
        Assert.Equal(TimeSpan.FromMilliseconds(20), clock.MaximumError);
        source.Facts = default;
        clock.Renew();
        Assert.Equal(TimeQuality.Holdover, clock.Quality);
        Assert.Null(clock.MaximumError);

        var next = new GatewayClock(time, source);
        next.Begin(Instant.From(Today), clock.OffsetOfBoot);
        Assert.Equal(TimeQuality.Holdover, next.Quality);
    }

    [Fact]
    public void T_2_a_clock_spoiled_between_two_processes_of_a_boot_is_restored_from_the_monotonic_one()
    {
        var time = new ManualTime(Today);
        var source = new Source { Facts = new ClockFacts(true, false, null) };
        var clock = new GatewayClock(time, source);
        clock.Begin(null, null);
        time.Advance(TimeSpan.FromHours(1));
        time.SetUtcNow(NeverSet);
        source.Facts = default;
        var next = new GatewayClock(time, source);
        next.Begin(Instant.From(Today), clock.OffsetOfBoot);
        Assert.Equal(Today.AddHours(1), next.At(next.Monotonic).ToDateTimeOffset());
        Assert.Equal(TimeQuality.Holdover, next.Quality);
    }

    [Theory]
    [InlineData(3600, TimeQuality.Holdover)]
    [InlineData(1, TimeQuality.Unset)]
    public void T_2_a_step_to_a_possible_time_is_somebody_who_knows_the_time(int seconds, TimeQuality expected)
    {
        var time = new ManualTime(Today);
        var clock = new GatewayClock(time, new Source());
        clock.Begin(null, null);
        time.SetUtcNow(Today.AddSeconds(seconds));
        Assert.Equal(TimeSpan.FromSeconds(seconds), clock.Renew());
        Assert.Equal(expected, clock.Quality);
    }

    [Fact]
    public void T_2_the_kernels_word_is_read_without_harm()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var facts = new KernelClock().Read();
        Assert.Equal(facts.IsSynchronised, facts.MaximumError is not null);
    }

    [Fact]
    public void T_3_a_clock_that_goes_to_1970_and_back_is_not_followed()
    {
        var time = new ManualTime(Today);
        var clock = new GatewayClock(time, new Source { Facts = new ClockFacts(true, true, null) });
        clock.Begin(null, null);
        time.SetUtcNow(DateTimeOffset.UnixEpoch);
        Assert.Equal(TimeSpan.Zero, clock.Renew());
        Assert.NotEqual(TimeSpan.Zero, clock.Refused);
        Assert.Equal(TimeQuality.Holdover, clock.Quality);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Today.AddMinutes(1), clock.At(clock.Monotonic).ToDateTimeOffset());
        time.SetUtcNow(Today.AddMinutes(1));
        Assert.Equal(TimeSpan.Zero, clock.Renew());
        Assert.Equal(TimeSpan.Zero, clock.Refused);
    }

    private sealed class Source : IClockSource
    {
        public ClockFacts Facts { get; set; }

        public ClockFacts Read() => Facts;
    }
}
