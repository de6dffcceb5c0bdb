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

/// <summary>What arrived of one stream in one epoch.</summary>
/// <param name="Key">Whose records.</param>
/// <param name="Received">Different records received.</param>
/// <param name="Explained">Records not received that a range statement accounts for.</param>
/// <param name="Redelivered">Records received again under the same number: harmless.</param>
/// <param name="MissingRanges">Records that should be there and are not, ascending.</param>
public sealed record LedgerStream(LedgerKey Key, long Received, long Explained, long Redelivered, IReadOnlyList<SequenceRange> MissingRanges)
{
    public long Missing => MissingRanges.Sum(r => r.Count);
}

/// <summary>The receiver's findings.</summary>
/// <param name="Streams">By site, gateway, stream and epoch.</param>
public sealed record LedgerReport(IReadOnlyList<LedgerStream> Streams)
{
    public long Received => Streams.Sum(s => s.Received);

    public long Explained => Streams.Sum(s => s.Explained);

    public long Redelivered => Streams.Sum(s => s.Redelivered);

    public long Missing => Streams.Sum(s => s.Missing);

    /// <summary>Records met under two sequence numbers, where the receiver compared contents (<see cref="RecordLedger"/>); 0 else.</summary>
    public long Duplicated { get; init; }

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
}
