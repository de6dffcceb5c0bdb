using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Aggregation;

/// <summary>What one open window has seen so far. Times are Unix milliseconds; the integral is in unit x milliseconds.</summary>
internal struct WindowSums
{
    public long Start;
    public long End;
    private long _count;
    private long _missing;
    private long _uncertain;
    private double _min;
    private double _max;
    private double _last;
    private double _integral;
    private long _covered;
    private bool _hasGrowth;
    private decimal _growth;
    private decimal? _startReading;
    private decimal? _endReading;

    public readonly bool IsTouched => _count > 0 || _missing > 0 || _covered > 0 || _hasGrowth;

    /// <summary>An empty window that begins with the counter at <paramref name="reading"/>.</summary>
    public static WindowSums Open((long Start, long End) bounds, decimal? reading) => new()
    {
        Start = bounds.Start,
        End = bounds.End,
        _min = double.NaN,
        _max = double.NaN,
        _last = double.NaN,
        _startReading = reading,
        _endReading = reading,
    };

    public void Cover(double value, long milliseconds)
    {
        _covered += milliseconds;
        _integral += value * milliseconds;
    }

    public void Count(double value, bool uncertain)
    {
        _min = _count == 0 || value < _min ? value : _min;
        _max = _count == 0 || value > _max ? value : _max;
        _last = value;
        _count++;
        _uncertain += uncertain ? 1 : 0;
    }

    public void Miss() => _missing++;

    /// <summary>The counter stands at <paramref name="reading"/> and has grown by <paramref name="growth"/> since the accepted reading before.</summary>
    public void Read(decimal reading, decimal growth)
    {
        _startReading ??= reading;
        _endReading = reading;
        _growth += growth;
        _hasGrowth = true;
    }

    /// <summary>Takes in a narrower window that has just closed.</summary>
    public void Merge(in WindowSums narrower)
    {
        if (narrower._count > 0)
        {
            _min = _count == 0 || narrower._min < _min ? narrower._min : _min;
            _max = _count == 0 || narrower._max > _max ? narrower._max : _max;
            _last = narrower._last;
        }

        _count += narrower._count;
        _missing += narrower._missing;
        _uncertain += narrower._uncertain;
        _integral += narrower._integral;
        _covered += narrower._covered;
        _growth += narrower._growth;
        _hasGrowth |= narrower._hasGrowth;
        _startReading ??= narrower._startReading;
        _endReading = narrower._endReading ?? _endReading;
    }

    public readonly SummaryRecord ToRecord(int point, bool counter, int era, WindowCut cut) => new()
    {
        Point = point,
        Start = new(Start),
        Width = new((End - Start) * TimeSpan.TicksPerMillisecond),
        Era = era,
        Count = _count,
        Missing = _missing,
        Uncertain = _uncertain,
        Min = _min,
        Max = _max,
        Mean = counter || _covered == 0 ? double.NaN : _integral / _covered,
        Last = _last,
        Integral = counter ? 0 : _integral / 1000,
        Delta = _hasGrowth ? _growth : null,
        StartReading = _startReading,
        EndReading = _endReading,
        Coverage = Math.Min(1, (double)_covered / (End - Start)),
        Cut = cut,
    };

    public readonly void Save(StateWriter writer)
    {
        writer.Write(Start);
        writer.Write(End);
        writer.Write(_count);
        writer.Write(_missing);
        writer.Write(_uncertain);
        writer.Write(_min);
        writer.Write(_max);
        writer.Write(_last);
        writer.Write(_integral);
        writer.Write(_covered);
        writer.Write(_hasGrowth);
        writer.Write(_growth);
        writer.Write(_startReading);
        writer.Write(_endReading);
    }

    public void Load(ref StateReader reader)
    {
        Start = reader.ReadInt64();
        End = reader.ReadInt64();
        _count = reader.ReadInt64();
        _missing = reader.ReadInt64();
        _uncertain = reader.ReadInt64();
        _min = reader.ReadDouble();
        _max = reader.ReadDouble();
        _last = reader.ReadDouble();
        _integral = reader.ReadDouble();
        _covered = reader.ReadInt64();
        _hasGrowth = reader.ReadBoolean();
        _growth = reader.ReadDecimal();
        _startReading = reader.ReadNullableDecimal();
        _endReading = reader.ReadNullableDecimal();
    }
}
