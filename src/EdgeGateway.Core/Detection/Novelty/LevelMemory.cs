using System.Numerics;
using System.Runtime.InteropServices;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>The levels that a series has visited lately, in two generations, and how far a value lies from the nearest of them.</summary>
/// <remarks>
/// A generation is a sorted list of levels. After each period the older one is forgotten and a new one begins, so that memory reaches back one to two periods.
/// Levels are kept as the distance from the first level of their generation, in single precision: seven digits of the range that the generation spans,
/// whatever the size of the values. What is smaller than a millionth of the range is rounding and counts as nothing, so that a change of unit
/// or sign (an affine change of the input) leaves every decision as it was.
/// </remarks>
internal sealed class LevelMemory
{
    private const double Rounding = 1e-6;

    /// <summary>Single precision loses digits below; a series that spans less is taken as constant.</summary>
    private const double SmallestRange = 1e-30;

    /// <summary>From so few levels on, halving costs more than counting.</summary>
    private const int CountedLevels = 64;

    /// <summary>Two generations, each a whole number of vectors. Where no level is yet, infinity stands: it is above all levels.</summary>
    private readonly float[] _levels;
    private readonly int _capacity;
    private readonly int _period;
    private readonly double _spacing;
    private double _currentOrigin;
    private double _previousOrigin;
    private int _currentCount;
    private int _previousCount;
    private bool _swapped;
    private bool _isNearestAbove;
    private int _age;
    private double _distance;

    /// <param name="capacity">Levels in a generation.</param>
    /// <param name="spacing">A level is kept when it is farther than the range divided by this from all of its generation.</param>
    /// <param name="period">Values in a generation.</param>
    public LevelMemory(int capacity, int spacing, int period)
    {
        _levels = new float[2 * RoundedUp(capacity)];
        _capacity = capacity;
        _levels.AsSpan().Fill(float.PositiveInfinity);
        _spacing = (1.0 / spacing) + Rounding;
        _period = period;
    }

    /// <summary>Span of the levels remembered and the last value.</summary>
    public double Range { get; private set; }

    /// <summary>The way from the last value to the level that was nearest, negative when that lies below.</summary>
    public double ToNearest => _isNearestAbove ? _distance : -_distance;

    /// <summary>Whether the last value lay above or below all levels remembered.</summary>
    public bool IsBeyond { get; private set; }

    private Span<float> CurrentRoom => _levels.AsSpan(_swapped ? _levels.Length / 2 : 0, _levels.Length / 2);

    private Span<float> PreviousRoom => _levels.AsSpan(_swapped ? 0 : _levels.Length / 2, _levels.Length / 2);

    private Span<float> Current => CurrentRoom[.._currentCount];

    private Span<float> Previous => PreviousRoom[.._previousCount];

    /// <summary>Distance of <paramref name="value"/> from the nearest level remembered, 0 when it is known or nothing is; then remembers it.</summary>
    public double Observe(double value)
    {
        var (low, high) = (value, value);
        var toCurrent = Distance(CurrentRoom, _currentCount, _currentOrigin, value, ref low, ref high, out var isCurrentAbove);
        var toPrevious = Distance(PreviousRoom, _previousCount, _previousOrigin, value, ref low, ref high, out var isPreviousAbove);
        var distance = Math.Min(toCurrent, toPrevious);

        // Which side is nearer no processor can predict: no branches.
        var isCurrent = distance == toCurrent;
        _isNearestAbove = (isCurrent & isCurrentAbove) | (!isCurrent & isPreviousAbove);
        _distance = distance;
        Range = high - low;
        IsBeyond = low == value | high == value;
        if (toCurrent > Range * _spacing)
        {
            Remember(value);
        }

        if (++_age >= _period)
        {
            _age = 0;
            (_previousOrigin, _previousCount) = (_currentOrigin, _currentCount);
            _currentCount = 0;
            _swapped = !_swapped;
            CurrentRoom.Fill(float.PositiveInfinity);
        }

        return double.IsInfinity(distance) || distance < Rounding * Range || Range < SmallestRange ? 0 : distance;
    }

    public void Clear()
    {
        _levels.AsSpan().Fill(float.PositiveInfinity);
        _currentCount = _previousCount = _age = 0;
        Range = 0;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(_currentOrigin);
        writer.Write(_previousOrigin);
        writer.Write(Range);
        writer.Write(_age);
        writer.Write(MemoryMarshal.AsBytes(Current));
        writer.Write(MemoryMarshal.AsBytes(Previous));
    }

    public void Load(ref StateReader reader)
    {
        _swapped = false;
        _currentOrigin = reader.ReadDouble();
        _previousOrigin = reader.ReadDouble();
        Range = reader.ReadDouble();
        _age = reader.ReadInt32();
        _levels.AsSpan().Fill(float.PositiveInfinity);
        _currentCount = LoadLevels(CurrentRoom, ref reader);
        _previousCount = LoadLevels(PreviousRoom, ref reader);
    }

    private static int RoundedUp(int count) => (count + Vector<float>.Count - 1) & -Vector<float>.Count;

    private static double Distance(ReadOnlySpan<float> room, int count, double origin, double value, ref double low, ref double high, out bool isAbove)
    {
        isAbove = false;
        if (count == 0)
        {
            return double.PositiveInfinity;
        }

        var levels = room[..count];
        low = Math.Min(low, origin + levels[0]);
        high = Math.Max(high, origin + levels[^1]);
        var relative = value - origin;
        var above = FirstNotBelow(room, count, (float)relative);
        var distance = above < levels.Length ? Math.Abs(levels[above] - relative) : double.PositiveInfinity;
        var nearest = above > 0 ? Math.Min(distance, Math.Abs(levels[above - 1] - relative)) : distance;
        isAbove = nearest == distance;
        return nearest;
    }

