namespace EdgeGateway.Core.Profiles;

/// <summary>What a profile allows to be written to a point. A site may narrow it, never widen it.</summary>
public sealed record ProfileWrite
{
    /// <summary>Smallest value that may be written, in the point's unit; null when <see cref="Values"/> says which.</summary>
    public decimal? Min { get; init; }

    /// <summary>Largest value that may be written, in the point's unit.</summary>
    public decimal? Max { get; init; }

    /// <summary>Values stand this far apart, counted from <see cref="Min"/>; null: as fine as the register is.</summary>
    public decimal? Step { get; init; }

    /// <summary>The only values that may be written, in the point's unit; null: all from <see cref="Min"/> to <see cref="Max"/>.</summary>
    public IReadOnlyList<decimal>? Values { get; init; }

    /// <summary>Whether one register or coil is written by function 05 or 06, and not by 15 or 16 (MODBUS V1.1b3, 6.5, 6.6, 6.11, 6.12).</summary>
    public required bool Single { get; init; }

    /// <summary>Time from the reply to the write until the value is read back.</summary>
    public required TimeSpan ReadBackAfter { get; init; }

    /// <summary>How far what is read back may be from what was written, in the point's unit; null: half a step of the register.</summary>
    public decimal? Tolerance { get; init; }

    /// <summary>The point that shows the effect; null: the point itself.</summary>
    public string? ReadBackPoint { get; init; }

    /// <summary>The value to which a write for a time falls back, in the point's unit; null when the model has none.</summary>
    public decimal? Safe { get; init; }
}
