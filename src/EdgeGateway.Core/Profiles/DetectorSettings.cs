using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Profiles;

/// <summary>Detector settings as files write them. The keys of the settings are the contract with the detector table.</summary>
internal static class DetectorSettings
{
    /// <summary>
    /// <c>limit</c>: <c>low</c>, <c>high</c>, <c>hysteresis</c> in the point's unit, <c>holdFor</c> in seconds; each only where it is stated.
    /// Null when there is nothing to watch.
    /// </summary>
    public static DetectorModel? Limit(Section alarm, ProblemCollector problems)
    {
        var settings = new Dictionary<string, double>();
        foreach (var key in (ReadOnlySpan<string>)["low", "high", "hysteresis"])
        {
            if (alarm.Number(key) is { } number)
            {
                settings[key] = (double)number;
            }
        }

        if (alarm.Duration("holdFor") is { } hold)
        {
            settings["holdFor"] = hold.TotalSeconds;
        }

        if (!settings.ContainsKey("low") && !settings.ContainsKey("high"))
        {
            problems.Error(alarm.Place, "a limit needs 'low' or 'high'", "Add at least one of them, in the point's unit");
            return null;
        }

        if (settings.TryGetValue("low", out var low) && settings.TryGetValue("high", out var high) && low >= high)
        {
            problems.Error(alarm.At("low"), $"the lower limit {low} is not below the upper limit {high}", "Exchange or correct them");
        }

        if (settings.TryGetValue("hysteresis", out var hysteresis) && hysteresis < 0)
        {
            problems.Error(alarm.At("hysteresis"), "a hysteresis is not negative", "Write 0 or more, in the point's unit");
        }

        return new("limit", settings);
    }

    /// <summary><c>stuck</c>: <c>stuckFor</c> in seconds.</summary>
    public static DetectorModel Stuck(TimeSpan stuckFor) =>
        new("stuck", new Dictionary<string, double> { ["stuckFor"] = stuckFor.TotalSeconds });

    /// <summary><c>spike</c>: <c>window</c> in seconds, <c>threshold</c> in robust standard deviations.</summary>
    public static DetectorModel Spike(TimeSpan window, string sensitivity) => new("spike", new Dictionary<string, double>
    {
        ["window"] = window.TotalSeconds,
        ["threshold"] = sensitivity switch { "low" => 8, "high" => 4, _ => 6 },
    });
}
