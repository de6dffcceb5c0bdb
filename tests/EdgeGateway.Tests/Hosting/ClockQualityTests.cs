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

    [Theory]
    [InlineData("100.00", "0", "", true)] // just asked
    [InlineData("71.00", "0", "", true)] // 30 s is the limit, and the computer runs for 100 s
    [InlineData("69.00", "0", "", false)] // the witness is gone
    [InlineData("131.00", "0", "", false)] // from another start of the computer
    [InlineData("100.00", "-1", "", false)] // it was not allowed to ask either
    [InlineData("100.00", "zero", "", false)]
    [InlineData("100.00", "0", "zz", false)] // not hexadecimal
    [InlineData("100.00", "0", "0", false)] // half a byte
    public void S_16_a_service_that_may_not_ask_takes_the_fresh_word_of_its_witness(string asked, string answer, string tail, bool isTaken)
    {
        var folder = Directory.CreateTempSubdirectory("edgegateway-witness-");
        try
        {
            var (witness, uptime) = (Path.Combine(folder.FullName, "timex"), Path.Combine(folder.FullName, "uptime"));
            var asWritten = Enumerable.Range(0, 208).Select(i => (byte)i).ToArray();
            File.WriteAllText(witness, $"{asked} {answer} {Convert.ToHexString(asWritten)}{tail}\n");
            File.WriteAllText(uptime, "100.25 380.11\n");
            var timex = new byte[512];
            Assert.Equal(isTaken, new KernelClock(witness, uptime).TryWitness(timex, out var state));
            Assert.Equal(isTaken ? 0 : -1, state);
            Assert.Equal(isTaken ? asWritten : new byte[208], timex[..208]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void S_16_without_a_witness_nothing_is_known_of_the_clock() =>
        Assert.False(new KernelClock("/nonexistent/timex").TryWitness(new byte[512], out _));

    [Fact]
    public void T_4_certificates_are_judged_at_no_earlier_time_than_the_last_that_was_right()
    {
        var time = new ManualTime(NeverSet);
        var source = new Source();
        var clock = new GatewayClock(time, source);
        clock.Begin(Instant.From(Today), null);
        Assert.Equal(Today, clock.CertificateTime(Instant.From(Today)));
        Assert.Equal(NeverSet, clock.CertificateTime(null));
        time.SetUtcNow(Today.AddYears(-1).AddDays(300));
        source.Facts = new ClockFacts(true, false, null);
        clock.Renew();
        Assert.Equal(Today.AddYears(-1).AddDays(300), clock.CertificateTime(Instant.From(Today)));
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
