using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>
/// What the store keeps of the clock, as notes: the last time that was right (requirement T-4) with its boot, and in which boot it was given up to wait for
/// the clock. Written about once an hour.
/// </summary>
internal sealed class ClockNotes
{
    private const string GoodKey = "clock/good";
    private const string HoldOverKey = "clock/hold-over";

    private readonly Guid _boot;

    /// <param name="notes">What the store holds.</param>
    /// <param name="boot">The boot of this process.</param>
    public ClockNotes(IEnumerable<StoreNote> notes, Guid boot)
    {
        _boot = boot;
        foreach (var note in notes)
        {
            if (note.Key == GoodKey && note.Text?.Split(' ') is [var at, var offset, var noted]
                && long.TryParse(at, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var milliseconds)
                && long.TryParse(offset, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var zero)
                && Guid.TryParse(noted, out var id))
            {
                LastGood = new Instant(milliseconds);
                OffsetOfBoot = id == boot ? zero : null;
            }
            else if (note.Key == HoldOverKey)
            {
                IsHoldOver = Guid.TryParse(note.Text, out var given) && given == boot;
            }
        }
    }

    /// <summary>The last time that was right, as noted; null when none was noted.</summary>
    public Instant? LastGood { get; private set; }

    /// <summary>Wall time at zero of this boot's monotonic clock, when an earlier process of this boot had a clock that was right.</summary>
    public long? OffsetOfBoot { get; }

    /// <summary>Whether it was given up in this boot to wait for the clock.</summary>
    public bool IsHoldOver { get; }

    /// <summary>The note that this time was right.</summary>
    public StoreNote Good(Instant now, long offsetOfBoot)
    {
        LastGood = now;
        return new StoreNote(GoodKey, string.Create(CultureInfo.InvariantCulture, $"{now.UnixMilliseconds} {offsetOfBoot} {_boot}"));
    }

    /// <summary>The note that it was given up in this boot to wait for the clock.</summary>
    public StoreNote HoldOver() => new(HoldOverKey, _boot.ToString());
}
