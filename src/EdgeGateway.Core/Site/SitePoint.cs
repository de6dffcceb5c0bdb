using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>Joins a point of a profile with the settings of the site.</summary>
internal static class SitePoint
{
    /// <summary>Energy that grows this much faster than the rated power is not believed: meters and ratings have tolerances.</summary>
    private const decimal RatedPowerMargin = 1.2m;

    private static readonly string[] NotOfTexts = ["plausible", "limits", "stuck", "spike", "slip", "novelty"];

    /// <summary>Resolves a point; index and device index are filled in by the caller.</summary>
    public static PointModel Resolve(ProfilePoint point, DeviceModel device, decimal? ratedWatts, Section settings, ProblemCollector problems, bool isNoveltyOff = false)
    {
        foreach (var key in point.Kind == PointKind.Text ? NotOfTexts : [])
        {
            if (settings.Has(key) && settings.Text(key) != "off")
            {
                problems.Error(settings.At(key), $"'{point.Id}' is a text, which has no '{key}'", $"Remove '{key}'");
            }
        }

        // A meter behind transformers reports secondary values: everything that the profile states in the unit grows with the ratio.
        var ratio = (point.AppliesCt ? device.CtRatio : 1) * (point.AppliesPt ? device.PtRatio : 1);
        if (point.AppliesPulses && device.PulsesPerUnit is { } pulses and > 0)
        {
            ratio /= pulses;
        }

        var factor = (double)ratio;
        var period = Period(point, settings, problems);
        var plausible = settings.Block("plausible", GatewayShape.Plausible);
        var min = (double?)plausible.Number("min") ?? point.PlausibleMin * factor;
        var max = (double?)plausible.Number("max") ?? point.PlausibleMax * factor;
        if (min >= max)
        {
            problems.Error(plausible.Place, $"the plausible range of '{point.Id}' from {min} to {max} is empty", "Write a minimum below the maximum");
        }

        return new PointModel
        {
            Index = 0,
            DeviceIndex = 0,
            Id = point.Id,
            Kind = point.Kind,
            Role = point.Role,
            Unit = point.Unit,
            Encoding = ratio == 1 ? point.Encoding : point.Encoding with { Scale = point.Encoding.Scale * ratio, Offset = point.Encoding.Offset * ratio },
            Period = period,
            PlausibleMin = min,
            PlausibleMax = max,
            MaxRatePerSecond = (double?)plausible.Number("maxRate") ?? point.MaxRatePerSecond * factor,
            Counter = Counter(point, ratio, ratedWatts),
            Detectors = Detectors(point, factor, hasRange: (min ?? max) is not null, settings, problems, period, isNoveltyOff),
            AlarmPriority = AlarmWords.Priority(settings.Text("priority")) ?? point.AlarmPriority,
            Carbon = point.Carbon,
            Symbols = point.Symbols,
            Flags = point.Flags,
        };
    }

    /// <summary>Whether site or profile ask for the detector for any gauge on a point; null leaves it to the rule.</summary>
    internal static bool? IsNovelty(ProfilePoint point, Section settings) => settings.Text("novelty") is { } word ? word == "on" : point.Novelty;

    private static TimeSpan Period(ProfilePoint point, Section settings, ProblemCollector problems)
    {
        if (settings.Duration("poll") is not { } period)
        {
            return point.Period;
        }

        if (point.Kind == PointKind.Text)
        {
            problems.Error(settings.At("poll"), $"'{point.Id}' is a text, and texts are read once, when the device is first reached", "Remove 'poll', or write 'off'");
            return point.Period;
        }

        if (period < TimeSpan.FromMilliseconds(50) || period > TimeSpan.FromDays(1))
        {
            problems.Error(settings.At("poll"), $"a poll period of {period.TotalMilliseconds} ms is not possible", "Write 50ms to 1d, or off");
        }

        return period;
    }

    private static CounterModel? Counter(ProfilePoint point, decimal ratio, decimal? ratedWatts)
    {
        if (point.Counter is not { } counter)
        {
            return null;
        }

        var rate = counter.MaxRatePerSecond * ratio;
        if (ratedWatts is { } watts && Units.Find(point.Unit) is { Dimension: Dimension.ActiveEnergy } unit)
        {
            rate = Units.RatePerSecond(watts * RatedPowerMargin, Units.Find("W")!, unit);
        }

        return counter with { RolloverAt = counter.RolloverAt * ratio, MaxRatePerSecond = rate };
    }

    private static List<DetectorModel> Detectors(ProfilePoint point, double factor, bool hasRange, Section settings, ProblemCollector problems, TimeSpan period, bool isNoveltyOff)
    {
        var detectors = new List<DetectorModel>();
        var isFlag = point.Detectors.ToLookup(d => d.Name == "flag");
        var fromProfile = isFlag[false].ToDictionary(d => d.Name, d => d.Scaled(factor));
        if (!settings.Has("flags"))
        {
            detectors.AddRange(isFlag[true]);
        }

        if (settings.Node("limits") is not YamlScalar)
        {
            var known = fromProfile.GetValueOrDefault("limit")?.Settings;
            if (DetectorSettings.Limit(settings.Block("limits", GatewayShape.Limits), known, problems) is { } limit)
            {
                detectors.Add(limit);
            }
        }

        if (hasRange && point.Kind == PointKind.Gauge)
        {
            detectors.Add(DetectorSettings.Range(detectors.Find(d => d.Name == "limit")));
        }

        var stuck = settings.Block("stuck", GatewayShape.Stuck);
        if ((stuck.IsPresent ? stuck.Duration("after") : settings.Duration("stuck")) is { } after)
        {
            detectors.Add(DetectorSettings.Stuck(after, stuck.Number("tolerance"), stuck.Number("idle")));
        }
        else if (!settings.Has("stuck") && fromProfile.TryGetValue("stuck", out var known))
        {
            detectors.Add(known);
        }

        var spike = settings.Block("spike", GatewayShape.Spike);
        if (spike.IsPresent)
        {
            detectors.Add(DetectorSettings.Spike(spike.Text("sensitivity") ?? "medium", spike.Number("minimum"), spike.Duration("quietFor")));
        }
        else if (!settings.Has("spike") && fromProfile.TryGetValue("spike", out var known))
        {
            detectors.Add(known);
        }

        var slip = settings.Block("slip", GatewayShape.Slip);
        if (slip.IsPresent)
        {
            if (Units.Find(point.Unit) is not { Dimension: Dimension.Speed or Dimension.RotationalSpeed })
            {
                problems.Error(slip.Place, $"'slip' watches the speed of a belt, '{point.Id}' is in {point.Unit}", "Move 'slip' to the belt's speed");
            }

            detectors.Add(DetectorSettings.Slip(slip));
        }

        if (IsNovelty(point, settings) ?? (!isNoveltyOff && NoveltyRule.Watches(point, period)))
        {
            if (point.Kind is not (PointKind.Gauge or PointKind.Text) || (point.Kind == PointKind.Gauge && period == TimeSpan.Zero))
            {
                problems.Error(settings.At("novelty"), $"'novelty' watches gauges that are read again and again, '{point.Id}' is none", "Remove 'novelty'");
            }

            detectors.Add(DetectorSettings.Novelty(point.FalseAlarmsPerDay));
        }

        return detectors;
    }
}
