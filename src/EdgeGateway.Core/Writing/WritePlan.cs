using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Writing;

/// <summary>A write that every rule allows: the words to send and what must be seen afterwards.</summary>
public sealed record WritePlan
{
    public required DeviceModel Device { get; init; }

    public required WritablePoint Point { get; init; }

    /// <summary>The value as it was asked for.</summary>
    public required string Asked { get; init; }

    /// <summary>The value that the register will hold, in the point's unit: what is compared and recorded.</summary>
    public required double Value { get; init; }

    /// <summary>Registers in address order, or 0 or 1 for a coil; sent in one request.</summary>
    public required IReadOnlyList<ushort> Words { get; init; }

    /// <summary>How long the value holds; null: until it is written again.</summary>
    public required TimeSpan? For { get; init; }

    /// <summary>Why, in the asker's words.</summary>
    public required string Reason { get; init; }

    /// <summary>Who asks.</summary>
    public required string Who { get; init; }

    /// <summary>
    /// Whether a value that was read back shows that the write had its effect. The value itself always does. One that is only within the declared
    /// tolerance does when it has moved; where the value before is not known, when the device said that it took the write.
    /// </summary>
    /// <param name="shown">The value that was read back.</param>
    /// <param name="before">What was shown before the write; null when that is not known.</param>
    /// <param name="acknowledged">Whether the device answered that it wrote.</param>
    public bool IsConfirmedBy(double shown, double? before, bool acknowledged)
    {
        var off = Math.Abs(shown - Value);
        return off <= Math.Min(Point.Resolution, Point.Tolerance) || (off <= Point.Tolerance && (before is { } known ? known != shown : acknowledged));
    }
}
