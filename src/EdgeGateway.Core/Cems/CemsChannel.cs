using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>What one point has given to the hour that runs: points, minutes, quarters and flags. Times are Unix milliseconds.</summary>
internal sealed class CemsChannel
{
    private const long MinuteMs = 60_000;
    private const long QuarterMs = 900_000;

    // A reading speaks for the time up to the next one, but not for longer than so many periods: one or two that are lost are no gap.
    private const int HeldPeriods = 3;

    // No instrument: what is beyond is no value, and sums of an hour of what is inside can be computed.
    private const double Absurd = 1e12;

    private readonly Unit _unit;
    private readonly decimal _perWorking;
    private readonly long _holdMs;
    private readonly int[] _quarters = new int[4];
    private readonly int[] _flags = new int[8];
    private long _minute = -1;
    private decimal _minuteSum;
    private int _minuteCount;
    private decimal _minutesSum;

    // The newest sample, until the status of the same poll has been heard.
    private bool _hasPending;
    private decimal? _pending;
    private CemsFlag _pendingFlag;
    private int _pendingQuarter;

    // The newest sample with a value; null when what came last had none.
    private long? _heard;
    private long _heardMs;

    /// <summary>A channel for a point.</summary>
    /// <param name="point">The point.</param>
    /// <param name="dimensions">What it may measure; the first is wanted.</param>
    /// <param name="canonicalPerWorking">Canonical units in one unit in which the channel is accounted: 10000 for percent by volume, whose canonical unit is ppm.</param>
    /// <exception cref="ArgumentException">The point is no gauge, measures something else, or is read only once.</exception>
    public CemsChannel(PointModel point, ReadOnlySpan<Dimension> dimensions, decimal canonicalPerWorking)
    {
        Point = point;
        var unit = Units.Find(point.Unit);
        if (point.Kind != PointKind.Gauge || unit is null || !dimensions.Contains(unit.Dimension))
        {
            throw new ArgumentException($"'{point.Id}' is in {point.Unit} and cannot be used here");
        }

        if (point.Period <= TimeSpan.Zero)
        {
            throw new ArgumentException($"'{point.Id}' is read only once");
        }

        _unit = unit;
        _holdMs = HeldPeriods * (point.Period.Ticks / TimeSpan.TicksPerMillisecond);

        // A share without a dimension is percent of volume: 0.01 of the canonical unit 1.
        _perWorking = unit.Dimension == Dimension.One ? 0.01m : canonicalPerWorking;
    }

    /// <summary>The point.</summary>
    public PointModel Point { get; }

    /// <summary>What the point measures.</summary>
    public Dimension Dimension => _unit.Dimension;

    /// <summary>Valid points of the hour.</summary>
    public int Count { get; private set; }

    /// <summary>Their sum.</summary>
    public decimal Sum { get; private set; }

    /// <summary>Valid minutes of the hour (12 samples and more).</summary>
    public int Minutes { get; private set; }

    /// <summary>Valid points by quarter.</summary>
    public ReadOnlySpan<int> Quarters => _quarters;

    /// <summary>Whether points were lost to calibration or maintenance.</summary>
    public bool HasQa => _flags[(int)CemsFlag.Calibration] + _flags[(int)CemsFlag.Maintenance] > 0;

    /// <summary>The mean of the newest minute with a valid point; null when the newest minute had none.</summary>
    public decimal? LatestMinute { get; private set; }

    /// <summary>A value of the point in the unit in which the channel is accounted; null when it is none.</summary>
    public decimal? Convert(double value) => Math.Abs(value) < Absurd ? (((decimal)value * _unit.Factor) + _unit.Offset) / _perWorking : null;

    /// <summary>The point was read at <paramref name="time"/>, with a value or without.</summary>
    /// <param name="hasValue">Whether there is a value, of stack gas or not.</param>
    /// <param name="time">Its time.</param>
    /// <param name="from">Since when the part of the hour that runs is watched.</param>
    public void Hear(bool hasValue, long time, long from)
    {
        Credit(time, from);
        _heard = hasValue ? Math.Max(time, _heard ?? time) : null;
    }

