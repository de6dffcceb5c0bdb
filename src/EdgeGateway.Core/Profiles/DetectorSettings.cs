using System.Collections.Frozen;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Profiles;

/// <summary>Detector settings as files write them. The keys of the settings are those of the table of detectors.</summary>
internal static class DetectorSettings
{
    private static readonly string[] Levels = ["lowAlarm", "low", "high", "highAlarm"];

    /// <summary>
    /// <c>limit</c>: <c>low</c>, <c>lowAlarm</c>, <c>high</c>, <c>highAlarm</c>, <c>hysteresis</c> in the point's unit, <c>holdSeconds</c>; what is
    /// written here goes over <paramref name="known"/>. Null when there is nothing to watch.
    /// </summary>
    public static DetectorModel? Limit(Section written, IReadOnlyDictionary<string, double>? known, ProblemCollector problems)
    {
        var settings = known is null ? [] : new Dictionary<string, double>(known);
        foreach (var key in Levels.Append("hysteresis"))
        {
            if (written.Number(key) is { } number)
            {
                settings[key] = (double)number;
            }
        }

        if (written.Duration("holdFor") is { } hold)
        {
            settings["holdSeconds"] = hold.TotalSeconds;
        }

        var levels = Levels.Where(settings.ContainsKey).ToList();
        if (levels.Count == 0)
        {
            if (written.IsPresent)
            {
                problems.Error(written.Place, "a limit needs 'low', 'high', 'lowAlarm' or 'highAlarm'", "Add at least one of them, in the point's unit");
            }

            return null;
        }

        for (var i = 1; i < levels.Count; i++)
        {
            var (below, above) = (levels[i - 1], levels[i]);
            var mayTouch = above == "low" || below == "high";
            if (settings[below] > settings[above] || (settings[below] == settings[above] && !mayTouch))
            {
                problems.Error(written.Place, $"the limit '{below}' of {settings[below]} is not below '{above}' of {settings[above]}", "Limits rise in the order lowAlarm, low, high, highAlarm; in gateway.yaml what is not written comes from the profile");
            }
        }

        if (settings.GetValueOrDefault("hysteresis") < 0)
        {
            problems.Error(written.At("hysteresis"), "a hysteresis is not negative", "Write 0 or more, in the point's unit");
        }

        return new("limit", settings);
    }

    /// <summary><c>range</c>: an alarm where <paramref name="limit"/> has alarm levels, which values beyond the plausible range never reach, and after the same time.</summary>
    public static DetectorModel Range(DetectorModel? limit) => new("range", new Dictionary<string, double>
    {
        ["severity"] = limit is not null && (limit.Settings.ContainsKey("lowAlarm") || limit.Settings.ContainsKey("highAlarm")) ? 2 : 1,
        ["holdSeconds"] = limit?.Settings.GetValueOrDefault("holdSeconds", RangeDetector.DefaultHoldSeconds) ?? RangeDetector.DefaultHoldSeconds,
    });

    /// <summary><c>stuck</c>: <c>windowSeconds</c>; <c>tolerance</c> and <c>idle</c> in the point's unit.</summary>
    public static DetectorModel Stuck(TimeSpan after, decimal? tolerance, decimal? idle)
    {
        var settings = new Dictionary<string, double> { ["windowSeconds"] = after.TotalSeconds };
        Put(settings, "tolerance", tolerance);
        Put(settings, "idle", idle);
        return new("stuck", settings);
    }

    /// <summary><c>spike</c>: <c>factor</c> in robust standard deviations, <c>minimum</c> in the point's unit, <c>quietSeconds</c>.</summary>
    public static DetectorModel Spike(string sensitivity, decimal? minimum = null, TimeSpan? quiet = null)
    {
        var settings = new Dictionary<string, double> { ["factor"] = sensitivity switch { "low" => 6, "high" => 3, _ => 4 } };
        Put(settings, "minimum", minimum);
        if (quiet is { } time)
        {
            settings["quietSeconds"] = time.TotalSeconds;
        }

        return new("spike", settings);
    }

    /// <summary><c>flag</c>: <c>bit</c>, <c>severity</c> 1 (warning) or 2 (alarm), <c>opens</c> 1 when 0 is the condition, <c>holdSeconds</c>.</summary>
    public static DetectorModel Flag(ProfileFlag flag, bool opens, TimeSpan hold) => new("flag", new Dictionary<string, double>
    {
        ["bit"] = flag.Bit,
        ["severity"] = flag.IsAlarm ? 2 : 1,
        ["opens"] = opens ? 1 : 0,
        ["holdSeconds"] = hold.TotalSeconds,
    })
    {
        Title = flag.TitleEnglish,
    };

    /// <summary><c>slip</c>: see the keys; the point <c>drive</c> is named as <c>device.point</c> or <c>point</c>.</summary>
    public static DetectorModel Slip(Section slip)
    {
        var settings = new Dictionary<string, double>();
        foreach (var key in (ReadOnlySpan<string>)["ratio", "minimumSpeed", "warnPercent", "alarmPercent", "hysteresisPercent"])
        {
            Put(settings, key, slip.Number(key));
        }

        foreach (var (key, name) in (ReadOnlySpan<(string, string)>)[("warnFor", "warnSeconds"), ("alarmFor", "alarmSeconds"), ("clearFor", "offDelaySeconds")])
        {
            Put(settings, name, (decimal?)slip.Duration(key)?.TotalSeconds);
        }

        return new("slip", settings) { Points = new Dictionary<string, string> { ["drive"] = slip.Text("drive") ?? "" } };
    }

    /// <summary><c>novelty</c>: <c>falseAlarmsPerDay</c> of the point alone, where it is given.</summary>
    public static DetectorModel Novelty(double? falseAlarmsPerDay) => new(
        NoveltyWatch.Name,
        falseAlarmsPerDay is { } own ? new Dictionary<string, double> { [NoveltyWatch.Budget] = own } : FrozenDictionary<string, double>.Empty);

    /// <summary>The detector for any gauge in its lean setting.</summary>
    public static DetectorModel InLean(this DetectorModel novelty) =>
        novelty with { Settings = new Dictionary<string, double>(novelty.Settings) { [NoveltyWatch.Lean] = 1 } };

    /// <summary>The settings with everything that is in the point's unit multiplied, for points behind transformers.</summary>
    public static DetectorModel Scaled(this DetectorModel detector, double factor)
    {
        if (factor == 1 || detector.Name is "flag" or "novelty")
        {
            return detector;
        }

        return detector with
        {
            Settings = detector.Settings.ToDictionary(
                s => s.Key,
                s => s.Key is "factor" || s.Key.EndsWith("Seconds", StringComparison.Ordinal) ? s.Value : s.Value * factor),
        };
    }

    private static void Put(Dictionary<string, double> settings, string key, decimal? value)
    {
        if (value is { } number)
        {
            settings[key] = (double)number;
        }
    }
}
