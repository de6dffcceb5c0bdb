using System.Numerics;

namespace EdgeGateway.Core.Polling;

/// <summary>How long exchanges took: quantiles over the last few thousand of them, in fixed memory.</summary>
/// <remarks>
/// Eight classes for each doubling, from 1 microsecond to more than an hour: a quantile is at most 12.5 % too large and never too
/// small. When 4096 have been counted all classes are halved, so that a device that changes is soon described as it is now. Written by
/// one thread; another may read and then sees a state at most a few exchanges old.
/// </remarks>
public sealed class LatencyHistogram
{
    private const int Halving = 4096;
    private const int ClassBits = 3;
    private const int Classes = (32 - ClassBits + 1) << ClassBits;

    private readonly int[] _counts = new int[Classes];
    private int _total;
    private long _longest;

    /// <summary>Exchanges that the quantiles speak of; at most 4096.</summary>
    public int Count => Volatile.Read(ref _total);

    /// <summary>The longest one since the start, however long ago.</summary>
    public TimeSpan Longest => TimeSpan.FromMicroseconds(Volatile.Read(ref _longest));

    /// <summary>Counts one exchange.</summary>
    public void Add(TimeSpan latency)
    {
        var microseconds = Math.Clamp((long)latency.TotalMicroseconds, 0, uint.MaxValue);
        _longest = Math.Max(_longest, microseconds);
        _counts[ClassOf((uint)microseconds)]++;
        if (++_total < Halving)
        {
            return;
        }

        _total = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] /= 2;
            _total += _counts[i];
        }
    }

    /// <summary>The latency that a share of the exchanges did not exceed; zero when there were none.</summary>
    /// <param name="share">From 0 to 1: 0.5 is the median.</param>
    public TimeSpan Quantile(double share)
    {
        var rank = (int)Math.Ceiling(share * Count);
        if (rank < 1)
        {
            return TimeSpan.Zero;
        }

        var below = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            below += _counts[i];
            if (below >= rank)
            {
                return TimeSpan.FromMicroseconds(Math.Min(LastOf(i), _longest));
            }
        }

        return Longest;
    }

    // Below 8 microseconds each has a class of its own; above, the three bits after the first one choose among eight.
    private static int ClassOf(uint microseconds)
    {
        var magnitude = BitOperations.Log2(microseconds | 1);
        return magnitude < ClassBits
            ? (int)microseconds
            : ((magnitude - ClassBits + 1) << ClassBits) + (int)((microseconds >> (magnitude - ClassBits)) & ((1 << ClassBits) - 1));
    }

    private static long LastOf(int index)
    {
        var doubling = index >> ClassBits;
        return doubling == 0 ? index : ((((index & ((1L << ClassBits) - 1)) | (1L << ClassBits)) + 1) << (doubling - 1)) - 1;
    }
}
