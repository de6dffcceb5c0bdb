using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Aggregation;

/// <summary>
/// The open windows of one point, one of each width. A sample touches only the base window; a window that closes is merged into the
/// next wider one, so that the cost of a sample does not depend on the number of widths.
/// </summary>
internal sealed class PointWindows
{
    /// <summary>Silence longer than this is not said base window by base window: only windows with content and the widest ones are emitted.</summary>
    public const long LongGapMs = 3_600_000;

    /// <summary>Most empty windows of the widest width emitted for one silence.</summary>
    public const int MaxEmptyWidest = 400;

    private readonly PointModel _point;
    private readonly WindowGrid _grid;
    private readonly IFeedSink _sink;
    private readonly long[] _widths;
    private readonly WindowSums[] _levels;
    private readonly long _hold;
    private readonly bool _counter;
    private HeldValue _held;
    private decimal? _reading;

    public PointWindows(PointModel point, IReadOnlyList<TimeSpan> windows, WindowGrid grid, IFeedSink sink)
    {
        _point = point;
        _grid = grid;
        _sink = sink;
        _widths = [.. windows.Select(w => w.Ticks / TimeSpan.TicksPerMillisecond)];
        _levels = new WindowSums[_widths.Length];
        _hold = HeldValue.HoldMilliseconds(point.Period);
        _counter = point.Kind == PointKind.Counter;
    }

    /// <summary>Start of the base window that is open.</summary>
    public long BaseStart => _levels[0].Start;

    /// <summary>End of the base window that is open: no other of the point ends before it.</summary>
    public long BaseEnd => _levels[0].End;

    /// <summary>Opens all windows that contain <paramref name="time"/>.</summary>
    public void Open(long time)
    {
        for (var i = 0; i < _levels.Length; i++)
        {
            _levels[i] = WindowSums.Open(_grid.Containing(_widths[i], time), _reading);
        }
    }

    /// <summary>The reading from which the first window starts when a counter's baseline is continued.</summary>
    public void Continue(decimal? reading) => _reading = reading;

    /// <summary>Takes a sample that has no value.</summary>
    public void Miss(long time, int era)
    {
        MoveTo(time, era);
        _held.Drop();
        _levels[0].Miss();
    }

    /// <summary>Takes a value. <paramref name="known"/> is false for a counter reading that was not accepted: it is counted and covers no time.</summary>
    public void Add(double value, bool uncertain, bool known, long time, int era)
    {
        MoveTo(time, era);
        if (known)
        {
            _held.Set(value, time, _hold);
        }
        else
        {
            _held.Drop();
        }

        _levels[0].Count(value, uncertain);
    }

    /// <summary>Takes an accepted counter reading; after <see cref="Add"/> of the same sample.</summary>
    public void Read(decimal reading, decimal growth)
    {
        _reading = reading;
        _levels[0].Read(reading, growth);
    }

    /// <summary>Closes every window that ends at or before <paramref name="time"/>.</summary>
    public void CloseUpTo(long time, int era)
    {
        while (_levels[0].End <= time)
        {
            var end = _levels[0].End;
            Cover(end);
            CloseFrom(0, end, era, WindowCut.None);
            if (time - end > LongGapMs && !_held.ReachesBeyond(end))
            {
                SkipTo(time, era);
            }
        }
    }

    /// <summary>Closes all windows early at <paramref name="time"/>; <see cref="Open"/> must follow before the next sample.</summary>
    public void Cut(long time, int era, WindowCut cut)
    {
        CloseUpTo(time, era);
        Cover(time);
        for (var i = 0; i < _levels.Length; i++)
        {
            Emit(i, era, cut);
        }
    }

    /// <summary>
    /// Publishes all open windows as they stand at <paramref name="time"/>, whatever else has ended since, because what followed is lost;
    /// <see cref="Open"/> must follow.
    /// </summary>
    public void Abandon(long time, int era)
    {
        Cover(Math.Min(time, _levels[0].End));
        for (var i = 0; i < _levels.Length; i++)
        {
            Emit(i, era, WindowCut.Loss);
        }
    }

    /// <summary>The next window begins with no value and no reading.</summary>
    public void Forget()
    {
        _held.Drop();
        _reading = null;
    }

    public void Shift(long milliseconds) => _held.Shift(milliseconds);

    public void Save(StateWriter writer)
    {
        _held.Save(writer);
        writer.Write(_reading);
        foreach (ref readonly var level in _levels.AsSpan())
        {
            level.Save(writer);
        }
    }

    public void Load(ref StateReader reader)
    {
        _held.Load(ref reader);
        _reading = reader.ReadNullableDecimal();
        foreach (ref var level in _levels.AsSpan())
        {
            level.Load(ref reader);
        }
    }

    private void MoveTo(long time, int era)
    {
        if (time >= _levels[0].End)
        {
            CloseUpTo(time, era);
        }

        Cover(time);
    }

    private void Cover(long time)
    {
        var covered = _held.Take(time);
        if (covered > 0)
        {
            _levels[0].Cover(_held.Value, covered);
        }
    }

    /// <summary>Closes level <paramref name="first"/> and every wider one that ends with it at <paramref name="end"/>, and opens their successors.</summary>
    private void CloseFrom(int first, long end, int era, WindowCut cut)
    {
        for (var i = first; i < _levels.Length && _levels[i].End <= end; i++)
        {
            Emit(i, era, cut);
            _levels[i] = WindowSums.Open(_grid.Containing(_widths[i], end), _reading);
        }
    }

    /// <summary>Publishes a window and adds it to the next wider one.</summary>
    private void Emit(int level, int era, WindowCut cut)
    {
        _sink.Summary(_levels[level].ToRecord(_point.Index, _counter, era, cut));
        if (level + 1 < _levels.Length)
        {
            _levels[level + 1].Merge(_levels[level]);
        }
    }

    /// <summary>Passes over a long silence: windows with content are closed, empty ones are said only in the widest width.</summary>
    private void SkipTo(long time, int era)
    {
        var widest = _levels.Length - 1;
        for (var i = 0; i < widest; i++)
        {
            if (_levels[i].End <= time)
            {
                if (_levels[i].IsTouched)
                {
                    Emit(i, era, WindowCut.None);
                }

                _levels[i] = WindowSums.Open(_grid.Containing(_widths[i], time), _reading);
            }
        }

        for (var said = 0; _levels[widest].End <= time; said++)
        {
            var end = _levels[widest].End;
            Emit(widest, era, WindowCut.None);
            _levels[widest] = WindowSums.Open(_grid.Containing(_widths[widest], said < MaxEmptyWidest ? end : time), _reading);
        }
    }
}
