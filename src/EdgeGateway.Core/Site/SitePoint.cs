using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>Joins a point of a profile with the settings of the site.</summary>
internal static class SitePoint
{
    /// <summary>Energy that grows this much faster than the rated power is not believed: meters and ratings have tolerances.</summary>
    private const decimal RatedPowerMargin = 1.2m;

    /// <summary>Resolves a point; index and device index are filled in by the caller.</summary>
    public static PointModel Resolve(ProfilePoint point, DeviceModel device, decimal? ratedWatts, Section settings, ProblemCollector problems)
    {
        // A meter behind transformers reports secondary values: everything that the profile states in the unit grows with the ratio.
        var ratio = (point.AppliesCt ? device.CtRatio : 1) * (point.AppliesPt ? device.PtRatio : 1);
        var factor = (double)ratio;
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
            Period = Period(point, settings, problems),
            PlausibleMin = min,
            PlausibleMax = max,
            MaxRatePerSecond = (double?)plausible.Number("maxRate") ?? point.MaxRatePerSecond * factor,
            Counter = Counter(point, ratio, ratedWatts),
            Detectors = Detectors(point, factor, settings, problems),
            Carbon = point.Carbon,
            Symbols = point.Symbols,
        };
    }

    private static TimeSpan Period(ProfilePoint point, Section settings, ProblemCollector problems)
    {
        if (settings.Duration("poll") is not { } period)
        {
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

    private static List<DetectorModel> Detectors(ProfilePoint point, double factor, Section settings, ProblemCollector problems)
    {
        var detectors = new List<DetectorModel>();
        var fromProfile = point.Detectors.ToDictionary(d => d.Name);

        if (settings.Node("limits") is not YamlScalar)
        {
            var merged = new Dictionary<string, double>();
            if (fromProfile.TryGetValue("limit", out var limit))
            {
                foreach (var (key, value) in limit.Settings)
                {
                    merged[key] = key == "holdFor" ? value : value * factor;
                }
            }

            var written = settings.Block("limits", GatewayShape.Limits);
            foreach (var key in (ReadOnlySpan<string>)["low", "high", "hysteresis"])
            {
                if (written.Number(key) is { } number)
                {
                    merged[key] = (double)number;
                }
            }

            if (written.Duration("holdFor") is { } hold)
            {
                merged["holdFor"] = hold.TotalSeconds;
            }

            if (written.IsPresent && !merged.ContainsKey("low") && !merged.ContainsKey("high"))
            {
                problems.Error(written.Place, "limits need 'low' or 'high', and the profile states none", "Add at least one of them, in the point's unit");
            }
            else if (merged.TryGetValue("low", out var low) && merged.TryGetValue("high", out var high) && low >= high)
            {
                problems.Error(written.Place, $"the lower limit {low} of '{point.Id}' is not below the upper limit {high}", "Correct one of them; what is not written here comes from the profile");
            }

            if (merged.Count > 0)
            {
                detectors.Add(new("limit", merged));
            }
        }

        if (settings.Duration("stuck") is { } stuckFor)
        {
            detectors.Add(DetectorSettings.Stuck(stuckFor));
        }
        else if (!settings.Has("stuck") && fromProfile.TryGetValue("stuck", out var stuck))
        {
            detectors.Add(stuck);
        }

        var spike = settings.Block("spike", GatewayShape.Spike);
        if (spike.IsPresent)
        {
            detectors.Add(DetectorSettings.Spike(spike.Duration("window") ?? TimeSpan.FromMinutes(15), spike.Text("sensitivity") ?? "medium"));
        }
        else if (!settings.Has("spike") && fromProfile.TryGetValue("spike", out var known))
        {
            detectors.Add(known);
        }

        return detectors;
    }
}
