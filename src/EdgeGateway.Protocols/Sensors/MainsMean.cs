namespace EdgeGateway.Protocols.Sensors;

/// <summary>The mean of samples over whole periods of the mains, in which its hum adds up to nothing.</summary>
public static class MainsMean
{
    private const double NanosecondsPerSecond = 1e9;

    /// <summary>The mean over as many whole periods as the samples span, up to the last sample.</summary>
    /// <param name="values">The samples.</param>
    /// <param name="nanoseconds">When each was taken; never falling.</param>
    /// <param name="hertz">Frequency of the mains.</param>
    /// <returns>The mean; NaN when the samples span less than one period.</returns>
    public static double Of(ReadOnlySpan<double> values, ReadOnlySpan<long> nanoseconds, double hertz)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, nanoseconds.Length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hertz);
        var period = NanosecondsPerSecond / hertz;
        var periods = values.Length < 2 ? 0 : Math.Floor((nanoseconds[^1] - nanoseconds[0]) / period);
        if (periods < 1)
        {
            return double.NaN;
        }

        // Samples do not begin with a period: the line between the two around its begin is cut there.
        var window = periods * period;
        double sum = 0;
        for (var i = values.Length - 1; i > 0; i--)
        {
            var (from, to) = ((double)(nanoseconds[^1] - nanoseconds[i - 1]), (double)(nanoseconds[^1] - nanoseconds[i]));
            if (from <= window)
            {
                sum += (values[i - 1] + values[i]) / 2 * (from - to);
                continue;
            }

            var edge = values[i] + ((values[i - 1] - values[i]) * (window - to) / (from - to));
            return (sum + ((edge + values[i]) / 2 * (window - to))) / window;
        }

        return sum / window;
    }
}
