namespace EdgeGateway.Core;

/// <summary>One reading of one point, or the reason why there is none.</summary>
/// <param name="Point">Index of the point in <see cref="Site.SiteModel.Points"/>.</param>
/// <param name="Time">When the reply arrived at the gateway.</param>
/// <param name="Value">The value in the point's unit; NaN when <see cref="Quality"/> is bad.</param>
/// <param name="Raw">
/// The register image as read, right-aligned: the unsigned integer for integer encodings, the IEEE 754 bits for floats. Kept so
/// that counters are differenced exactly and an auditor sees what the device said. 0 when there is no value.
/// </param>
/// <param name="Quality">Trust in the value.</param>
public readonly record struct Sample(int Point, Instant Time, double Value, ulong Raw, Quality Quality)
{
    /// <summary>A sample that says why there is no value.</summary>
    public static Sample Missing(int point, Instant time, QualityReason reason, byte detail = 0) =>
        new(point, time, double.NaN, 0, Quality.Bad(reason, detail));
}
