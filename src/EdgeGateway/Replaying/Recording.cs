using EdgeGateway.Core;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Replaying;

/// <summary>A value as it was recorded.</summary>
/// <param name="Time">When.</param>
/// <param name="Series">Place of its series in <see cref="Recording.Series"/>.</param>
/// <param name="Value">In the unit of the point; NaN when <paramref name="Quality"/> is bad.</param>
/// <param name="Raw">The register image, where it was recorded.</param>
/// <param name="Quality">Trust in the value.</param>
internal readonly record struct RecordedValue(Instant Time, int Series, double Value, ulong? Raw, Quality Quality);

/// <summary>What is known of one recorded point before it is replayed.</summary>
/// <param name="Device">Device id; null where the recording names none.</param>
/// <param name="Point">Point id, or the heading of the column.</param>
internal sealed record RecordedSeries(string? Device, string Point)
{
    private const int MostGaps = 1001;
    private readonly List<long> _gaps = [];
    private Instant? _last;

    /// <summary>Values and missing values in the recording.</summary>
    public long Count { get; private set; }

    /// <summary>Median time between two values, over the first thousand; one second where there are fewer than two.</summary>
    public TimeSpan Period => TimeSpan.FromMilliseconds(_gaps.Count == 0 ? 1000 : _gaps.Order().ElementAt(_gaps.Count / 2));

    /// <summary>Name as people write it.</summary>
    public override string ToString() => Device is null ? Point : $"{Device}.{Point}";

    /// <summary>Takes note of a value.</summary>
    public void Note(Instant time)
    {
        Count++;
        if (_last is { } last && time > last && _gaps.Count < MostGaps)
        {
            _gaps.Add((time - last).Ticks / TimeSpan.TicksPerMillisecond);
        }

        _last = time;
    }
}

/// <summary>A file with recorded samples. It is read twice: once to know what is in it, once to replay it.</summary>
internal abstract class Recording(string path)
{
    private const int MostTold = 20;
    private readonly List<RecordedSeries> _series = [];
    private readonly Dictionary<(string? Device, string Point), int> _places = [];
    private readonly List<string> _problems = [];

    /// <summary>Path as it was given.</summary>
    public string Path => path;

    /// <summary>The points in it, in the order of their first appearance.</summary>
    public IReadOnlyList<RecordedSeries> Series => _series;

    /// <summary>What could not be read, with line and column; at most the first twenty.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Values or lines that could not be read.</summary>
    public long Bad { get; private set; }

    /// <summary>First time in it; null when nothing is.</summary>
    public Instant? First { get; private set; }

    /// <summary>Last time in it.</summary>
    public Instant? Last { get; private set; }

    /// <summary>The site under which it was recorded last, where the recording itself knows; after the survey.</summary>
    public virtual SiteModel? Site => null;

    /// <summary>Reads it once, so that all properties are known.</summary>
    /// <param name="progress">Told the number of values now and then.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no recording of this kind; the message names file, line and column.</exception>
    public void Survey(Action<long> progress, CancellationToken cancel)
    {
        var count = 0L;
        foreach (var value in Read(isSurvey: true, cancel))
        {
            _series[value.Series].Note(value.Time);
            First = First is { } first && first <= value.Time ? first : value.Time;
            Last = Last is { } last && last >= value.Time ? last : value.Time;
            if ((++count & 0xFFFF) == 0)
            {
                progress(count);
            }
        }
    }

    /// <summary>Its values in the order of the file.</summary>
    public IEnumerable<RecordedValue> Values(CancellationToken cancel) => Read(isSurvey: false, cancel);

    /// <summary>Reads it; what is wrong is told in the survey only.</summary>
    protected abstract IEnumerable<RecordedValue> Read(bool isSurvey, CancellationToken cancel);

    /// <summary>Place of a series, which begins here when it is new.</summary>
    protected int PlaceOf(string? device, string point)
    {
        if (!_places.TryGetValue((device, point), out var place))
        {
            place = _series.Count;
            _places.Add((device, point), place);
            _series.Add(new(device, point));
        }

        return place;
    }

    /// <summary>Counts what could not be read, and keeps the first words about it.</summary>
    protected void Tell(bool isSurvey, string problem)
    {
        if (!isSurvey)
        {
            return;
        }

        Bad++;
        if (_problems.Count < MostTold)
        {
            _problems.Add(problem);
        }
    }
}
