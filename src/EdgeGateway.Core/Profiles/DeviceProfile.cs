namespace EdgeGateway.Core.Profiles;

/// <summary>What is known of a device model: facts about the type, nothing about a site. Read from <c>device-profiles/&lt;kind&gt;/&lt;vendor&gt;-&lt;model&gt;.yaml</c>.</summary>
public sealed record DeviceProfile
{
    public required string Id { get; init; }

    /// <summary>Kind of device: <c>energy-meter</c>, <c>drive</c>, <c>belt-scale</c>, <c>gas-analyser</c> ...</summary>
    public required string Kind { get; init; }

    public required string Vendor { get; init; }

    public required IReadOnlyList<string> Models { get; init; }

    public required int Revision { get; init; }

    public required string TitleEnglish { get; init; }

    public string? TitleChinese { get; init; }

    /// <summary>Most registers the device answers in one request.</summary>
    public required int MaxRegistersPerRead { get; init; }

    /// <summary>Whether addresses that the profile does not name may be read to join two blocks.</summary>
    public required bool MayReadGaps { get; init; }

    /// <summary>Quiet time the device needs between two requests.</summary>
    public required TimeSpan MinGap { get; init; }

    /// <summary>Points in the order of the file, phases expanded.</summary>
    public required IReadOnlyList<ProfilePoint> Points { get; init; }
}

/// <summary>One quantity of a device model, after defaults and phases have been filled in.</summary>
public sealed record ProfilePoint
{
    public required string Id { get; init; }

    public required Site.PointKind Kind { get; init; }

    public required string Role { get; init; }

    public required string Unit { get; init; }

    public required RegisterEncoding Encoding { get; init; }

    public required TimeSpan Period { get; init; }

    public double? PlausibleMin { get; init; }

    public double? PlausibleMax { get; init; }

    public double? MaxRatePerSecond { get; init; }

    public Site.CounterModel? Counter { get; init; }

    public IReadOnlyList<Site.DetectorModel> Detectors { get; init; } = [];

    public Site.CarbonModel? Carbon { get; init; }

    public IReadOnlyDictionary<long, string>? Symbols { get; init; }

    /// <summary>Whether the site's current transformer ratio multiplies the value.</summary>
    public bool AppliesCt { get; init; }

    /// <summary>Whether the site's voltage transformer ratio multiplies the value.</summary>
    public bool AppliesPt { get; init; }
}
