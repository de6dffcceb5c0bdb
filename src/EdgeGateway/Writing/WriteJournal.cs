using System.Globalization;
using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Writing;
using EdgeGateway.Storage;

namespace EdgeGateway.Writing;

/// <summary>Commits a record of the feed together with notes of the store; completes when both are on the disk.</summary>
internal delegate Task RecordWrite(Action<FeedEncoder, Instant> record, StoreNote[] notes);

/// <summary>
/// What is known of writes: those under way, the last ones, and the values that must give way. Everything is on the disk before it counts, in the
/// transaction that also numbers its record in the feed.
/// </summary>
internal sealed class WriteJournal
{
    /// <summary>Writes that are kept on the gateway; the feed has them all.</summary>
    public const int MaxKept = 200;

    private const string WritePrefix = "write/";
    private const string ExpiryPrefix = "expiry/";

    private readonly RecordWrite _record;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, StoredWrite> _writes = [];
    private readonly Dictionary<(string Device, string Point), PendingExpiry> _pending = [];
    private readonly Queue<long> _leftOpen = new();
    private long _next = 1;

    /// <summary>The journal as the store kept it.</summary>
    public WriteJournal(IEnumerable<StoreNote> notes, RecordWrite record)
    {
        _record = record;
        foreach (var note in notes)
        {
            if (note.Key.StartsWith(WritePrefix, StringComparison.Ordinal)
                && long.TryParse(note.Key.AsSpan(WritePrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && StoredWritesJson.Write(note.Text!) is { } write)
            {
                _writes[number] = write;
                _next = Math.Max(_next, number + 1);
                if (write.Write.Outcome is null)
                {
                    _leftOpen.Enqueue(number);
                }
            }
            else if (note.Key.StartsWith(ExpiryPrefix, StringComparison.Ordinal) && StoredWritesJson.Pending(note.Text!) is { } pending)
            {
                _pending[(pending.Device, pending.Point)] = pending;
            }
        }
    }

    /// <summary>Values that must give way.</summary>
    public IReadOnlyList<PendingExpiry> Pending { get { lock (_gate) { return [.. _pending.Values]; } } }

    /// <summary>The last writes, newest first.</summary>
    public IReadOnlyList<WriteDocument> Last { get { lock (_gate) { return [.. _writes.Values.Reverse().Select(w => w.Write)]; } } }

    /// <summary>True while this very expiry stands: no later write has taken its place.</summary>
    public bool Stands(PendingExpiry pending)
    {
        lock (_gate)
        {
            return _pending.TryGetValue((pending.Device, pending.Point), out var now) && now.Id == pending.Id;
        }
    }

    /// <summary>The expiry of a point, or null.</summary>
    public PendingExpiry? PendingOf(string device, string point)
    {
        lock (_gate)
        {
            return _pending.GetValueOrDefault((device, point));
        }
    }

    /// <summary>
    /// Records what a gateway that was killed left open: writes whose outcome nobody knows, and expiries of another boot. Completes when that is on the disk;
    /// until then nothing may be written.
    /// </summary>
    public async Task ResumeAsync(ClockReading now)
    {
        PendingExpiry[] pending;
        lock (_gate)
        {
            pending = [.. _pending.Values.Where(p => p.Clock.Boot != now.Boot)];
        }

        while (_leftOpen.TryPeek(out var number))
        {
            StoredWrite write;
            lock (_gate)
            {
                write = _writes[number];
            }

            var ended = write.Write with
            {
                Outcome = WriteOutcome.Unknown.Word(),
                Detail = "the gateway ended while it was under way: it may have happened",
                Ended = now.Wall.ToDateTimeOffset(),
            };
            await EndAsync(number, write with { Write = ended }, WriteOutcome.Unknown, now).ConfigureAwait(false);
            _leftOpen.Dequeue();
        }

        if (pending.Length > 0)
        {
            var notes = pending.Select(p => p.Renewed(now)).ToArray();
            await _record(static (_, _) => { }, [.. notes.Select(Note)]).ConfigureAwait(false);
            lock (_gate)
            {
                foreach (var renewed in notes)
                {
                    _pending[(renewed.Device, renewed.Point)] = renewed;
                }
            }
        }
    }

    /// <summary>Records that a write is about to happen; completes when it is on the disk. Only then may the wire be touched.</summary>
    /// <returns>The number under which <see cref="EndAsync"/> ends it.</returns>
    public async Task<long> BeginAsync(StoredWrite write)
    {
        var (number, notes) = Add(write);
        await _record((encoder, _) => encoder.Health(WriteRecords.Begun(write.Write)), notes).ConfigureAwait(false);
        return number;
    }

    /// <summary>Records how a write ended and what that means for the expiry of its point; completes when it is on the disk.</summary>
    public async Task EndAsync(long number, StoredWrite write, WriteOutcome outcome, ClockReading now)
    {
        var key = (write.Write.Device, write.Write.Point);
        PendingExpiry? after;
        lock (_gate)
        {
            after = After(_pending.GetValueOrDefault(key), PendingExpiry.Of(write), outcome, now);
            write = write with { Write = write.Write with { Expires = after is null ? null : (now.Wall + after.Expiry.Left(now)).ToDateTimeOffset() } };
            _writes[number] = write;
            if (after is null)
            {
                _pending.Remove(key);
            }
            else
            {
                _pending[key] = after;
            }
        }

        await _record(
            (encoder, _) => encoder.Health(WriteRecords.Ended(write.Write)),
            [Note(number, write), after is null ? new StoreNote(ExpiryKey(key.Device, key.Point), null) : Note(after)]).ConfigureAwait(false);
    }

    /// <summary>Records a write that was made while no gateway ran; one that is known already is left out.</summary>
    public async Task ImportAsync(IReadOnlyList<StoredWrite> writes)
    {
        foreach (var write in writes)
        {
            lock (_gate)
            {
                if (_writes.Values.Any(w => w.Write.Id == write.Write.Id))
                {
                    continue;
                }
            }

            var (_, notes) = Add(write);
            await _record(
                (encoder, _) =>
                {
                    encoder.Health(WriteRecords.Begun(write.Write));
                    encoder.Health(WriteRecords.Ended(write.Write));
                },
                notes).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// What must give way after a write: a confirmed write takes the place of what stood, a refused one changes nothing, and when it is not known what
    /// happened, whichever ends sooner.
    /// </summary>
    internal static PendingExpiry? After(PendingExpiry? before, PendingExpiry? asked, WriteOutcome outcome, in ClockReading now) => outcome switch
    {
        WriteOutcome.Confirmed => asked,
        WriteOutcome.RefusedByDevice or WriteOutcome.NotAttempted => before,
        _ when before is null || asked is null => before ?? asked,
        _ => before.Expiry.Left(now) <= asked.Expiry.Left(now) ? before : asked,
    };

    private (long Number, StoreNote[] Notes) Add(StoredWrite write)
    {
        var notes = new List<StoreNote>();
        lock (_gate)
        {
            var number = _next++;
            _writes[number] = write;

            // Those under way are never forgotten.
            foreach (var (old, _) in _writes.Where(w => w.Value.Write.Outcome is not null).Take(_writes.Count - MaxKept).ToArray())
            {
                _writes.Remove(old);
                notes.Add(new StoreNote(WriteKey(old), null));
            }

            notes.Add(Note(number, write));
            return (number, [.. notes]);
        }
    }

    private static string WriteKey(long number) => string.Create(CultureInfo.InvariantCulture, $"{WritePrefix}{number:D12}");

    private static string ExpiryKey(string device, string point) => $"{ExpiryPrefix}{device}/{point}";

    private static StoreNote Note(long number, StoredWrite write) => new(WriteKey(number), StoredWritesJson.Text(write));

    private static StoreNote Note(PendingExpiry pending) => new(ExpiryKey(pending.Device, pending.Point), StoredWritesJson.Text(pending));
}
