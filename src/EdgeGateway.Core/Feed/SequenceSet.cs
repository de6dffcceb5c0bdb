namespace EdgeGateway.Core.Feed;

/// <summary>A set of sequence numbers kept as sorted, disjoint, not adjacent runs: small as long as there are few gaps.</summary>
/// <param name="maxRuns">Most runs that are kept; numbers that would need one more are not taken (<see cref="Refused"/>), so that a hostile feed cannot fill the memory.</param>
public sealed class SequenceSet(int maxRuns = int.MaxValue)
{
    private readonly List<(long First, long Last)> _runs = [];

    /// <summary>The runs, ascending, both ends inclusive.</summary>
    public IReadOnlyList<(long First, long Last)> Runs => _runs;

    /// <summary>How many numbers the set holds.</summary>
    public long Count { get; private set; }

    /// <summary>How often numbers were not taken because they would have needed one run too many.</summary>
    public long Refused { get; private set; }

    /// <summary>Largest number, or 0 when the set is empty.</summary>
    public long Last => _runs.Count == 0 ? 0 : _runs[^1].Last;

    /// <summary>Adds the numbers from <paramref name="first"/> to <paramref name="last"/>, inclusive.</summary>
    /// <returns>How many of them were new; 0 when they were not taken.</returns>
    public long Add(long first, long last)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, last);
        var i = FirstRunEndingAtOrAfter(first - 1);
        var j = i;
        var known = 0L;
        var (mergedFirst, mergedLast) = (first, last);
        while (j < _runs.Count && _runs[j].First <= last + 1)
        {
            var run = _runs[j++];
            known += Math.Max(0, Math.Min(run.Last, last) - Math.Max(run.First, first) + 1);
            mergedFirst = Math.Min(mergedFirst, run.First);
            mergedLast = Math.Max(mergedLast, run.Last);
        }

        if (j > i)
        {
            _runs[i] = (mergedFirst, mergedLast);
            _runs.RemoveRange(i + 1, j - i - 1);
        }
        else if (_runs.Count < maxRuns)
        {
            _runs.Insert(i, (mergedFirst, mergedLast));
        }
        else
        {
            Refused++;
            return 0;
        }

        var added = last - first + 1 - known;
        Count += added;
        return added;
    }

    public bool Contains(long number)
    {
        var i = FirstRunEndingAtOrAfter(number);
        return i < _runs.Count && _runs[i].First <= number;
    }

    /// <summary>The runs of [<paramref name="first"/>, <paramref name="last"/>] that are not in the set, ascending.</summary>
    public IEnumerable<(long First, long Last)> Gaps(long first, long last)
    {
        for (var i = FirstRunEndingAtOrAfter(first); i < _runs.Count && _runs[i].First <= last; i++)
        {
            if (_runs[i].First > first)
            {
                yield return (first, _runs[i].First - 1);
            }

            first = _runs[i].Last + 1;
        }

        if (first <= last)
        {
            yield return (first, last);
        }
    }

    private int FirstRunEndingAtOrAfter(long number)
    {
        var (low, high) = (0, _runs.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_runs[middle].Last < number)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
