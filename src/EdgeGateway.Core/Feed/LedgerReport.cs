namespace EdgeGateway.Core.Feed;

/// <summary>One numbered row of records: a stream of a gateway in one epoch.</summary>
public readonly record struct LedgerKey(string Site, string Gateway, FeedStream Stream, long Epoch) : IComparable<LedgerKey>
{
    public int CompareTo(LedgerKey other)
    {
        var order = string.CompareOrdinal(Site, other.Site);
        order = order != 0 ? order : string.CompareOrdinal(Gateway, other.Gateway);
        order = order != 0 ? order : Stream.CompareTo(other.Stream);
        return order != 0 ? order : Epoch.CompareTo(other.Epoch);
    }

    public static bool operator <(LedgerKey left, LedgerKey right) => left.CompareTo(right) < 0;

    public static bool operator >(LedgerKey left, LedgerKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(LedgerKey left, LedgerKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(LedgerKey left, LedgerKey right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{Site}/{Gateway}/{Stream.Word()} epoch {Epoch}";
}

/// <summary>A run of sequence numbers, both ends inclusive.</summary>
public readonly record struct SequenceRange(long First, long Last)
{
    public long Count => Last - First + 1;

    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}

/// <summary>Records that did not arrive and that range statements account for, by state and reason.</summary>
/// <param name="State">What became of them.</param>
/// <param name="Reason">Why, in the gateway's words.</param>
/// <param name="Count">How many of the records that did not arrive.</param>
/// <param name="Ranges">Which, ascending.</param>
/// <param name="From">The earliest time that the statements name: of their span where they have one, else of the statement; null when none could be read.</param>
/// <param name="To">The latest such time.</param>
public sealed record LedgerExplanation(RangeState State, string Reason, long Count, IReadOnlyList<SequenceRange> Ranges, Instant? From, Instant? To);

/// <summary>A time in which a gateway acquired nothing, as it said itself (<see cref="RangeState.NeverAcquired"/>): no numbers belong to it.</summary>
/// <param name="Site">The site.</param>
/// <param name="Gateway">The gateway.</param>
/// <param name="From">Start, where it is known.</param>
/// <param name="To">End, exclusive, where it is known.</param>
/// <param name="Reason">Why, in the gateway's words.</param>
public sealed record LedgerAbsence(string Site, string Gateway, Instant? From, Instant? To, string Reason);

/// <summary>What arrived of one stream in one epoch.</summary>
/// <param name="Key">Whose records.</param>
/// <param name="Received">Different records received.</param>
/// <param name="Explained">Records not received that a range statement accounts for.</param>
/// <param name="Redelivered">Records received again under the same number: harmless.</param>
/// <param name="MissingRanges">Records that should be there and are not, ascending.</param>
public sealed record LedgerStream(LedgerKey Key, long Received, long Explained, long Redelivered, IReadOnlyList<SequenceRange> MissingRanges)
{
    public long Missing => MissingRanges.Sum(r => r.Count);

    /// <summary>What <see cref="Explained"/> is made of.</summary>
    public IReadOnlyList<LedgerExplanation> Explanations { get; init; } = [];

    /// <summary>The number from which on this receiver expects everything; null when it has heard nothing that says so.</summary>
    public long? Beginning { get; init; }

    /// <summary>The last number that is known to have been given: received, or stated as <c>issued</c>.</summary>
    public long LastKnown { get; init; }

    /// <summary>First deliveries that came after a later one of the same lane.</summary>
    public long OutOfOrder { get; init; }

    /// <summary>True when the numbers lie in more runs than are kept: what came after that was not counted, and shows as missing.</summary>
    public bool Overflowed { get; init; }
}

/// <summary>The receiver's findings.</summary>
/// <param name="Streams">By site, gateway, stream and epoch.</param>
public sealed record LedgerReport(IReadOnlyList<LedgerStream> Streams)
{
    public long Received => Total(s => s.Received);

    public long Explained => Total(s => s.Explained);

    public long Redelivered => Total(s => s.Redelivered);

    public long Missing => Total(s => s.Missing);

    /// <summary>First deliveries that came after a later one of the same lane and stream.</summary>
    public long OutOfOrder => Total(s => s.OutOfOrder);

    /// <summary>Records met under two sequence numbers, where the receiver compared contents (<see cref="RecordLedger"/>); 0 else.</summary>
    public long Duplicated { get; init; }

    /// <summary>Times in which nothing was acquired, in the order of the statements; the first thousand.</summary>
    public IReadOnlyList<LedgerAbsence> Absences { get; init; } = [];

    /// <summary>Range statements that this reader does not understand; they explain nothing.</summary>
    public long StatementsNotUnderstood { get; init; }

    /// <summary>Messages that were not counted because they belong to more streams and epochs than are kept.</summary>
    public long NotCounted { get; init; }

    /// <summary>How many epochs were begun after the first: each one means that a store was lost.</summary>
    public int EpochChanges => Streams.GroupBy(s => (s.Key.Site, s.Key.Gateway)).Sum(g => g.Select(s => s.Key.Epoch).Distinct().Count() - 1);

    /// <summary><c>0 missing, 0 duplicated</c>, and what else is worth a word.</summary>
    public string Line
    {
        get
        {
            var line = $"{Missing} missing, {Duplicated} duplicated";
            line += Explained > 0 ? $", {Explained} explained by range statements" : "";
            line += Redelivered > 0 ? $", {Redelivered} redelivered under the same number (harmless)" : "";
            return line + (EpochChanges > 0 ? $", {EpochChanges} new epochs" : "");
        }
    }

    /// <summary>The line, then each stream that lacks something with its missing runs.</summary>
    public override string ToString() =>
        string.Join(Environment.NewLine, Streams.Where(s => s.Missing > 0).Select(s => $"{s.Key}: missing {string.Join(", ", s.MissingRanges)}").Prepend(Line));

    // Numbers come from the wire: two streams that claim nearly all of 63 bits must not overflow the sum.
    private long Total(Func<LedgerStream, long> of) => Streams.Aggregate(0L, (sum, stream) => sum > long.MaxValue - of(stream) ? long.MaxValue : sum + of(stream));
}
