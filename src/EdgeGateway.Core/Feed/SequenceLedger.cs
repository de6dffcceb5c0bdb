using System.Text.Json;

namespace EdgeGateway.Core.Feed;

/// <summary>From where on a receiver expects to have everything.</summary>
public enum LedgerStart
{
    /// <summary>From the first record of each epoch: the receiver, or its session at the broker, was there from the beginning.</summary>
    FirstRecord,

    /// <summary>
    /// From the first message heard live, and further back as history arrives: the receiver came later. Of a stream of which nothing was heard,
    /// from the first live <c>issued</c> statement about it.
    /// </summary>
    FirstHeard,
}

/// <summary>
/// The receiver's proof: from the feed alone, which records arrived, which are missing, which came again, which were stated as lost and
/// why. Keeps interval sets for each gateway, stream and epoch, so it stays small whatever the number of records. Not thread-safe.
/// </summary>
public sealed class SequenceLedger(LedgerStart start = LedgerStart.FirstRecord)
{
    /// <summary>Most runs of numbers kept for each stream and epoch (16 bytes each), and most of them in the statements of one state and reason.</summary>
    public const int MaxRuns = 100_000;

    /// <summary>Most streams and epochs that are kept, of all gateways together.</summary>
    public const int MaxEpochs = 10_000;

    private const int MaxReasons = 16;
    private const int MaxReasonLength = 200;
    private const string OtherReasons = "other reasons";
    private const int MaxAbsences = 1_000;

    private readonly SortedDictionary<LedgerKey, LedgerEpoch> _epochs = [];
    private readonly List<LedgerAbsence> _absences = [];
    private long _notUnderstood;
    private long _notCounted;

    /// <summary>Notes a message.</summary>
    /// <param name="message">The message, in any order and any number of times.</param>
    /// <param name="retained">True when the broker delivered it from its retained store: it may be older than what the receiver came for.</param>
    /// <returns>How many of its records are new; the others were redelivered, which is harmless.</returns>
    public long Observe(FeedMessage message, bool retained = false)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (Open(new LedgerKey(message.Site, message.Gateway, message.Stream, message.Epoch)) is not { } epoch)
        {
            _notCounted++;
            return 0;
        }

        if (!retained)
        {
            NoteOrder(epoch, message);
        }

        var refused = epoch.Seen.Refused;
        var added = epoch.Seen.Add(message.FirstSequence, message.LastSequence);
        if (epoch.Seen.Refused == refused)
        {
            epoch.Redelivered += message.Records.Count - added;
        }

        if (!retained)
        {
            // Births are announced again on each connection under their old numbers: only history moves the beginning back.
            var beginning = message.Lane == FeedLane.History || epoch.Beginning is null
                ? Math.Min(epoch.Beginning ?? long.MaxValue, message.FirstSequence)
                : epoch.Beginning;
            epoch.Beginning = beginning;
        }

        if (message.Stream == FeedStream.Range)
        {
            foreach (var record in message.Records)
            {
                try
                {
                    Statement(message, record, live: message.Lane == FeedLane.Live && !retained);
                }
                catch (InvalidOperationException)
                {
                    // A text with an escaped half of a character pair: valid JSON, and no text.
                    _notUnderstood++;
                }
            }
        }