    /// <summary>Ends the part of the hour from <paramref name="from"/> to <paramref name="end"/>: the share of it in which the point was heard, 0 to 1.</summary>
    public double EndCoverage(long from, long end)
    {
        Credit(end, from);
        return end <= from ? 0 : Math.Min(1, (double)_heardMs / (end - from));
    }

    /// <summary>Takes a sample of the time in which the unit operates.</summary>
    /// <param name="value">In the channel's unit; null when there is none.</param>
    /// <param name="flag">Why it counts, or does not.</param>
    /// <param name="time">Its time.</param>
    /// <param name="hour">Start of the hour.</param>
    /// <param name="waits">Whether the status of the same poll may still say that it was calibration gas: see <see cref="Settle"/>.</param>
    public void Add(decimal? value, CemsFlag flag, long time, long hour, bool waits)
    {
        MoveTo(time);
        Settle(CemsFlag.Normal);
        _hasPending = true;
        _pending = value;
        _pendingFlag = value is null && flag == CemsFlag.Normal ? CemsFlag.Lost : flag;
        _pendingQuarter = (int)Math.Clamp((time - hour) / QuarterMs, 0, 3);
        if (!waits)
        {
            Settle(CemsFlag.Normal);
        }
    }

    /// <summary>Counts the newest sample; one that looked normal as what the status says now. A value and the status of one poll come one after the other, and a valve does not wait for them.</summary>
    public void Settle(CemsFlag status)
    {
        if (!_hasPending)
        {
            return;
        }

        _hasPending = false;
        var flag = _pendingFlag == CemsFlag.Normal ? status : _pendingFlag;
        _flags[(int)flag]++;
        if (flag != CemsFlag.Normal)
        {
            return;
        }

        Count++;
        Sum += _pending!.Value;
        _minuteSum += _pending.Value;
        _minuteCount++;
        _quarters[_pendingQuarter]++;
    }

    /// <summary>Ends minutes that are over.</summary>
    /// <remarks>A sample that comes late, from another bus, counts in the minute that runs.</remarks>
    public void MoveTo(long time)
    {
        var minute = time / MinuteMs;
        if (minute <= _minute)
        {
            return;
        }

        EndMinute();
        _minute = minute;
    }

    /// <summary>Ends the minute that runs.</summary>
    public void EndMinute()
    {
        Settle(CemsFlag.Normal);
        LatestMinute = _minuteCount > 0 ? _minuteSum / _minuteCount : null;
        if (_minuteCount >= HourValidity.Needed(CemsPeriod.Minute))
        {
            Minutes++;
            _minutesSum += _minuteSum / _minuteCount;
        }

        (_minuteSum, _minuteCount, _minute) = (0, 0, -1);
    }

    /// <summary>Mean of the hour by the rules, whether it is valid or not; null when there is nothing.</summary>
    public decimal? Mean(CemsRules rules) => rules == CemsRules.Hj75
        ? Minutes > 0 ? (_minutesSum / Minutes).To(6) : null
        : Count > 0 ? (Sum / Count).To(6) : null;

    /// <summary>Whether the hour is valid by the rules.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="operatingMs">Milliseconds of operation in each quarter.</param>
    public bool IsValid(CemsRules rules, ReadOnlySpan<long> operatingMs)
    {
        var total = operatingMs[0] + operatingMs[1] + operatingMs[2] + operatingMs[3];
        switch (rules)
        {
            case CemsRules.Part75:
                return HourValidity.Part75([operatingMs[0] > 0, operatingMs[1] > 0, operatingMs[2] > 0, operatingMs[3] > 0], _quarters, HasQa);
            case CemsRules.Hj75:
                return Minutes >= HourValidity.Needed(CemsPeriod.Hour);
            default:
                var most = (int)Math.Min(int.MaxValue, total / Math.Max(1, Point.Period.Ticks / TimeSpan.TicksPerMillisecond));
                return most > 0 && HourValidity.Eu(Math.Min(Count, most), most);
        }
    }

