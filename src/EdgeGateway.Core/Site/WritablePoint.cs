using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>
/// A point of a device that its profile declares writable, with the limits that hold at this site: those of the profile, narrowed by
/// <c>gateway.yaml</c>. Kept apart from <see cref="PointModel"/>: what is polled knows nothing of writing.
/// </summary>
public sealed record WritablePoint
{
    /// <summary>Identifier within the device.</summary>
    public required string Id { get; init; }

    /// <summary>UCUM code of the unit of every number here.</summary>
    public required string Unit { get; init; }

    /// <summary>Where and how it is written: coils or holding registers.</summary>
    public required RegisterEncoding Encoding { get; init; }

    /// <summary>Names of the raw values of a state, or null.</summary>
    public IReadOnlyDictionary<long, string>? Symbols { get; init; }

    /// <summary>Whether the site allows writing; false unless <c>allowWrites: true</c> stands at the device.</summary>
    public required bool Allowed { get; init; }

    /// <summary>Smallest value; null when <see cref="Values"/> says which.</summary>
    public decimal? Min { get; init; }

    /// <summary>Largest value.</summary>
    public decimal? Max { get; init; }

    /// <summary>Values stand this far apart, counted from the profile's smallest; null: as fine as the register is.</summary>
    public decimal? Step { get; init; }

    /// <summary>Where the steps are counted from.</summary>
    public decimal StepFrom { get; init; }

    /// <summary>The only values, or null.</summary>
    public IReadOnlyList<decimal>? Values { get; init; }

    /// <summary>Whether function 05 or 06 is used for one coil or register.</summary>
    public required bool Single { get; init; }

    /// <summary>Time from the reply to the write until the value is read back.</summary>
    public required TimeSpan ReadBackAfter { get; init; }

    /// <summary>How far what is read back may be from what was written.</summary>
    public required double Tolerance { get; init; }

    /// <summary>How far apart two readings of the same value can be: half a step of the coarser register, 0 where only certain values exist.</summary>
    public required double Resolution { get; init; }

    /// <summary>Id of the point that shows the effect; often this one.</summary>
    public required string ReadBackId { get; init; }

    /// <summary>Where the effect is read.</summary>
    public required RegisterEncoding ReadBack { get; init; }

    /// <summary>The value to which a write for a time falls back; null: writes for a time are refused.</summary>
    public decimal? Safe { get; init; }

    /// <summary>Longest time a value may hold, and the time when none is asked for; null: a value may hold for good.</summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>Whether a clean stop of the gateway writes the safe value first, when a value holds for a time.</summary>
    public bool SafeAtStop { get; init; }

    /// <summary>A value with its unit, or the symbol of a state: <c>on</c>, <c>42.5 Hz</c>.</summary>
    public string Describe(double value)
    {
        if (Symbols is not null && value == Math.Truncate(value) && Math.Abs(value) < 1e15)
        {
            foreach (var (raw, name) in Symbols)
            {
                if (RegisterCodec.DecodeRaw(Encoding, unchecked((ulong)raw), out var meant) == DecodeStatus.Ok && meant == value)
                {
                    return name;
                }
            }
        }

        var number = value.ToString("G9", System.Globalization.CultureInfo.InvariantCulture);
        return Unit == "1" ? number : $"{number} {Unit}";
    }
}