        return added;
    }

    /// <summary>What the receiver knows now.</summary>
    public LedgerReport Report() => new([.. _epochs.Select(e => Judge(e.Key, e.Value))])
    {
        Absences = [.. _absences],
        StatementsNotUnderstood = _notUnderstood,
        NotCounted = _notCounted,
    };

    /// <summary>Everything that must survive to go on in another process.</summary>
    internal LedgerState Save() => new()
    {
        FromFirstRecord = start == LedgerStart.FirstRecord,
        Epochs = [.. _epochs.Select(e => e.Value.Save(e.Key))],
        Absences = [.. _absences.Select(a => new AbsenceState { Site = a.Site, Gateway = a.Gateway, From = a.From?.UnixMilliseconds, To = a.To?.UnixMilliseconds, Reason = a.Reason })],
        NotUnderstood = _notUnderstood,
        NotCounted = _notCounted,
    };

    /// <summary>Goes on where <see cref="Save"/> was called.</summary>
    /// <exception cref="InvalidDataException">The state says what it never says when it was written by <see cref="Save"/>.</exception>
    internal static SequenceLedger Restore(LedgerState state)
    {
        var ledger = new SequenceLedger(state.FromFirstRecord ? LedgerStart.FirstRecord : LedgerStart.FirstHeard)
        {
            _notUnderstood = state.NotUnderstood,
            _notCounted = state.NotCounted,
        };
        foreach (var saved in state.Epochs)
        {
            if (!FeedWords.TryStream(saved.Stream, out var stream) || !ledger._epochs.TryAdd(new LedgerKey(saved.Site, saved.Gateway, stream, saved.Epoch), LedgerEpoch.Restore(saved)))
            {
                throw new InvalidDataException($"the stream '{saved.Stream}' of {saved.Site}/{saved.Gateway} is unknown or stands there twice");
            }
        }

        ledger._absences.AddRange(state.Absences.Select(a => new LedgerAbsence(
            a.Site, a.Gateway, a.From is { } from ? new Instant(from) : null, a.To is { } to ? new Instant(to) : null, a.Reason)));
        return ledger;
    }

    // Births are announced again in each session, by device and under their old numbers: their order says nothing.
    private static void NoteOrder(LedgerEpoch epoch, FeedMessage message)
    {
        if (message.Stream == FeedStream.Birth)
        {
            return;
        }

        ref var highest = ref message.Lane == FeedLane.Live ? ref epoch.HighestLive : ref epoch.HighestHistory;
        if (highest > message.FirstSequence)
        {
            foreach (var (first, _) in epoch.Seen.Gaps(message.FirstSequence, message.LastSequence))
            {
                epoch.OutOfOrder += first < highest ? 1 : 0;
                break;
            }
        }

        highest = Math.Max(highest, message.LastSequence);
    }

    private LedgerStream Judge(LedgerKey key, LedgerEpoch epoch)
    {
        var beginning = start == LedgerStart.FirstRecord ? 1 : epoch.Beginning ?? epoch.AfterIssued;
        var last = Math.Max(epoch.Seen.Last, epoch.Issued);
        List<SequenceRange> open = beginning is { } from ? [.. epoch.Seen.Gaps(from, last).Select(g => new SequenceRange(g.First, g.Last))] : [];
        var explanations = new List<LedgerExplanation>();
        foreach (var ((state, reason), said) in epoch.Explained)
        {
            var (covered, rest) = Cut(open, said.Numbers);
            if (covered.Count > 0)
            {
                explanations.Add(new LedgerExplanation(state, reason, covered.Sum(c => c.Count), covered, said.From, said.To));
            }

            open = rest;
        }

        return new LedgerStream(key, epoch.Seen.Count, explanations.Sum(e => e.Count), epoch.Redelivered, open)
        {
            Explanations = explanations,
            Beginning = beginning,
            LastKnown = last,
            OutOfOrder = epoch.OutOfOrder,
            Overflowed = epoch.Overflowed,
        };
    }

    /// <summary>Divides runs into what a set covers and what it does not.</summary>
    private static (List<SequenceRange> Covered, List<SequenceRange> Left) Cut(List<SequenceRange> runs, SequenceSet by)
    {
        var (covered, rest) = (new List<SequenceRange>(), new List<SequenceRange>());
        foreach (var run in runs)
        {
            var next = run.First;
            foreach (var (first, last) in by.Gaps(run.First, run.Last))
            {
                if (first > next)
                {
                    covered.Add(new SequenceRange(next, first - 1));
                }

                rest.Add(new SequenceRange(first, last));
                next = last + 1;
            }

            if (next <= run.Last)
            {
                covered.Add(new SequenceRange(next, run.Last));
            }
        }

        return (covered, rest);
    }

    private LedgerEpoch? Open(LedgerKey key)
    {
        if (!_epochs.TryGetValue(key, out var epoch) && _epochs.Count < MaxEpochs)
        {
            _epochs.Add(key, epoch = new LedgerEpoch());
        }

        return epoch;
    }

    // A statement that this reader does not understand explains nothing, so that its records stay missing: the safe side.
    private void Statement(FeedMessage message, JsonElement record, bool live)
    {
        if (record.ValueKind != JsonValueKind.Object
            || !FeedWords.TryStream(Text(record, "stream"), out var stream)
            || !FeedWords.TryRangeState(Text(record, "state"), out var state)
            || Number(record, "epoch") is not { } epochNumber
            || Number(record, "first") is not { } first
            || Number(record, "last") is not { } last)
        {
            _notUnderstood++;
            return;
        }

        var reason = Text(record, "reason") is { } text ? text.Length <= MaxReasonLength ? text : text[..MaxReasonLength] : "";
        if (first == 0 && last == 0 && state == RangeState.NeverAcquired)
        {
            var absence = new LedgerAbsence(message.Site, message.Gateway, Time(record, "from"), Time(record, "to"), reason);
            if (_absences.Count < MaxAbsences && !_absences.Contains(absence))
            {
                _absences.Add(absence);
            }

            return;
        }

        if (first < 1 || last < first || last == long.MaxValue || epochNumber < 1
            || Open(new LedgerKey(message.Site, message.Gateway, stream, epochNumber)) is not { } epoch)
        {
            _notUnderstood++;
            return;
        }

        if (state == RangeState.Issued)
        {
            epoch.Issued = Math.Max(epoch.Issued, last);
            if (live)
            {
                epoch.AfterIssued ??= last + 1;
            }

            return;
        }

        if (!epoch.Explained.TryGetValue((state, reason), out var said))
        {
            // Reasons are a handful of words; more of them than that are somebody's play with our memory, and are put together.
            reason = epoch.Explained.Count < MaxReasons ? reason : OtherReasons;
            if (!epoch.Explained.TryGetValue((state, reason), out said))
            {
                epoch.Explained.Add((state, reason), said = new LedgerSaid());
            }
        }

        said.Numbers.Add(first, last);
        said.Note(Time(record, "from") ?? Time(record, "time"), Time(record, "to") ?? Time(record, "time"));
    }

    private static string? Text(JsonElement record, string name) =>
        record.TryGetProperty(name, out var field) && field.ValueKind == JsonValueKind.String ? field.GetString() : null;

    private static long? Number(JsonElement record, string name) =>
        record.TryGetProperty(name, out var field) && field.ValueKind == JsonValueKind.Number && field.TryGetInt64(out var number) ? number : null;

    private static Instant? Time(JsonElement record, string name) =>
        record.TryGetProperty(name, out var field) && field.ValueKind == JsonValueKind.String && field.TryGetDateTimeOffset(out var time) ? Instant.From(time) : null;
}
