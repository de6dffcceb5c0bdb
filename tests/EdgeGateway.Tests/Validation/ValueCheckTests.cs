using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Validation;

public class ValueCheckTests
{
    private static Rig Start(Func<PointModel, PointModel> with) =>
        new TestSite().Device("d").Gauge("p", with: p => with(p) with { PublishSamples = true }).Start().Advance("2026-03-01T08:00:00Z");

    [Theory]
    [InlineData(-0.1, QualityReason.OutOfRange)]
    [InlineData(0, QualityReason.None)]
    [InlineData(500, QualityReason.None)]
    [InlineData(500.1, QualityReason.OutOfRange)]
    public void A_value_outside_its_plausible_range_is_uncertain(double value, QualityReason expected)
    {
        var sample = Assert.Single(Start(p => p with { PlausibleMin = 0, PlausibleMax = 500 }).Value(0, "2026-03-01T08:00:01Z", value).Samples);
        Assert.Equal((expected, true), (sample.Quality.Reason, sample.Quality.HasValue));
    }

    [Fact]
    public void A_value_that_changes_too_fast_is_uncertain_until_it_settles()
    {
        var rig = Start(p => p with { MaxRatePerSecond = 2 })
            .Value(0, "2026-03-01T08:00:01Z", 10).Value(0, "2026-03-01T08:00:02Z", 12).Value(0, "2026-03-01T08:00:03Z", 15).Value(0, "2026-03-01T08:00:04Z", 15);
        Assert.Equal([QualityReason.None, QualityReason.None, QualityReason.RateOfChange, QualityReason.None], rig.Samples.Select(s => s.Quality.Reason));
    }

    [Fact]
    public void A_doubt_that_the_sample_brings_is_kept()
    {
        var rig = Start(p => p).Value(0, "2026-03-01T08:00:01Z", 10, Quality.Uncertain(QualityReason.ClockUnset));
        Assert.Equal(Quality.Uncertain(QualityReason.ClockUnset), rig.Samples[0].Quality);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.MinValue)]
    public void What_is_no_measurement_is_bad(double value)
    {
        var sample = Assert.Single(Start(p => p).Value(0, "2026-03-01T08:00:01Z", value).Samples);
        Assert.Equal(Quality.Bad(QualityReason.NotANumber), sample.Quality);
        Assert.True(double.IsNaN(sample.Value));
    }

    [Fact]
    public void A_reason_for_no_value_passes_unchanged()
    {
        var rig = Start(p => p);
        rig.Pipeline.Process(Sample.Missing(0, Rig.At("2026-03-01T08:00:01Z"), QualityReason.DeviceException, 2));
        Assert.Equal(Quality.Bad(QualityReason.DeviceException, 2), rig.Samples[0].Quality);
    }
}
