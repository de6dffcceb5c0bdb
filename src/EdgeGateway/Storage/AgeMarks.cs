using System.Globalization;
using System.Text;

namespace EdgeGateway.Storage;

/// <summary>
/// Which rows have waited longer than a limit, by the time the store was open in all: the monotonic clock of each run, added up. No wall clock takes
/// part, so that a clock set forward by two weeks makes nothing old (requirement E-3); time in which the gateway was off does not count.
/// </summary>
/// <remarks>A mark says which row was the newest at a time. There is one for each thirty-second part of the limit, so rows go up to that much later.</remarks>
internal sealed class AgeMarks(string headName, TimeSpan limit)
{
    private const int Parts = 32;

    private readonly long _limit = (long)limit.TotalMilliseconds;
    private readonly List<(long At, long Id)> _marks = [];

    public string HeadName { get; } = headName;

    /// <summary>Newest row that is older than the limit; 0 for none.</summary>
    /// <param name="now">Milliseconds the store was open in all.</param>
    public long Expired(long now)
    {
        var expired = 0L;
        foreach (var (at, id) in _marks)
        {
            expired = at <= now - _limit ? id : expired;
        }

        return expired;
    }

    /// <summary>True when the next mark is due.</summary>
    public bool IsDue(long now) => _marks.Count == 0 || now - _marks[^1].At >= _limit / Parts;

    /// <summary>Notes that <paramref name="lastRowId"/> is the newest row now, and forgets what is not needed any more.</summary>
    public void Mark(long now, long lastRowId)
    {
        while (_marks.Count > 1 && _marks[1].At <= now - _limit)
        {
            _marks.RemoveAt(0);
        }

        _marks.Add((now, lastRowId));
    }

    public string Format()
    {
        var text = new StringBuilder();
        foreach (var (at, id) in _marks)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length == 0 ? "" : ",")}{at}:{id}");
        }

        return text.ToString();
    }

    /// <summary>Takes over what <see cref="Format"/> wrote; what is not a mark is left out, so that rows go later rather than earlier.</summary>
    public void Load(string? text)
    {
        _marks.Clear();
        foreach (var mark in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = mark.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0
                && long.TryParse(mark.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var at)
                && long.TryParse(mark.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                _marks.Add((at, id));
            }
        }
    }
}
