using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>What each hour of the day usually brings, and where that tells more, each hour of a working day and of a weekend day.</summary>
/// <remarks>The means forget: a day weighs about a seventh of its hour's mean at one sample an hour, less with more. Working days and weekends are told apart only while that has predicted at least a tenth better.</remarks>
internal sealed class Rhythm
{
    private const int Hours = 24;
    private const double LeastWeight = 0.15;
    private const int LeastWeightCount = 7; // 1/6 is above it, 1/7 below.
    private const int SlowestCount = 1000;
    private const int EnoughForWeek = 300;
    private const double WeekMustBeBetter = 1.1;
    private const long MillisecondsPerHour = 3_600_000;

    // Hours of any day; then of working days; then of weekend days.
    private readonly float[] _means;
    private readonly byte[] _counts;
    private readonly long _offset;
    private double _dayError;
    private double _weekError;
    private int _judged;
    private int _weekJudged;

    /// <param name="weekly">Whether working days and weekends are told apart; costs 240 bytes.</param>
    /// <param name="utcOffset">What the site's clock shows over UTC.</param>
    public Rhythm(bool weekly, TimeSpan utcOffset)
    {
        _means = new float[weekly ? 3 * Hours : Hours];
        _counts = new byte[_means.Length];
        _offset = (long)utcOffset.TotalMilliseconds;
    }

    /// <summary>How far <paramref name="value"/> lies above what its hour usually brings, 0 while that is not known; then learns it.</summary>
    /// <param name="unixMilliseconds">Time of the value.</param>
    /// <param name="value">The value.</param>
    public double Observe(long unixMilliseconds, double value)
    {
        var hours = Math.DivRem(unixMilliseconds + _offset, MillisecondsPerHour, out var rest);
        hours -= rest < 0 ? 1 : 0;
        var hour = (int)(((hours % Hours) + Hours) % Hours);
        _judged = Math.Min(_judged + 1, SlowestCount);
        var byDay = Learn(hour, value, out var isDayKnown);
        var residual = byDay;
        if (_means.Length > Hours)
        {
            // 1 January 1970 was a Thursday: counted from Monday, day 3.
            var day = (hours - hour) / Hours;
            var isWeekend = (((day + 3) % 7) + 7) % 7 >= 5;
            var byWeek = Learn(Hours + hour + (isWeekend ? Hours : 0), value, out var isWeekKnown);
            if (isWeekKnown && _weekJudged > EnoughForWeek && WeekMustBeBetter * _weekError < _dayError)
            {
                residual = byWeek;
            }

            if (isDayKnown)
            {
                _weekJudged = isWeekKnown ? Math.Min(_weekJudged + 1, EnoughForWeek + 1) : _weekJudged;
                _dayError += (Math.Abs(byDay) - _dayError) / _judged;
                _weekError += (Math.Abs(isWeekKnown ? byWeek : byDay) - _weekError) / _judged;
            }
        }

        return residual;
    }

    public void Clear()
    {
        Array.Clear(_counts);
        _dayError = _weekError = 0;
        _judged = _weekJudged = 0;
    }

    public void Save(StateWriter writer)
    {
        foreach (var mean in _means)
        {
            writer.Write(BitConverter.SingleToInt32Bits(mean));
        }

        writer.Write(_counts);
        writer.Write(_dayError);
        writer.Write(_weekError);
        writer.Write(_judged);
        writer.Write(_weekJudged);
    }

    public void Load(ref StateReader reader)
    {
        foreach (ref var mean in _means.AsSpan())
        {
            mean = BitConverter.Int32BitsToSingle(reader.ReadInt32());
        }

        var counts = reader.ReadBytes();
        if (counts.Length != _counts.Length)
        {
            throw new InvalidDataException($"The state holds {counts.Length} hours where {_counts.Length} are kept: it is of other settings.");
        }

        counts.CopyTo(_counts);
        _dayError = reader.ReadDouble();
        _weekError = reader.ReadDouble();
        _judged = reader.ReadInt32();
        _weekJudged = reader.ReadInt32();
    }

    private double Learn(int bin, double value, out bool isKnown)
    {
        ref var mean = ref _means[bin];
        ref var count = ref _counts[bin];
        isKnown = count >= 2;
        var residual = value - mean;
        count = (byte)Math.Min(count + 1, byte.MaxValue);
        mean = count == 1 ? (float)value : (float)(mean + ((count < LeastWeightCount ? 1.0 / count : LeastWeight) * residual));
        return isKnown ? residual : 0;
    }
}
