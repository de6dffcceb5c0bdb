using System.Globalization;
using EdgeGateway.Protocols.Hj212;

namespace EdgeGateway.Uplinks.Hj212;

/// <summary>A sample as HJ 212 sends it.</summary>
/// <param name="Time">When it was read.</param>
/// <param name="Code">Its factor.</param>
/// <param name="IsCorrected">Whether it is the value at reference oxygen.</param>
/// <param name="Digits">Its digits; null when there is no value.</param>
/// <param name="Flag">Its flag; corrected values have none.</param>
internal readonly record struct Hj212Sample(DateTimeOffset Time, string Code, bool IsCorrected, string? Digits, string? Flag);

/// <summary>
/// Samples of one lane on their way to real-time packets: one for each interval, whatever rows they come in, with the newest value of each factor. Its DataTime is the instant of
/// the newest sample (HJ 212-2017, 6.3.2).
/// </summary>
internal sealed class Hj212Intervals
{
    // A commit brings samples up to its window and a poll later.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly SortedDictionary<long, Interval> _open = [];

    /// <summary>Takes a sample.</summary>
    /// <param name="row">The row that it stands in, which stays open until the interval is settled.</param>
    /// <param name="sample">The sample.</param>
    /// <param name="width">Width of an interval.</param>
    /// <param name="now">Monotonic time.</param>
    public void Add(Hj212OpenRow row, in Hj212Sample sample, TimeSpan width, TimeSpan now)
    {
        var begin = sample.Time.UtcTicks - (sample.Time.UtcTicks % width.Ticks);
        if (!_open.TryGetValue(begin, out var interval))
        {
            interval = _open[begin] = new(begin + width.Ticks, now + width + Grace);
        }

        interval.Add(row, sample);
    }

    /// <summary>The oldest interval to which nothing more comes; null when there is none.</summary>
    /// <param name="isEnd">Whether nothing that was stored is left to read in the lane, nor comes later.</param>
    /// <param name="isIdle">Whether nothing is left to read now.</param>
    /// <param name="utcNow">Wall clock.</param>
    /// <param name="now">Monotonic time.</param>
    /// <param name="local">Local time of an instant.</param>
    public Hj212Parcel? Take(bool isEnd, bool isIdle, DateTimeOffset utcNow, TimeSpan now, Func<DateTimeOffset, DateTime> local)
    {
        if (_open.Count == 0)
        {
            return null;
        }

        var (begin, interval) = _open.First();
        if (_open.Count == 1 && !isEnd && !(isIdle && (utcNow.UtcTicks >= interval.End + Grace.Ticks || now >= interval.Latest)))
        {
            return null;
        }

        _open.Remove(begin);
        return interval.Close(local);
    }

    /// <summary>What a factor has shown in an interval, with the times that make newer ones win.</summary>
    private sealed class Factor
    {
        public (DateTimeOffset Time, string? Digits) Value { get; set; }

        public (DateTimeOffset Time, string? Digits) Corrected { get; set; }

        public string? Flag { get; set; }
    }

    private sealed class Interval(long end, TimeSpan latest)
    {
        private readonly SortedDictionary<string, Factor> _factors = new(StringComparer.Ordinal);
        private readonly List<Hj212OpenRow> _rows = [];
        private DateTimeOffset _newest;

        public long End => end;

        public TimeSpan Latest => latest;

        public void Add(Hj212OpenRow row, in Hj212Sample sample)
        {
            if (_rows.Count == 0 || _rows[^1] != row)
            {
                _rows.Add(row);
                row.Open++;
            }

            var factor = _factors.TryGetValue(sample.Code, out var known) ? known : _factors[sample.Code] = new();
            if (sample.IsCorrected && sample.Time >= factor.Corrected.Time)
            {
                factor.Corrected = (sample.Time, sample.Digits);
            }
            else if (!sample.IsCorrected && sample.Time >= factor.Value.Time)
            {
                factor.Value = (sample.Time, sample.Digits);
                factor.Flag = sample.Flag;
            }

            _newest = sample.Time > _newest ? sample.Time : _newest;
        }

        public Hj212Parcel Close(Func<DateTimeOffset, DateTime> local)
        {
            List<IReadOnlyList<Hj212Field>> groups = [[new("DataTime", Hj212Time.Write(local(_newest)))]];
            foreach (var (code, factor) in _factors)
            {
                List<Hj212Field> fields = [];
                Put(fields, string.Create(CultureInfo.InvariantCulture, $"{code}-Rtd"), factor.Value.Digits);
                Put(fields, string.Create(CultureInfo.InvariantCulture, $"{code}-ZsRtd"), factor.Corrected.Digits);
                Put(fields, string.Create(CultureInfo.InvariantCulture, $"{code}-Flag"), factor.Flag);
                if (fields.Count > 0)
                {
                    groups.Add(fields);
                }
            }

            // A time alone is no data, and platforms refuse it.
            return new(groups.Count > 1 ? [new(Hj212Command.RealTime, groups)] : [], _rows);
        }

        private static void Put(List<Hj212Field> fields, string key, string? value)
        {
            if (value is not null)
            {
                fields.Add(new(key, value));
            }
        }
    }
}
