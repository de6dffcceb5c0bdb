using EdgeGateway.Core.Accounting.Statements;

namespace EdgeGateway.Core.Accounting.Forecasting;

/// <summary>One way the years may go.</summary>
/// <param name="Name">Name for people.</param>
/// <param name="GrowthPercent">Growth of the activity, percent a year.</param>
/// <param name="EfficiencyPercent">Gain in efficiency, percent a year.</param>
/// <param name="DriftPercent">What is added to the yearly rate with each year, percentage points: below zero the growth tires.</param>
/// <param name="Years">Years after the base year that are looked at, 1 to 200.</param>
public sealed record PeakScenario(string Name, double GrowthPercent, double EfficiencyPercent, double DriftPercent, int Years);

/// <summary>Where a scenario leads.</summary>
/// <param name="Scenario">The scenario.</param>
/// <param name="Years">Emissions from the base year on, one for each year, in the unit of the base.</param>
/// <param name="PeakYear">Year of the first maximum; the last year when there is no peak inside the window.</param>
/// <param name="Peak">Emissions of that year.</param>
/// <param name="IsReached">False when emissions are still at their highest in the last year: <em>not reached</em>.</param>
public sealed record PeakPath(PeakScenario Scenario, IReadOnlyList<double> Years, int PeakYear, double Peak, bool IsReached)
{
    /// <summary>Emissions of the last year.</summary>
    public double End => Years[^1];
}

/// <summary>The year in which emissions are highest, by scenario: E(k) = E(k-1) (1 + (growth - efficiency + drift k) / 100).</summary>
public static class CarbonPeak
{
    /// <summary>Follows the scenarios; always a table of them, never one line.</summary>
    /// <param name="baseEmissions">Emissions of the base year, above zero.</param>
    /// <param name="baseYear">The base year.</param>
    /// <param name="scenarios">At least one.</param>
    /// <exception cref="EmissionRefusedException">The base is not above zero, a scenario has no year or a rate that is no number, or emissions would fall below zero.</exception>
    public static IReadOnlyList<PeakPath> Follow(double baseEmissions, int baseYear, IReadOnlyList<PeakScenario> scenarios)
    {
        ArgumentNullException.ThrowIfNull(scenarios);
        if (!(baseEmissions > 0) || !double.IsFinite(baseEmissions))
        {
            throw new EmissionRefusedException(new Refusal("base-not-positive", baseEmissions));
        }

        return scenarios.Count == 0 ? throw new EmissionRefusedException(new Refusal("no-scenario")) : [.. scenarios.Select(s => Follow(baseEmissions, baseYear, s))];
    }

    private static PeakPath Follow(double emissions, int baseYear, PeakScenario scenario)
    {
        if (scenario.Years is < 1 or > 200 || !double.IsFinite(scenario.GrowthPercent) || !double.IsFinite(scenario.EfficiencyPercent) || !double.IsFinite(scenario.DriftPercent))
        {
            throw new EmissionRefusedException(new Refusal("scenario-rates", scenario.Name));
        }

        var path = new List<double> { emissions };
        var peak = 0;
        for (var k = 1; k <= scenario.Years; k++)
        {
            var rate = scenario.GrowthPercent - scenario.EfficiencyPercent + (scenario.DriftPercent * k);
            if (rate < -100)
            {
                throw new EmissionRefusedException(new Refusal("scenario-below-zero", k, scenario.Name, -rate));
            }

            path.Add(path[^1] * (1 + (rate / 100)));
            if (path[k] > path[peak])
            {
                peak = k;
            }
        }

        return double.IsFinite(path[^1])
            ? new(scenario, path, baseYear + peak, path[peak], peak < scenario.Years)
            : throw new EmissionRefusedException(new Refusal("scenario-beyond", scenario.Name));
    }
}
