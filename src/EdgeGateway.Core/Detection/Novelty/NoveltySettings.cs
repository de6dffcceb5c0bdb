namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>What a novelty detector may cost. The two presets are all that is offered: what is found does not depend on settings made for one signal.</summary>
public sealed record NoveltySettings
{
    private NoveltySettings()
    {
    }

    /// <summary>For every point; its published score is the product's. 8 KiB a point.</summary>
    public static NoveltySettings Full { get; } = new() { Levels = 256, Spacing = 256, HasLongMean = true, IsWeekly = true };

    /// <summary>For very many points or very little memory: fewer levels, no mean over 288 values, no weekends. 2 KiB a point.</summary>
    public static NoveltySettings Lean { get; } = new() { Levels = 48, Spacing = 96, HasLongMean = false, IsWeekly = false };

    /// <summary>What the site's clock shows over UTC: days and weekends begin there.</summary>
    public TimeSpan UtcOffset { get; init; }

    internal int Levels { get; private init; }

    internal int Spacing { get; private init; }

    internal bool HasLongMean { get; private init; }

    internal bool IsWeekly { get; private init; }
}
