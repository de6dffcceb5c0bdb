using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Validation;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Validation;

public class CounterTrackTests
{
    private decimal _sum;

    // 400 kW connection: 0.1111 kWh each second.
    private static Rig Start(decimal? rollover = 1_000_000m, decimal? rate = 400m / 3600) =>
        new TestSite().Device("meter").Counter(rollover: rollover, rate: rate, with: p => p with { PublishSamples = true }).Start().Advance("2026-03-01T08:00:00Z");

    private CounterTrackTests Feed(Rig rig, params (int Second, decimal Reading)[] readings)
    {
        foreach (var (second, reading) in readings)
        {
            rig.Raw(0, Rig.At("2026-03-01T08:00:00Z") + TimeSpan.FromSeconds(second), (ulong)(reading * 100));
        }

        rig.Advance("2026-03-01T09:00:02Z");
        _sum = rig.Minutes().Sum(m => m.Delta ?? 0);
        return this;
    }

    [Fact]
    public void Plain_growth_is_told_to_nobody()
    {
        var rig = Start();
        Feed(rig, (0, 100), (60, 103), (120, 103), (180, 107.5m));
        Assert.Equal(7.5m, _sum);
        Assert.Empty(rig.Anomalies);
    }

    [Fact]
    public void A_roll_over_counts_and_leaves_a_note()
    {
        var rig = Start();
        Feed(rig, (0, 999_998), (60, 999_999.99m), (120, 1.25m));
        Assert.Equal(3.25m, _sum);
        Assert.Equal(Severity.Note, Assert.Single(rig.Anomalies).Severity);
        Assert.Contains("rolled over from 999999.99 kWh to 1.25 kWh", rig.Anomalies[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_declared_limit_the_register_itself_rolls_over()
    {
        var rig = Start(rollover: null, rate: null); // 32 bit x 0.01 kWh
        Feed(rig, (0, 42_949_672.95m), (60, 0.04m));
        Assert.Equal(0.05m, _sum);
    }

    [Fact]
    public void A_scale_register_that_changes_makes_no_jump_no_roll_over_and_no_finding()
    {
        var rig = new TestSite().Device("meter")
            .Counter(unit: "W.h", scale: 1, rate: 400_000m / 3600, with: p => p with { Encoding = p.Encoding with { ScaleAt = 9 } })
            .Start().Advance("2026-03-01T08:00:00Z");
        (ulong Count, short Power)[] reads = [(4_000_000_000, 0), (4_000_000_500, 0), (400_000_060, 1), (40_000_010, 2), (4_000_001_500, 0)];
        for (var i = 0; i < reads.Length; i++)
        {
            var raw = RegisterCodec.Scaled(rig.Site.Points[0].Encoding, reads[i].Count, reads[i].Power);
            Assert.Equal(DecodeStatus.Ok, RegisterCodec.DecodeRaw(rig.Site.Points[0].Encoding, raw, out var value));
            rig.Pipeline.Process(new Sample(0, Rig.At("2026-03-01T08:00:00Z") + TimeSpan.FromSeconds(60 * i), value, raw, Quality.Good));
        }

        rig.Advance("2026-03-01T09:00:02Z");
        Assert.Equal(1_500m, rig.Minutes().Sum(m => m.Delta ?? 0));
        Assert.Empty(rig.Anomalies);
    }

    [Fact]
    public void A_fall_that_is_confirmed_is_a_reset_and_the_new_level_counts()
    {
        var rig = Start();
        Feed(rig, (0, 48_211.30m), (60, 0.50m), (120, 1.75m), (180, 2));
        Assert.Equal(1.5m, _sum);
        var record = Assert.Single(rig.Anomalies);
        Assert.Equal((Severity.Alarm, true, Rig.At("2026-03-01T08:01:00Z")), (record.Severity, record.Raised, record.Since));
        Assert.Contains("fell from 48211.3 kWh to 0.5 kWh", record.Text, StringComparison.Ordinal);
        Assert.Contains("reset to zero", record.Text, StringComparison.Ordinal);
        Assert.Equal([QualityReason.None, QualityReason.CounterReset, QualityReason.CounterReset, QualityReason.None], rig.Samples.Select(s => s.Quality.Reason));
    }

    [Fact]
    public void Readings_of_a_change_of_meters_are_counted_once_as_allocated()
    {
        var rig = Start();
        Feed(rig, (0, 48_211.30m), (60, 7_000), (120, 7_001));
        var waiting = Assert.Single(rig.Pipeline.Exchanges);
        Assert.Equal(("meter", "energy", 48_211.30m, 7_000m), (waiting.Device, waiting.Point, waiting.OldReading, waiting.NewReading));

        string? Settle(decimal final, decimal start) => rig.Pipeline.SettleExchange("meter", null, final, start, "maria");
        Assert.Contains("cannot have ended at 48211.2", Settle(48_211.2m, 6_999), StringComparison.Ordinal);
        Assert.Contains("cannot have begun at 7000.5", Settle(48_212, 7_000.5m), StringComparison.Ordinal);
        Assert.Contains("more than the rated power allows", Settle(48_290, 6_999), StringComparison.Ordinal);
        Assert.Contains("there is no device 'metr'", rig.Pipeline.SettleExchange("metr", null, 1, 1, "maria"), StringComparison.Ordinal);

        // It outlives a restart.
        var next = Start().Load(rig.Save());
        Assert.Null(next.Pipeline.SettleExchange("meter", "energy", 48_212m, 6_999.5m, "maria"));
        Assert.Empty(next.Pipeline.Exchanges);
        Assert.Contains("no counter with a change", next.Pipeline.SettleExchange("meter", null, 48_212m, 6_999.5m, "maria"), StringComparison.Ordinal);
        next.Advance("2026-03-01T09:15:02Z");
        var entry = next.Emissions.Last(e => e.Account == EmissionAccount.Device);
        Assert.Equal((1.2m, true), (entry.ActivityKWh, entry.Allocated)); // 0.7 by the old meter, 0.5 by the new one
        Assert.Contains("confirmed by maria; 1.2 kWh counted as allocated", next.Anomalies[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fall_to_a_used_meter_is_called_a_replacement()
    {
        var rig = Start();
        Feed(rig, (0, 48_211.30m), (60, 7_000), (120, 7_001));
        Assert.Contains("meter replaced", Assert.Single(rig.Anomalies).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_low_reading_that_is_not_confirmed_costs_nothing()
    {
        var rig = Start();
        Feed(rig, (0, 700), (60, 44.64m), (120, 701)); // high word torn
        Assert.Equal(1m, _sum);
        Assert.Equal(Severity.Note, Assert.Single(rig.Anomalies).Severity);
    }

    [Fact]
    public void A_low_reading_without_a_known_rate_invents_no_energy()
    {
        var rig = Start(rate: null);
        Feed(rig, (0, 700), (60, 44.64m), (120, 701));
        Assert.Equal(1m, _sum);
    }

    [Fact]
    public void A_torn_reading_and_a_step_back_together_invent_no_energy()
    {
        var rig = Start(rate: null);
        Feed(rig, (0, 700), (60, 44.64m), (120, 699.99m), (180, 701));
        Assert.Equal(1m, _sum);
    }

    [Fact]
    public void A_step_back_is_ignored_and_noted_once()
    {
        var rig = Start();
        Feed(rig, (0, 100), (1, 99.99m), (2, 100), (3, 99.98m), (4, 100.02m));
        Assert.Equal(0.02m, _sum);
        Assert.Contains("went back", Assert.Single(rig.Anomalies).Text, StringComparison.Ordinal);
        Assert.Equal(2, rig.Samples.Count(s => s.Quality.Reason == QualityReason.CounterRollback));
    }

    [Fact]
    public void A_jump_is_held_and_dropped_when_the_level_comes_back()
    {
        var rig = Start();
        Feed(rig, (0, 100), (60, 9_100), (120, 102));
        Assert.Equal(2m, _sum);
        Assert.Equal([(true, Severity.Warning), (false, Severity.Warning)], rig.Anomalies.Select(a => (a.Raised, a.Severity)));
        Assert.Contains("grew by 9000 kWh in 1 min", rig.Anomalies[0].Text, StringComparison.Ordinal);
        Assert.Equal(rig.Anomalies[0].Since, rig.Anomalies[1].Since);
    }

    [Fact]
    public void A_jump_that_only_one_reading_confirms_is_not_believed()
    {
        var rig = Start();
        Feed(rig, (0, 100), (60, 9_100), (120, 9_101), (180, 103));
        Assert.Equal(3m, _sum);
        Assert.DoesNotContain(rig.Anomalies, a => a.Severity == Severity.Alarm);
    }

    [Fact]
    public void A_jump_that_two_readings_confirm_becomes_the_baseline_without_inventing_energy()
    {
        var rig = Start();
        Feed(rig, (0, 100), (60, 9_100), (120, 9_101), (180, 9_103), (240, 9_104), (1200, 9_120));
        Assert.Equal(20m, _sum); // 9 100 to 9 120; the 9 000 are not counted
        Assert.Equal([(true, Severity.Warning), (true, Severity.Alarm), (false, Severity.Alarm)], rig.Anomalies.Select(a => (a.Raised, a.Severity)));
        Assert.Single(rig.Anomalies.Select(a => a.Since).Distinct());
    }

    /// <summary>What happens to a counter has a name of its own; a name, once raised, is the one that is cleared.</summary>
    [Theory]
    [InlineData("counter-rollover", "0:999995 30:999999.99 60:1")]
    [InlineData("counter-step", "0:100 30:99.99 60:100.5")]
    [InlineData("counter-glitch", "0:700 30:44.64 60:701")]
    [InlineData("counter-reset", "0:48211 30:0.5 60:1.5 90:2")]
    [InlineData("counter-swap", "0:48211 30:7000 60:7001 90:7002")]
    [InlineData("counter-swap", "0:48211 300:7000 330:7001 360:7002")]
    [InlineData("counter-swap", "0:48211 300:90000 330:90001 360:90002 390:90003")]
    [InlineData("counter-jump", "0:48211 30:90000 60:90001 90:90002 120:90003")]
    [InlineData("counter-jump", "0:48211 30:90000 60:48212")]
    public void Each_thing_that_happens_to_a_counter_has_a_name(string name, string readings)
    {
        var rig = Start();
        Feed(rig, [.. readings.Split(' ').Select(r => r.Split(':')).Select(r => (int.Parse(r[0], CultureInfo.InvariantCulture), decimal.Parse(r[1], CultureInfo.InvariantCulture)))]);
        Assert.NotEmpty(rig.Anomalies);
        Assert.All(rig.Anomalies, a => Assert.Equal(name, a.Detector));
        Assert.Contains(name, CounterTrack.Findings);

        // The rest of a state in which it stands names it too.
        var restored = Start().Load(rig.Save());
        restored.Pipeline.Close(Rig.At("2026-03-01T09:00:05Z"));
        Assert.All(restored.Anomalies, a => Assert.Equal(name, a.Detector));
    }

    [Fact]
    public void A_meter_at_zero_after_a_silence_may_be_a_new_one()
    {
        var rig = Start();
        Feed(rig, (0, 48_211), (300, 0.5m), (330, 1), (360, 2));
        Assert.Contains("reset to zero, or exchanged for a new one", Assert.Single(rig.Anomalies).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Garbage_that_changes_each_time_is_never_counted()
    {
        var rig = Start();
        Feed(rig, (0, 100), (60, 5_000), (120, 90_000), (180, 300), (240, 40_000), (300, 104));
        Assert.Equal(4m, _sum);
    }

    [Fact]
    public void A_register_refreshed_once_a_minute_may_show_a_minute_at_once()
    {
        var rig = Start();
        Feed(rig, [.. Enumerable.Range(0, 300).Select(s => (s, 100m + (s / 60 * 6.6m)))]); // 396 kW
        Assert.Equal(26.4m, _sum);
        Assert.Empty(rig.Anomalies);
    }

    [Fact]
    public void A_finding_ends_after_15_minutes_of_plain_counting()
    {
        var rig = Start();
        Feed(rig, (0, 500), (60, 1), (120, 2), (600, 10), (1019, 12), (1020, 12), (1080, 13));
        Assert.Equal([(true, 2 * 60), (false, 1020)], rig.Anomalies.Select(a => (a.Raised, (int)(a.Time - Rig.At("2026-03-01T08:00:00Z")).TotalSeconds)));
    }

    public static TheoryData<string> Cases() => [.. Read().Select(c => c.GetProperty("id").GetString()!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Published_case(string id) // tests/EdgeGateway.Tests/Accounting/cases/gwp-sf6-meters-uncertainty.json
    {
        var given = Read().Single(c => c.GetProperty("id").GetString() == id);
        var inputs = given.GetProperty("inputs");
        var rig = Start(inputs.GetProperty("wrap_at").GetDecimal(), rate: null);
        JsonElement[] readings = [.. inputs.GetProperty("register").EnumerateArray()];
        Feed(rig, [.. readings.Select((r, i) => (i * 60, r)).Where(r => r.r.ValueKind == JsonValueKind.Number).Select(r => (r.Item1, r.r.GetDecimal()))]);
        Assert.Equal(given.GetProperty("expected").GetProperty("total").GetDecimal(), _sum * inputs.GetProperty("multiplier").GetDecimal(), 9);
        Assert.Equal(given.GetProperty("expected").GetProperty("resets").GetInt32(), rig.Anomalies.Count(a => a.Detector.StartsWith(CounterTrack.DetectorName, StringComparison.Ordinal) && a.Severity == Severity.Alarm));
    }

    private static JsonElement[] Read() => [.. CaseFile.Read("gwp-sf6-meters-uncertainty.json").EnumerateArray().Where(c => c.GetProperty("op").GetString() == "meter.delta")];
}
