namespace EdgeGateway.Core.Feed;

/// <summary>What an audit of a feed came to: proven, or what is missing for the proof.</summary>
public sealed record FeedVerdict
{
    private const int MaxStreams = 50;
    private const int MaxRanges = 20;

    /// <summary>By stream and epoch: what arrived, came again, was explained, is missing.</summary>
    public required LedgerReport Ledger { get; init; }

    /// <summary>Messages of every kind.</summary>
    public required long Messages { get; init; }

    /// <summary>Messages that should have been numbered ones and cannot be read.</summary>
    public required long Unreadable { get; init; }

    /// <summary>Messages that carry no numbers of a known stream.</summary>
    public required long Skipped { get; init; }

    /// <summary>Numbers that came again with other contents.</summary>
    public required long Changed { get; init; }

    /// <summary>True when records under a second number were looked for.</summary>
    public required bool Deep { get; init; }

    /// <summary>Records whose contents were forgotten for want of memory.</summary>
    public required long Forgotten { get; init; }

    /// <summary>True when order is part of the proof.</summary>
    public required bool OrderRequired { get; init; }

    /// <summary>The first hundred things that were found, for a person.</summary>
    public required IReadOnlyList<string> Findings { get; init; }

    /// <summary>No unexplained gap, and no duplicate that this audit could have met.</summary>
    public bool IsProven => !Reasons().Any();

    /// <summary>Why it is not proven, one sentence each; nothing when it is.</summary>
    public IEnumerable<string> Reasons()
    {
        if (Ledger.Received == 0)
        {
            yield return "No numbered message was received: there is nothing to prove. Is this the topic of the gateway?";
        }

        var lacking = Ledger.Streams.Where(s => s.Missing > 0).ToList();
        foreach (var stream in lacking.Take(MaxStreams))
        {
            yield return $"{stream.Key}: {stream.Missing} {(stream.Missing == 1 ? "record is" : "records are")} missing and nothing explains it: {List(stream.MissingRanges)}.";
        }

        if (lacking.Count > MaxStreams)
        {
            yield return $"Records are missing in {lacking.Count - MaxStreams} more streams.";
        }

        foreach (var stream in Ledger.Streams.Where(s => s.Overflowed).Take(MaxStreams))
        {
            yield return $"{stream.Key}: its numbers lie in more than {SequenceLedger.MaxRuns} runs; what came beyond them was not counted.";
        }

        if (Ledger.NotCounted > 0)
        {
            yield return $"{Ledger.NotCounted} messages belong to more than {SequenceLedger.MaxEpochs} streams and epochs and were not counted.";
        }

        if (Unreadable > 0)
        {
            yield return $"{Unreadable} {(Unreadable == 1 ? "message" : "messages")} cannot be read.";
        }

        if (Ledger.Duplicated > 0)
        {
            yield return $"{Ledger.Duplicated} {(Ledger.Duplicated == 1 ? "record" : "records")} came under two sequence numbers.";
        }

        if (Changed > 0)
        {
            yield return $"{Changed} sequence {(Changed == 1 ? "number" : "numbers")} came again with other contents.";
        }

        if (OrderRequired && Ledger.OutOfOrder > 0)
        {
            yield return $"{Ledger.OutOfOrder} first deliveries came after a later one of the same lane.";
        }
    }

    /// <summary>Runs of numbers in words, the first twenty.</summary>
    public static string List(IReadOnlyList<SequenceRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        var list = string.Join(", ", ranges.Take(MaxRanges));
        return ranges.Count > MaxRanges ? $"{list} and {ranges.Count - MaxRanges} more runs" : list;
    }
}
