using EdgeGateway.Core.Feed;

namespace EdgeGateway.Storage;

/// <summary>
/// Finds out which records a damage took: numbered, not known to be delivered, not saved, not lost before. Each of them is stated as
/// <c>unreadable</c>, so that a receiver is left with no gap that nothing explains.
/// </summary>
/// <remarks>
/// Rows are deleted when they are delivered, and which numbers they had is not written down. So where the outbox could not be read from end to end,
/// the account may reach back into what was delivered: it then says too much, which does no harm (what arrived is not missing), and never too little.
/// </remarks>
internal sealed class SalvageAccount
{
    // More runs than this are stated as one: statements must not crowd out what they speak of.
    private const int MostRuns = 256;

    private readonly Dictionary<(FeedStream Stream, long Epoch), SequenceSet> _accounted = [];
    private readonly Dictionary<(FeedStream Stream, long Epoch), long> _delivered = [];
    private readonly Dictionary<FeedStream, StreamTally> _tallies = [];
    private readonly Dictionary<(FeedStream Stream, long Epoch), long> _saved = [];
    private readonly List<(FeedStream Stream, long Epoch, long First, long Last)> _broken = [];

    /// <summary>The line of a stream, as SQLite read it.</summary>
    public void Head(FeedStream stream, long epoch, long next, long rows) => _tallies[stream] = new StreamTally { Epoch = epoch, Next = next, Rows = rows };

    /// <summary>Records that need no statement: their row is saved, or they are known to have gone.</summary>
    public void Accounted(FeedStream stream, long epoch, long first, long last)
    {
        if (first > 0 && last >= first)
        {
            Of(stream, epoch).Add(first, last);
        }
    }

    /// <summary>A row that is carried over.</summary>
    public void Saved(FeedStream stream, long epoch, long first, long last)
    {
        Accounted(stream, epoch, first, last);
        _saved[(stream, epoch)] = _saved.GetValueOrDefault((stream, epoch)) + 1;
    }

    /// <summary>A row that every destination has, and all rows before it: so have its stream's earlier ones.</summary>
    public void DeliveredThrough(FeedStream stream, long epoch, long last) =>
        _delivered[(stream, epoch)] = Math.Max(last, _delivered.GetValueOrDefault((stream, epoch)));

    /// <summary>A row of the table whose body cannot be read.</summary>
    public void Broken(FeedStream stream, long epoch, long first, long last) => _broken.Add((stream, epoch, first, last));

    /// <summary>What has to be stated as unreadable, ascending.</summary>
    /// <param name="heads">Newest number of each stream that was seen anywhere.</param>
    /// <param name="rowsComplete">True when SQLite read the outbox from end to end.</param>
    public IEnumerable<(FeedStream Stream, long Epoch, long First, long Last)> Unreadable(IEnumerable<StreamHead> heads, bool rowsComplete)
    {
        foreach (var head in heads.OrderBy(h => h.Stream))
        {
            var key = (head.Stream, head.Epoch);
            var known = Of(head.Stream, head.Epoch);
            var from = _delivered.GetValueOrDefault(key) + 1;
            if (_tallies.TryGetValue(head.Stream, out var tally) && tally.Epoch == head.Epoch && (rowsComplete || _saved.GetValueOrDefault(key) >= tally.Rows))
            {
                // All rows that waited are accounted for, or told apart below; only what came after this head can be lost.
                from = Math.Max(from, tally.Next);
            }

            foreach (var gap in Runs(known, from, head.Next - 1))
            {
                yield return (head.Stream, head.Epoch, gap.First, gap.Last);
            }
        }

        foreach (var (stream, epoch, first, last) in _broken)
        {
            foreach (var gap in Of(stream, epoch).Gaps(first, last))
            {
                Of(stream, epoch).Add(gap.First, gap.Last);
                yield return (stream, epoch, gap.First, gap.Last);
            }
        }
    }

    private static List<(long First, long Last)> Runs(SequenceSet known, long first, long last)
    {
        var gaps = known.Gaps(first, last).ToList();
        if (gaps.Count > MostRuns)
        {
            gaps = [(gaps[0].First, gaps[^1].Last)];
        }

        foreach (var gap in gaps)
        {
            known.Add(gap.First, gap.Last);
        }

        return gaps;
    }

    private SequenceSet Of(FeedStream stream, long epoch)
    {
        if (!_accounted.TryGetValue((stream, epoch), out var set))
        {
            _accounted[(stream, epoch)] = set = new SequenceSet();
        }

        return set;
    }
}
