using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Polling;

/// <summary>
/// What has been learned of one device from its replies: which registers it refuses, where a request may not reach across, and how much it answers
/// at once. Deterministic: the same replies at the same times give the same map. Its size is bounded by the device's points.
/// </summary>
public sealed class DeviceMap
{
    private readonly TableMap[] _tables;
    private long _nextRecall = long.MinValue;

    internal DeviceMap(IEnumerable<PointPlace> places, IEnumerable<(RegisterTable Table, AddressWindow Window)> named, ReadLimits limits)
    {
        var others = named.Distinct().ToLookup(n => n.Table, n => n.Window);
        _tables = [.. places.GroupBy(p => p.Table).OrderBy(g => g.Key).Select(g => new TableMap(g.Key, g.Select(p => p.Window).Distinct().Order(), others[g.Key].Order(), limits))];
    }

    /// <summary>Spans (one or more points at one place) that the device has answered at least once.</summary>
    public int SpansThatWorked => _tables.Sum(t => t.Spans.Count(s => s.HasWorked));

    /// <summary>Spans that are asked alone and less often, because the device refuses them or does not answer.</summary>
    public int SpansRefused => _tables.Sum(t => t.Spans.Count(s => s.IsIsolated));

    /// <summary>Spans among these that never came and are only asked once an hour.</summary>
    public int SpansDropped => _tables.Sum(t => t.Spans.Count(s => s.IsDropped));

    /// <summary>What was learned beyond the profile, in words; empty when the device answers as its profile says.</summary>
    public IReadOnlyList<string> Describe() => [.. _tables.SelectMany(t => t.Describe())];

    internal TableMap[] Tables => _tables;

    internal int Version
    {
        get
        {
            var version = 0;
            foreach (var table in _tables)
            {
                version += table.Version;
            }

            return version;
        }
    }

    /// <summary>
    /// The device may have woken up: what it has refused since the start is asked now, and is not dropped for ten minutes. Within ten minutes of
    /// the last time nothing is asked at once, so that a device that comes and goes is not asked for what it does not have over and over.
    /// </summary>
    internal void Recall(long now)
    {
        var askNow = now >= _nextRecall;
        _nextRecall = askNow ? now + TableMap.TimeUntilDropped : _nextRecall;
        foreach (var table in _tables)
        {
            table.Recall(now, askNow);
        }
    }

    internal TableMap Of(RegisterTable table)
    {
        foreach (var map in _tables)
        {
            if (map.Table == table)
            {
                return map;
            }
        }

        throw new ArgumentException($"The device has no points among the {TableNames.Of(table)}.", nameof(table));
    }
}
