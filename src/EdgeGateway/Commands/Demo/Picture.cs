using EdgeGateway.Core.Feed;

namespace EdgeGateway.Commands.Demo;

/// <summary>A value of a point as the broker delivered it.</summary>
/// <param name="Value">In the point's unit.</param>
/// <param name="Time">When it was read.</param>
internal readonly record struct SeenValue(double Value, DateTimeOffset Time);

/// <summary>The carbon account of a device, of the site or of the remainder: the sum of its entries so far.</summary>
internal readonly record struct CarbonSum(long Milligrams, decimal KWh, int Entries)
{
    public double Kilograms => Milligrams / 1e6;
}

/// <summary>An anomaly that stands.</summary>
internal sealed record SeenAnomaly(string Device, string Point, string Detector, DateTimeOffset Time, bool Raised, string Text);

/// <summary>What a receiver behind the broker knows of the site at one moment.</summary>
internal sealed record Picture
{
    /// <summary>Newest samples by <c>device.point</c>.</summary>
    public required IReadOnlyDictionary<string, SeenValue> Values { get; init; }

    /// <summary>Energy by device, the sum of the growths in the narrowest summaries, in kWh.</summary>
    public required IReadOnlyDictionary<string, decimal> Energy { get; init; }

    /// <summary>By device; the site's total is <c>site</c>, what no sub-meter explains <c>remainder</c>.</summary>
    public required IReadOnlyDictionary<string, CarbonSum> Carbon { get; init; }

    /// <summary>Anomalies that stand, oldest first.</summary>
    public required IReadOnlyList<SeenAnomaly> Anomalies { get; init; }

    /// <summary>Devices by whether they answer.</summary>
    public required IReadOnlyDictionary<string, bool> Online { get; init; }

    /// <summary>Records of the live lane.</summary>
    public required long Live { get; init; }

    /// <summary>Records of the history lane.</summary>
    public required long History { get; init; }

    /// <summary>Messages that could not be read.</summary>
    public required long Unreadable { get; init; }

    /// <summary>Sequence numbers that came again with other contents.</summary>
    public required long Changed { get; init; }

    /// <summary>The proof from the sequence numbers.</summary>
    public required LedgerReport Ledger { get; init; }

    /// <summary>True when every record is here once, with one content.</summary>
    public bool IsWhole => Ledger is { Missing: 0, Duplicated: 0, EpochChanges: 0 } && Changed == 0 && Unreadable == 0;

    /// <summary>The proof in words.</summary>
    public string LedgerLine => $"{Ledger.Received} records received, {Ledger.Line}{(Changed > 0 ? $", {Changed} CHANGED" : "")}{(Unreadable > 0 ? $", {Unreadable} UNREADABLE" : "")}";

    public double? Value(string point) => Values.TryGetValue(point, out var seen) ? seen.Value : null;

    public bool Stands(string detector, string device) => Anomalies.Any(a => a.Detector == detector && a.Device == device);
}
