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

    private readonly float[] _levels;
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
        _levels = new float[2 * capacity];
        _spacing = (1.0 / spacing) + Rounding;
        _period = period;
    }

    /// <summary>Span of the levels remembered and the last value.</summary>
    public double Range { get; private set; }

    /// <summary>The way from the last value to the level that was nearest, negative when that lies below.</summary>
    public double ToNearest => _isNearestAbove ? _distance : -_distance;

    /// <summary>Whether the last value lay above or below all levels remembered.</summary>
    public bool IsBeyond { get; private set; }

    private Span<float> Current => _levels.AsSpan(_swapped ? _levels.Length / 2 : 0, _currentCount);

    private Span<float> Previous => _levels.AsSpan(_swapped ? 0 : _levels.Length / 2, _previousCount);

    /// <summary>Distance of <paramref name="value"/> from the nearest level remembered, 0 when it is known or nothing is; then remembers it.</summary>
    public double Observe(double value)
    {
        var (low, high) = (value, value);
        var toCurrent = Distance(Current, _currentOrigin, value, ref low, ref high, out var isCurrentAbove);
        var toPrevious = Distance(Previous, _previousOrigin, value, ref low, ref high, out var isPreviousAbove);
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
        }

        return double.IsInfinity(distance) || distance < Rounding * Range || Range < SmallestRange ? 0 : distance;
    }

    public void Clear()
    {
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
        _currentCount = LoadLevels(_levels.AsSpan(0, _levels.Length / 2), ref reader);
        _previousCount = LoadLevels(_levels.AsSpan(_levels.Length / 2), ref reader);
    }

    private static int LoadLevels(Span<float> levels, ref StateReader reader)
    {
        var stored = MemoryMarshal.Cast<byte, float>(reader.ReadBytes());
        if (stored.Length > levels.Length)
        {
            throw new InvalidDataException($"The state holds {stored.Length} levels where {levels.Length} have room: it is of other settings.");
        }

        stored.CopyTo(levels);
        return stored.Length;
    }

    private static double Distance(ReadOnlySpan<float> levels, double origin, double value, ref double low, ref double high, out bool isAbove)
    {
        isAbove = false;
        if (levels.IsEmpty)
        {
            return double.PositiveInfinity;
        }

        low = Math.Min(low, origin + levels[0]);
        high = Math.Max(high, origin + levels[^1]);
        var relative = value - origin;
        var above = FirstNotBelow(levels, (float)relative);
        var distance = above < levels.Length ? Math.Abs(levels[above] - relative) : double.PositiveInfinity;
        var nearest = above > 0 ? Math.Min(distance, Math.Abs(levels[above - 1] - relative)) : distance;
        isAbove = nearest == distance;
        return nearest;
    }

    private static int FirstNotBelow(ReadOnlySpan<float> levels, float level)
    {
        var (first, end) = (0, levels.Length);
        while (first < end)
        {
            var middle = (first + end) >>> 1;
            if (levels[middle] < level)
            {
                first = middle + 1;
            }
            else
            {
                end = middle;
            }
        }

        return first;
    }

    private void Remember(double value)
    {
        if (_currentCount == 0)
        {
            _currentOrigin = value;
        }

        var level = (float)(value - _currentOrigin);
        if (_currentCount == _levels.Length / 2)
        {
            var spare = MostCrowded(level);
            Current[(spare + 1)..].CopyTo(Current[spare..]);
            _currentCount--;
        }

        var place = FirstNotBelow(Current, level);
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
