using System.Xml.Linq;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Drawing;

namespace EdgeGateway.Tests.Cems;

/// <summary>QAL3 and AST of EN 14181.</summary>
public class DriftChartTests
{
    private static readonly Instant Start = Instant.Parse("2026-03-01T00:00:00Z");

    private static DriftChart Chart(params decimal[] differences) => new("Stack <1>, CO2", "%", TimeZoneInfo.Utc, 0.1m,
        [new("zero", [.. differences.Select((d, i) => new DriftCheck(Start + TimeSpan.FromDays(i), 0, d))]), new("span", [new(Start, 18, 18)])]);

    [Fact]
    public void A_slow_drift_is_seen_by_the_sums_before_any_single_check_shows_it()
    {
        var picture = Chart(0, 0.15m, 0.15m, 0.15m, 0.15m).Draw();
        var svg = XDocument.Parse(picture);
        XNamespace ns = "http://www.w3.org/2000/svg";
        var texts = svg.Descendants(ns + "text").Select(t => t.Value).ToList();

        // Sums 0.1, 0.2, 0.3, 0.4: above 2 s with the fourth, above 3 s with the fifth.
        Assert.Contains("zero gas: 5 checks, 1 warn, 1 call for action", texts);
        Assert.Contains("span gas: 1 checks, 0 warn, 0 call for action", texts);
        Assert.Contains("2026-03-05 00:00", texts);

        // Five single checks, five of each sum; one of span thrice.
        Assert.Equal(18, svg.Descendants(ns + "circle").Count());
        Assert.Equal(2, svg.Descendants(ns + "circle").Count(c => (string?)c.Attribute("fill") == "#d62728"));
        Assert.Equal(picture, Chart(0, 0.15m, 0.15m, 0.15m, 0.15m).Draw());
    }

    [Fact]
    public void An_annual_test_passes_with_a_small_spread_and_a_small_mean_and_fails_with_either()
    {
        decimal[] reference = [100, 110, 105, 95, 90];

        // sigma0 = 20 % of 200 / 1.96 = 20.408.
        var good = En14181.Ast([98, 112, 104, 97, 89], reference, 20, 200);
        Assert.Equal((true, 0m, true, true), (good.Passed, good.Mean, good.IsVariabilityPassed, good.IsCalibrationValid));
        Assert.Equal(20.408, (double)good.Allowed, 3);
        var biased = En14181.Ast([70, 80, 75, 65, 60], reference, 20, 200);
        Assert.Equal((false, 30m, true, false), (biased.Passed, biased.Mean, biased.IsVariabilityPassed, biased.IsCalibrationValid));
        var spread = En14181.Ast([40, 170, 45, 155, 90], reference, 20, 200);
        Assert.Equal((false, false, true), (spread.Passed, spread.IsVariabilityPassed, spread.IsCalibrationValid));
        Assert.Throws<EmissionRefusedException>(() => En14181.Ast([1, 2, 3, 4], [1, 2, 3, 4], 20, 200));
    }
}
