namespace EdgeGateway.Core.Feed;

/// <summary>What a receiver knows of one stream in one epoch.</summary>
internal sealed class LedgerEpoch
{
    /// <summary>Largest number of a first delivery in the live lane, and in the other.</summary>
    public long HighestLive;
    public long HighestHistory;

    public SequenceSet Seen { get; } = new(SequenceLedger.MaxRuns);

    /// <summary>What range statements say of numbers that will not arrive.</summary>
    public SortedDictionary<(RangeState State, string Reason), LedgerSaid> Explained { get; } = new(ByStateAndReason);

    public long Redelivered { get; set; }

    /// <summary>Numbers are known to have been given up to here.</summary>
    public long Issued { get; set; }

    /// <summary>Where a receiver that came later begins; null while nothing was heard that was not retained.</summary>
    public long? Beginning { get; set; }

    /// <summary>The number after the first live statement of what was issued: from there on a receiver that came later expects everything, too.</summary>
    public long? AfterIssued { get; set; }

    public long OutOfOrder { get; set; }

    /// <summary>True when an earlier process already met more runs of numbers than are kept.</summary>
    public bool OverflowedBefore { get; set; }

    public bool Overflowed => OverflowedBefore || Seen.Refused > 0 || Explained.Values.Any(e => e.Numbers.Refused > 0);

    private static Comparer<(RangeState State, string Reason)> ByStateAndReason { get; } = Comparer<(RangeState State, string Reason)>.Create(
        static (a, b) => a.State != b.State ? a.State.CompareTo(b.State) : string.CompareOrdinal(a.Reason, b.Reason));

    public EpochState Save(LedgerKey key) => new()
    {
        Site = key.Site,
        Gateway = key.Gateway,
        Stream = key.Stream.Word(),
        Epoch = key.Epoch,
        Seen = Flat(Seen),
        Overflowed = Overflowed,
        Redelivered = Redelivered,
        Issued = Issued,
        Beginning = Beginning,
        AfterIssued = AfterIssued,
        HighestLive = HighestLive,
        HighestHistory = HighestHistory,
        OutOfOrder = OutOfOrder,
        Explained = [.. Explained.Select(e => new ExplainedState
        {
            State = e.Key.State.Word(),
            Reason = e.Key.Reason,
            Numbers = Flat(e.Value.Numbers),
            From = e.Value.From?.UnixMilliseconds,
            To = e.Value.To?.UnixMilliseconds,
        })],
    };

    /// <exception cref="InvalidDataException">The state is not one that <see cref="Save"/> wrote.</exception>
    public static LedgerEpoch Restore(EpochState saved)
    {
        var epoch = new LedgerEpoch
        {
            Redelivered = saved.Redelivered,
            Issued = saved.Issued,
            Beginning = saved.Beginning,
            AfterIssued = saved.AfterIssued,
            HighestLive = saved.HighestLive,
            HighestHistory = saved.HighestHistory,
            OutOfOrder = saved.OutOfOrder,
            OverflowedBefore = saved.Overflowed,
        };
        Fill(epoch.Seen, saved.Seen);
        if (saved.Issued is < 0 or long.MaxValue || saved.Beginning < 1 || saved.AfterIssued < 1)
        {
            throw new InvalidDataException("it holds numbers that cannot be");
        }

        foreach (var said in saved.Explained)
        {
            if (!FeedWords.TryRangeState(said.State, out var state))
            {
                throw new InvalidDataException($"'{said.State}' is no state of a range");
            }

            var numbers = new LedgerSaid();
            Fill(numbers.Numbers, said.Numbers);
            numbers.Note(said.From is { } from ? new Instant(from) : null, said.To is { } to ? new Instant(to) : null);
            if (!epoch.Explained.TryAdd((state, said.Reason), numbers))
            {
                throw new InvalidDataException($"the reason '{said.Reason}' stands there twice");
            }
        }

        return epoch;
    }

    private static long[] Flat(SequenceSet set) => [.. set.Runs.SelectMany(r => (long[])[r.First, r.Last])];

    private static void Fill(SequenceSet set, long[] flat)
    {
        for (var i = 0; i < flat.Length; i += 2)
        {
            if (i + 1 == flat.Length || flat[i] < 1 || flat[i + 1] < flat[i] || flat[i + 1] == long.MaxValue)
            {
                throw new InvalidDataException("it holds a run of numbers that cannot be");
            }

            set.Add(flat[i], flat[i + 1]);
        }
    }
}

/// <summary>Numbers that statements of one state and reason spoke of, and when.</summary>
internal sealed class LedgerSaid
{
    public SequenceSet Numbers { get; } = new(SequenceLedger.MaxRuns);

    public Instant? From { get; private set; }

    public Instant? To { get; private set; }

    public void Note(Instant? from, Instant? to)
    {
        From = from is { } f && (From is null || f < From) ? f : From;
        To = to is { } t && (To is null || t > To) ? t : To;
    }
}