    /// <summary>The place of the first level that is not below <paramref name="level"/>. What is halved cannot be predicted, so no branches; few levels are counted, several at a time.</summary>
    private static int FirstNotBelow(ReadOnlySpan<float> room, int count, float level)
    {
        var first = 0;
        while (count > CountedLevels)
        {
            var half = count >>> 1;

            // The sign of the difference, as a mask: all ones when the level in the middle is below.
            first += half & (BitConverter.SingleToInt32Bits(room[first + half - 1] - level) >> 31);
            count -= half;
        }

        // Infinity behind the levels, and sorted levels before them, do no harm: a vector more or less finds the same place.
        var length = RoundedUp(count);
        first = Math.Min(first, room.Length - length);
        var wanted = new Vector<float>(level);
        var below = Vector<int>.Zero;
        foreach (var levels in MemoryMarshal.Cast<float, Vector<float>>(room.Slice(first, length)))
        {
            below -= Vector.LessThan(levels, wanted);
        }

        return first + Vector.Sum(below);
    }

    private int LoadLevels(Span<float> room, ref StateReader reader)
    {
        var stored = MemoryMarshal.Cast<byte, float>(reader.ReadBytes());
        if (stored.Length > _capacity)
        {
            throw new InvalidDataException($"The state holds {stored.Length} levels where {_capacity} have room: it is of other settings.");
        }

        stored.CopyTo(room);
        return stored.Length;
    }

    private void Remember(double value)
    {
        if (_currentCount == 0)
        {
            _currentOrigin = value;
        }

        var level = (float)(value - _currentOrigin);
        if (_currentCount == _capacity)
        {
            var spare = MostCrowded(level);
            Current[(spare + 1)..].CopyTo(Current[spare..]);
            CurrentRoom[--_currentCount] = float.PositiveInfinity;
        }

        var place = FirstNotBelow(CurrentRoom, _currentCount, level);
        _currentCount++;
        Current[place..^1].CopyTo(Current[(place + 1)..]);
        Current[place] = level;
    }

    /// <summary>
    /// The level that is missed least: of those that stand nearest to a neighbour the one between the nearest neighbours, and of equal ones the one nearest to the
    /// level that comes. Never an outermost one. No rule that knows up from down, so that a mirrored series is remembered as the mirror.
    /// </summary>
    private int MostCrowded(float coming)
    {
        ReadOnlySpan<float> levels = Current;
        var tolerance = Rounding * Range;
        var near = ClosestGap(levels) + tolerance;
        var (best, bestSpan) = (1, double.PositiveInfinity);
        for (var gap = NextGap(levels, 1, near); gap < levels.Length; gap = NextGap(levels, gap + 1, near))
        {
            // A narrow gap crowds the level on either side of it.
            for (var i = Math.Max(1, gap - 1); i <= Math.Min(gap, levels.Length - 2); i++)
            {
                var span = ((double)levels[i] - levels[i - 1]) + ((double)levels[i + 1] - levels[i]);
                if (span <= bestSpan + tolerance
                    && (span < bestSpan - tolerance || Math.Abs(levels[i] - coming) < Math.Abs(levels[best] - coming)))
                {
                    (best, bestSpan) = (i, span);
                }
            }
        }

        return best;
    }

    /// <summary>The smallest difference of two neighbours. Several at a time: this is most of the work of a memory that is full.</summary>
    private static double ClosestGap(ReadOnlySpan<float> levels)
    {
        var closest = double.PositiveInfinity;
        var i = 1;
        if (levels.Length > Vector<float>.Count)
        {
            var least = new Vector<double>(closest);
            for (; i <= levels.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var (low, high) = Gaps(levels, i);
                least = Vector.Min(least, Vector.Min(low, high));
            }

            for (var lane = 0; lane < Vector<double>.Count; lane++)
            {
                closest = Math.Min(closest, least[lane]);
            }
        }

        for (; i < levels.Length; i++)
        {
            closest = Math.Min(closest, (double)levels[i] - levels[i - 1]);
        }

        return closest;
    }

    /// <summary>The first <c>i</c> from <paramref name="from"/> on at which <c>levels[i] - levels[i - 1]</c> is at most <paramref name="near"/>; the number of levels when there is none.</summary>
    private static int NextGap(ReadOnlySpan<float> levels, int from, double near)
    {
        if (from < levels.Length && (double)levels[from] - levels[from - 1] <= near)
        {
            return from;
        }

        var i = from;
        var limit = new Vector<double>(near);
        while (i <= levels.Length - Vector<float>.Count)
        {
            var (low, high) = Gaps(levels, i);
            if (Vector.LessThanOrEqualAny(low, limit) || Vector.LessThanOrEqualAny(high, limit))
            {
                break;
            }

            i += Vector<float>.Count;
        }

        while (i < levels.Length && !((double)levels[i] - levels[i - 1] <= near))
        {
            i++;
        }

        return i;
    }

    /// <summary>The differences of neighbours from <paramref name="i"/> on, in double precision as they would be one by one.</summary>
    private static (Vector<double> Low, Vector<double> High) Gaps(ReadOnlySpan<float> levels, int i)
    {
        Vector.Widen(new Vector<float>(levels[i..]), out var low, out var high);
        Vector.Widen(new Vector<float>(levels[(i - 1)..]), out var lowBefore, out var highBefore);
        return (low - lowBefore, high - highBefore);
    }
}
