using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>An end of a time span: by the wall clock where that was known, else by the monotonic clock of a boot, whose wall time may become known.</summary>
/// <param name="Wall">Wall time; null when the clock was not set.</param>
/// <param name="Boot">The boot; empty when nothing is known.</param>
/// <param name="SinceBoot">The boot's monotonic clock, in milliseconds.</param>
internal readonly record struct SpanEnd(Instant? Wall, Guid Boot, long SinceBoot)
{
    /// <summary>The wall time, when it is known or has become known since.</summary>
    /// <param name="boot">The boot whose wall time is known now.</param>
    /// <param name="offset">Wall time at zero of its monotonic clock, in Unix milliseconds; null while the clock is not set.</param>
    public Instant? At(Guid boot, long? offset) => Wall ?? (offset is { } zero && Boot == boot && boot != Guid.Empty ? new Instant(SinceBoot + zero) : null);

    /// <summary>As text: the wall time, the boot and its clock, or a dash.</summary>
    public override string ToString() => Wall is { } wall
        ? wall.UnixMilliseconds.ToString(CultureInfo.InvariantCulture)
        : Boot == Guid.Empty ? "-" : string.Create(CultureInfo.InvariantCulture, $"{Boot}:{SinceBoot}");

    /// <summary>Reads what <see cref="ToString"/> wrote; anything else is an end of which nothing is known.</summary>
    public static SpanEnd Parse(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var wall))
        {
            return new SpanEnd(new Instant(wall), Guid.Empty, 0);
        }

        return text.Split(':') is [var boot, var since] && Guid.TryParse(boot, out var id) && long.TryParse(since, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var milliseconds)
            ? new SpanEnd(null, id, milliseconds)
            : default;
    }
}

/// <summary>A time in which nothing was acquired.</summary>
internal readonly record struct Absence(SpanEnd From, SpanEnd To, string Reason);

/// <summary>
/// States in the feed when the gateway acquired nothing (<see cref="RangeState.NeverAcquired"/>): while it did not run, and while no reading could be
/// taken because the queue was full. A device or bus that does not answer is another matter: its samples say so.
/// </summary>
/// <remarks>
/// What lies between two runs is told when the readings of both have their dates. Until then it is kept as a note, so that a gateway that ends once more while its
/// clock is not set does not forget it.
/// </remarks>
internal sealed class Absences
{
    /// <summary>Persistent counter: number of the batch with which the gateway was stopped on purpose. What was committed after it was not stopped.</summary>
    public const string StopCounter = "stop/batch";

    public const string Stopped = "stopped by operator";
    public const string NotStopped = "power or process";
    public const string StoreDamaged = "store was damaged";
    public const string StoreRestored = "store was restored from a backup";
    public const string StoreNotWritten = "store could not be written";
    public const string Changed = "the configuration was changed";
    public const string QueueFull = "readings came faster than they could be stored";

    private const string NoteKey = "absence/waiting";

    // A computer whose power comes and goes while its clock is not set must not fill the store with these.
    private const int MostWaiting = 16;

    private readonly List<Absence> _waiting = [];
    private bool _isNoted;

    /// <param name="notes">What the store holds.</param>
    public Absences(IEnumerable<StoreNote> notes)
    {
        foreach (var line in notes.Where(n => n.Key == NoteKey).SelectMany(n => n.Text!.Split('\n')))
        {
            if (line.Split('|') is [var from, var to, var reason])
            {
                _waiting.Add(new Absence(SpanEnd.Parse(from), SpanEnd.Parse(to), reason));
                _isNoted = true;
            }
        }
    }

    /// <summary>True when something waits to be told.</summary>
    public bool Any => _waiting.Count > 0;

    /// <summary>The newest of what waits.</summary>
    public Absence? Newest => _waiting.Count > 0 ? _waiting[^1] : null;

    /// <summary>Keeps a time until it can be told. Of more than sixteen the oldest are told no more.</summary>
    public void Add(in Absence absence)
    {
        _waiting.Add(absence);
        if (_waiting.Count > MostWaiting)
        {
            _waiting.RemoveAt(0);
        }
    }

    /// <summary>What waits, as a note for the next commit.</summary>
    public StoreNote Note()
    {
        _isNoted = true;
        return new StoreNote(NoteKey, string.Join('\n', _waiting.Select(a => $"{a.From}|{a.To}|{a.Reason}")));
    }

    /// <summary>Takes what waits, as statements.</summary>
    /// <param name="now">Time of the statements.</param>
    /// <param name="boot">This boot.</param>
    /// <param name="offset">Wall time at zero of its monotonic clock, in Unix milliseconds; null when the clock is not set.</param>
    /// <param name="done">The note to be written with them; null when none was kept.</param>
    public IReadOnlyList<RangeRecord> Take(Instant now, Guid boot, long? offset, out StoreNote? done)
    {
        RangeRecord[] told = [.. _waiting.Select(a => Statement(now, a, boot, offset))];
        _waiting.Clear();
        done = _isNoted ? new StoreNote(NoteKey, null) : null;
        _isNoted = false;
        return told;
    }

    /// <summary>What to say of a time, as far as it is known when.</summary>
    private static RangeRecord Statement(Instant now, in Absence absence, Guid boot, long? offset)
    {
        var (from, to) = (absence.From.At(boot, offset), absence.To.At(boot, offset));
        if (to < from)
        {
            // The two times are not of one scale: where it began stands in the era before.
            return Statement(now, from, null, $"{absence.Reason}; how long is not known, the clock was set back");
        }

        var missing = (from, to) switch
        {
            (_, null) => "; how long is not known, the clock was not set",
            (null, _) when absence.Reason is not (StoreDamaged or StoreRestored) => "; since when is not known, the clock was not set",
            _ => "",
        };
        return Statement(now, from, to, absence.Reason + missing);
    }

    /// <summary>A statement about a time in which nothing was acquired.</summary>
    public static RangeRecord Statement(Instant now, Instant? from, Instant? to, string reason) => new()
    {
        Time = now,

        // Readings are samples, also where a site publishes none of them singly.
        Stream = FeedStream.Sample,
        Epoch = 1,
        First = 0,
        Last = 0,
        State = RangeState.NeverAcquired,
        Reason = reason,
        From = from,
        To = to,
    };
}
