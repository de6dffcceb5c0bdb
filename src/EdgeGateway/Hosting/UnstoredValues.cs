using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Uplinks;

namespace EdgeGateway.Hosting;

/// <summary>While nothing can be stored, hands what is read to the uplinks, unnumbered: nothing of it is accepted (decision 0006).</summary>
internal sealed class UnstoredValues(SiteModel site, PointNumbers? numbers = null)
{
    private readonly VolatileEncoder _encoder = new(site);
    private readonly VolatileValues _values = new();
    private readonly List<Reading> _readings = [];
    private NewestReadings? _newest;

    /// <summary>The newest values, for the uplinks.</summary>
    public IVolatileSource Source => _values;

    /// <summary>Since when nothing can be stored.</summary>
    public Instant Since { get; private set; }

    /// <summary>From now on the queue notes the newest reading of each point.</summary>
    public void Begin(ReadingQueue queue, Instant since)
    {
        Since = since;
        _newest = new NewestReadings(site.Points.Count, numbers);
        queue.Note(_newest);
    }

    /// <summary>Offers what was read since the last time.</summary>
    public void Offer(GatewayClock clock)
    {
        _readings.Clear();
        _newest?.Take(_readings);
        List<Sample> samples = [.. _readings
            .Where(r => site.Points[r.Point].Kind != PointKind.Text)
            .Select(r => new Sample(r.Point, clock.At(r.Monotonic), r.Value, r.Raw, r.Quality))];
        if (samples.Count > 0)
        {
            _values.Offer(_encoder.Write(samples, Since));
        }
    }

    /// <summary>The store is back.</summary>
    /// <returns>Readings that found no place in the queue meanwhile.</returns>
    public long End(ReadingQueue queue)
    {
        queue.Note(null);
        _values.Clear();
        var notKept = _newest?.NotKept ?? 0;
        _newest = null;
        return notKept;
    }
}
