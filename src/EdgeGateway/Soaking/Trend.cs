namespace EdgeGateway.Soaking;

/// <summary>What a series did over a soak.</summary>
internal enum TrendVerdict
{
    /// <summary>It holds its level, as far as the length of the soak can tell.</summary>
    Steady,

    /// <summary>It grows, and did so to the end.</summary>
    Grows,

    /// <summary>The soak is too short to say.</summary>
    TooShort,
}

/// <summary>Whether a series grows without end, told apart from what rises and falls back, and from what rises once and stays.</summary>
/// <remarks>
/// The series is taken in 48 blocks, each by its median, so that what goes up and down within a block does not count; they are of uneven length, so that what is regular does not fall in step with them. It grows when the slope over
/// all blocks is above zero with 99 % confidence, that over the last half of them too (a level that was reached is no leak), both come to more than the tolerance over the time of the soak, and the lowest block of the last third lies
/// above the middle of the first (what falls back is no leak). What rises and falls only once or twice in the soak cannot be told from growth: a longer soak can.
/// </remarks>
/// <param name="Verdict">The verdict.</param>
/// <param name="Median">Middle of the series.</param>
/// <param name="PerDay">Slope over the whole series, in its unit for a day.</param>
/// <param name="LowPerDay">Lower end of its 99 % interval.</param>
/// <param name="HighPerDay">Upper end of its 99 % interval.</param>
/// <param name="SmallestPerDay">The least growth in a day that a series of this length can show; infinite when it is too short.</param>
internal readonly record struct Trend(TrendVerdict Verdict, double Median, double PerDay, double LowPerDay, double HighPerDay, double SmallestPerDay)
{
    private const int Blocks = 48;
    private const int FewestPoints = 24;
    private const double SecondsPerDay = 86_400;

    /// <param name="series">Time in seconds and value, by time; without the time of warming up.</param>
    /// <param name="tolerance">Growth over the whole series that is of no interest, in its unit.</param>
    public static Trend Of(IReadOnlyList<(double Time, double Value)> series, double tolerance)
    {
        ArgumentNullException.ThrowIfNull(series);
        if (series.Count < FewestPoints)
        {
            return new(TrendVerdict.TooShort, series.Count == 0 ? double.NaN : MedianOf(series, 0, series.Count), 0, double.NegativeInfinity, double.PositiveInfinity, double.PositiveInfinity);
        }

        var blocks = InBlocks(series);
        var length = series[^1].Time - series[0].Time;
        var whole = TheilSen.Of(blocks, TheilSen.NinetyNinePercent);
        var late = TheilSen.Of(blocks.AsSpan(blocks.Length / 2), TheilSen.NinetyNinePercent);
        var third = blocks.Length / 3;
        var isAbove = blocks.AsSpan(blocks.Length - third).ToArray().Min(b => b.Value) > MedianOf(blocks, 0, third);
        var grows = isAbove && whole.Low > 0 && late.Low > 0 && whole.Value * length > tolerance && late.Value * length > tolerance;
        return new(
            grows ? TrendVerdict.Grows : TrendVerdict.Steady,
            MedianOf(series, 0, series.Count),
            whole.Value * SecondsPerDay,
            whole.Low * SecondsPerDay,
            whole.High * SecondsPerDay,
            Math.Max(tolerance / length, Math.Max(whole.High - whole.Value, late.High - late.Value)) * SecondsPerDay);
    }

    private static (double Time, double Value)[] InBlocks(IReadOnlyList<(double Time, double Value)> series)
    {
        var count = Math.Min(Blocks, series.Count);
        var blocks = new (double Time, double Value)[count];
        for (var i = 0; i < count; i++)
        {
            var (from, to) = (Border(i), Border(i + 1));
            blocks[i] = ((series[from].Time + series[to - 1].Time) / 2, MedianOf(series, from, to));
        }

        return blocks;

        // Multiples of the golden ratio never come near a fraction of small numbers.
        int Border(int i) => i == 0 ? 0 : i == count ? series.Count
            : (int)((i + (series.Count < 4 * count ? 0 : 0.7 * ((i * 0.6180339887 % 1) - 0.5))) * series.Count / count);
    }

    private static double MedianOf(IReadOnlyList<(double Time, double Value)> series, int from, int to)
    {
        var values = new double[to - from];
        for (var i = from; i < to; i++)
        {
            values[i - from] = series[i].Value;
        }

        Array.Sort(values);
        return values.Length % 2 == 1 ? values[values.Length / 2] : (values[values.Length / 2 - 1] + values[values.Length / 2]) / 2;
    }
}