    /// <summary>The flag that most of the points that do not count have; <see cref="CemsFlag.Lost"/> when there was none at all.</summary>
    public CemsFlag Worst()
    {
        var worst = CemsFlag.Lost;
        for (var flag = CemsFlag.OutOfService; flag <= CemsFlag.Lost; flag++)
        {
            worst = _flags[(int)flag] > _flags[(int)worst] ? flag : worst;
        }

        return worst;
    }

    /// <summary>Begins an hour.</summary>
    public void Reset()
    {
        (Count, Sum, Minutes, _minutesSum, _heardMs) = (0, 0, 0, 0, 0);
        Array.Clear(_quarters);
        Array.Clear(_flags);
    }

    /// <summary>Forgets the newest value: what comes next follows a loss.</summary>
    public void Forget() => (_hasPending, LatestMinute, _heard) = (false, null, null);

    /// <summary>The wall clock was set by <paramref name="milliseconds"/>.</summary>
    public void Shift(long milliseconds) => _heard += milliseconds;

    public void Save(StateWriter writer)
    {
        writer.Write(_minute);
        writer.Write(_minuteSum);
        writer.Write(_minuteCount);
        writer.Write(_minutesSum);
        writer.Write(Count);
        writer.Write(Sum);
        writer.Write(Minutes);
        writer.Write(LatestMinute);
        writer.Write(_hasPending);
        writer.Write(_pending);
        writer.Write((byte)_pendingFlag);
        writer.Write(_pendingQuarter);
        foreach (var count in _quarters)
        {
            writer.Write(count);
        }

        foreach (var count in _flags)
        {
            writer.Write(count);
        }

        writer.Write(_heard.HasValue);
        writer.Write(_heard.GetValueOrDefault());
        writer.Write(_heardMs);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="reader">From where.</param>
    /// <param name="version">Version of the station's state; the first kept nothing of when the point was heard, and takes the hour up to <paramref name="now"/> as heard.</param>
    /// <param name="from">Since when the part of the hour that runs is watched.</param>
    /// <param name="now">Up to when the state knows.</param>
    public void Load(ref StateReader reader, int version, long from, long now)
    {
        _minute = reader.ReadInt64();
        _minuteSum = reader.ReadDecimal();
        _minuteCount = reader.ReadInt32();
        _minutesSum = reader.ReadDecimal();
        Count = reader.ReadInt32();
        Sum = reader.ReadDecimal();
        Minutes = reader.ReadInt32();
        LatestMinute = reader.ReadNullableDecimal();
        _hasPending = reader.ReadBoolean();
        _pending = reader.ReadNullableDecimal();
        _pendingFlag = (CemsFlag)reader.ReadByte();
        _pendingQuarter = reader.ReadInt32();
        for (var i = 0; i < _quarters.Length; i++)
        {
            _quarters[i] = reader.ReadInt32();
        }

        for (var i = 0; i < _flags.Length; i++)
        {
            _flags[i] = reader.ReadInt32();
        }

        if (version == 1)
        {
            (_heard, _heardMs) = (now, Math.Max(0, now - from));
            return;
        }

        var has = reader.ReadBoolean();
        var heard = reader.ReadInt64();
        (_heard, _heardMs) = (has ? heard : null, reader.ReadInt64());
    }

    /// <summary>Counts what the newest value speaks for, up to <paramref name="time"/>.</summary>
    private void Credit(long time, long from)
    {
        if (_heard is { } heard)
        {
            var begin = Math.Max(heard, from);
            var end = Math.Min(time, heard + _holdMs);
            if (end > begin)
            {
                _heardMs += end - begin;
            }
        }
    }
}
