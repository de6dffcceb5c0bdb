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
    private readonly List<long> _leftOpen = [];
    private readonly HashSet<(string Device, string Point)> _renewed = [];
    private readonly List<StoreNote> _damaged;
    private long _next = 1;

    /// <summary>The journal as the store kept it.</summary>
    /// <param name="notes">What the store holds.</param>
    /// <param name="record">Commits to the store.</param>
    /// <param name="damaged">Notes that are not what was written.</param>
    public WriteJournal(IEnumerable<StoreNote> notes, RecordWrite record, IEnumerable<StoreNote>? damaged = null)
    {
        _record = record;
        _damaged = [.. damaged ?? []];
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
                    _leftOpen.Add(number);
                }
            }
            else if (note.Key.StartsWith(ExpiryPrefix, StringComparison.Ordinal) && StoredWritesJson.Pending(note.Text!) is { } pending)
            {
                _pending[(pending.Device, pending.Point)] = pending;
            }
            else if (note.Key == StoreNote.LostTable || note.Key.StartsWith(WritePrefix, StringComparison.Ordinal) || note.Key.StartsWith(ExpiryPrefix, StringComparison.Ordinal))
            {
                _damaged.Add(note);
            }
        }
    }

    /// <summary>Notes that cannot be read: what they stood for is not known any more.</summary>
    public IReadOnlyList<StoreNote> Damaged { get { lock (_gate) { return [.. _damaged]; } } }

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
    /// Ends what a gateway that was killed left open: writes whose outcome nobody knows, and expiries of another boot. In memory at once, so that expiries need
    /// not wait for the store; completes when it is on the disk, and until then nobody else may write. Can be called again when it failed.
    /// </summary>
    public async Task ResumeAsync(ClockReading now)
    {
        var recording = new List<Task>();
        long[] open;
        lock (_gate)
        {
            open = [.. _leftOpen];
            foreach (var number in open)
            {
                var write = _writes[number];
                var ended = write.Write with
                {
                    Outcome = WriteOutcome.Unknown.Word(),
                    Detail = "the gateway ended while it was under way: it may have happened",
                    Ended = now.Wall.ToDateTimeOffset(),
                };
                recording.Add(End(number, write with { Write = ended }, WriteOutcome.Unknown, now));
            }

            // After those: which expiry stands depends on them.
            foreach (var (key, pending) in _pending.Where(p => p.Value.Clock.Boot != now.Boot).ToArray())
            {
                _pending[key] = pending.Renewed(now);
                _renewed.Add(key);
            }

            if (_renewed.Count > 0)
            {
                recording.Add(_record(static (_, _) => { }, [.. _pending.Where(p => _renewed.Contains(p.Key)).Select(p => Note(p.Value))]));
            }
        }

        await Task.WhenAll(recording).ConfigureAwait(false);
        lock (_gate)
        {
            _leftOpen.RemoveAll(open.Contains);
            _renewed.Clear();
        }
    }

    /// <summary>Publishes that notes are damaged and forgets them; completes when that is on the disk.</summary>
    public async Task TellDamagedAsync(ClockReading now)
    {
        var damaged = Damaged;
        if (damaged.Count == 0)
        {
            return;
        }

        await _record(
            (encoder, _) =>
            {
                foreach (var note in damaged)
                {
                    encoder.Health(WriteRecords.Lost(now.Wall, Describe(note)));
                }
            },
            [.. damaged.Select(n => n with { Text = null })]).ConfigureAwait(false);
        lock (_gate)
        {
            _damaged.RemoveAll(damaged.Contains);
        }
    }

    /// <summary>Publishes that something about writes is not known any more; completes when that is on the disk.</summary>
    public Task TellLostAsync(string text, ClockReading now) => _record((encoder, _) => encoder.Health(WriteRecords.Lost(now.Wall, text)), []);

    /// <summary>What a damaged note stood for, and what to do about it.</summary>
    public static string Describe(StoreNote note)
    {
        var path = note.Key.Split('/');
        return path switch
        {
            ["expiry", var device, var point] => $"The record of when {device}.{point} gives way to its safe value is damaged: the gateway writes no safe value. Look at the device, and write the value it should have.",
            [StoreNote.LostTable] => "The store was damaged, and records of writes could not be read. Where values are written for a time, look at the devices: no safe value follows.",
            _ => $"The record of a write is damaged ('{note.Key}'). Look at the devices that are written to: if it was under way for a time, no safe value is written.",
        };
    }

    /// <summary>Records that a write is about to happen.</summary>
    /// <returns>The number under which <see cref="EndAsync"/> ends it, and what completes when it is on the disk: only then may an operator's write touch the wire.</returns>
    public (long Number, Task OnDisk) Begin(StoredWrite write)
    {
        lock (_gate)
        {
            var (number, notes) = Add(write);
            return (number, _record((encoder, _) => encoder.Health(WriteRecords.Begun(write.Write)), notes));
        }
    }

    /// <summary>Records how a write ended and what that means for the expiry of its point; completes when it is on the disk.</summary>
    public Task EndAsync(long number, StoredWrite write, WriteOutcome outcome, ClockReading now)
    {
        lock (_gate)
        {
            return End(number, write, outcome, now);
        }
    }

    /// <summary>
    /// Records writes that were made while no gateway ran; one that is known already is left out. A confirmed one takes the place of the expiry it was made
    /// to replace, and of no other. In memory at once; completes when it is on the disk.
    /// </summary>
    public Task ImportAsync(IReadOnlyList<StoredWrite> writes, ClockReading now)
    {
        var recording = new List<Task>();
        lock (_gate)
        {
            foreach (var write in writes.Where(write => _writes.Values.All(w => w.Write.Id != write.Write.Id)))
            {
                var (_, notes) = Add(write);
                var key = (write.Write.Device, write.Write.Point);
                if (write.Replaces is { } replaced && _pending.GetValueOrDefault(key)?.Id == replaced && write.Write.Outcome == WriteOutcome.Confirmed.Word())
                {
                    var after = PendingExpiry.Of(write);
                    SetPending(key, after);
                    notes = [.. notes, ExpiryNote(key, after)];
                }

                recording.Add(_record(
                    (encoder, _) =>
                    {
                        encoder.Health(WriteRecords.Begun(write.Write));
                        encoder.Health(WriteRecords.Ended(write.Write));
                    },
                    notes));
            }
        }

        return Task.WhenAll(recording);
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

    // What follows is called with the gate held: records reach the store in the order in which memory changed.
    private Task End(long number, StoredWrite write, WriteOutcome outcome, in ClockReading now)
    {
        var key = (write.Write.Device, write.Write.Point);
        var after = After(_pending.GetValueOrDefault(key), PendingExpiry.Of(write), outcome, now);
        write = write with { Write = write.Write with { Expires = after is null ? null : (now.Wall + after.Expiry.Left(now)).ToDateTimeOffset() } };
        _writes[number] = write;
        SetPending(key, after);
        return _record((encoder, _) => encoder.Health(WriteRecords.Ended(write.Write)), [Note(number, write), ExpiryNote(key, after)]);
    }

    private void SetPending((string Device, string Point) key, PendingExpiry? after)
    {
        if (after is null)
        {
            _pending.Remove(key);
        }
        else
        {
            _pending[key] = after;
        }
    }

    private (long Number, StoreNote[] Notes) Add(StoredWrite write)
    {
        var notes = new List<StoreNote>();
        var number = _next++;

        // Of the tries to write one safe value the last is kept: they must not push out what people wrote. The feed has them all.
        if (write.Write.Cause == WriteCause.Expiry
            && _writes.Reverse().FirstOrDefault(w => w.Value.Write.Device == write.Write.Device && w.Value.Write.Point == write.Write.Point) is { Value.Write: { Cause: WriteCause.Expiry, Outcome: { } outcome } } last
            && outcome != WriteOutcome.Confirmed.Word())
        {
            Forget(last.Key);
        }

        _writes[number] = write;

        // Those under way are never forgotten.
        foreach (var (old, _) in _writes.Where(w => w.Value.Write.Outcome is not null).Take(_writes.Count - MaxKept).ToArray())
        {
            Forget(old);
        }

        notes.Add(Note(number, write));
        return (number, [.. notes]);

        void Forget(long old)
        {
            _writes.Remove(old);
            notes.Add(new StoreNote(WriteKey(old), null));
        }
    }

    private static string WriteKey(long number) => string.Create(CultureInfo.InvariantCulture, $"{WritePrefix}{number:D12}");

    private static string ExpiryKey(string device, string point) => $"{ExpiryPrefix}{device}/{point}";

    private static StoreNote ExpiryNote((string Device, string Point) key, PendingExpiry? pending) =>
        pending is null ? new StoreNote(ExpiryKey(key.Device, key.Point), null) : Note(pending);

    private static StoreNote Note(long number, StoredWrite write) => new(WriteKey(number), StoredWritesJson.Text(write));

    private static StoreNote Note(PendingExpiry pending) => new(ExpiryKey(pending.Device, pending.Point), StoredWritesJson.Text(pending));
}
