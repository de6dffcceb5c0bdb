using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Alarms;

/// <summary>An alarm and when its condition began the last three times, to notice chatter.</summary>
internal sealed class AlarmSlot(AlarmEntry entry)
{
    private readonly long[] _begun = [long.MinValue, long.MinValue, long.MinValue];

    public AlarmEntry Entry { get; set; } = entry;

    /// <summary>When the condition began last, Unix milliseconds.</summary>
    public long LastBegun => _begun[2];

    /// <summary>Notes that the condition begins; true when it did so three times within <paramref name="span"/> milliseconds.</summary>
    public bool NoteBegin(long time, long span)
    {
        (_begun[0], _begun[1], _begun[2]) = (_begun[1], _begun[2], time);
        return _begun[0] != long.MinValue && time - _begun[0] <= span;
    }

    public void Shift(long milliseconds)
    {
        foreach (ref var time in _begun.AsSpan())
        {
            time = time == long.MinValue ? time : time + milliseconds;
        }

        var span = TimeSpan.FromMilliseconds(milliseconds);
        Entry = Entry with { ShelvedUntil = Entry.ShelvedUntil + span, WaitsUntil = Entry.WaitsUntil + span, Raised = Entry.Raised + span };
    }

    public void Save(StateWriter writer)
    {
        Entry.Save(writer);
        foreach (var time in _begun)
        {
            writer.Write(time);
        }
    }

    public static AlarmSlot Load(ref StateReader reader)
    {
        var slot = new AlarmSlot(AlarmEntry.Load(ref reader));
        foreach (ref var time in slot._begun.AsSpan())
        {
            time = reader.ReadInt64();
        }

        return slot;
    }
}
