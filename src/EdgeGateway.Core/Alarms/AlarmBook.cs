using System.Collections.Immutable;
using System.Globalization;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Alarms;

/// <summary>
/// The alarms of a site and their life (ANSI/ISA-18.2, IEC 62682): conditions come and go, people acknowledge and shelve, what has one cause stands
/// under it, and a flood is gathered. Single-threaded and deterministic; it has no clock and no knowledge of what a condition means.
/// </summary>
/// <remarks>
/// Nothing is dropped: what stands under another alarm is told, listed, and stands by itself again as soon as that one has gone. What is critical never
/// stands under another. Used alone: <see cref="Raise"/> and <see cref="Clear"/> feed it, <see cref="Advance"/> tells it the time.
/// </remarks>
public sealed class AlarmBook
{
    /// <summary>Rule of a device that does not answer.</summary>
    public const string OfflineRule = "offline";

    /// <summary>Rule of a bus on which no device answers.</summary>
    public const string BusRule = "bus-offline";

    /// <summary>Rule of a point without a value; what a silent device lacks is told by it too, and stands under the silence.</summary>
    public const string GapRule = "gap";

    /// <summary>Rule, and id, of the alarm that gathers others in a flood.</summary>
    public const string FloodRule = "flood";

    /// <summary>Longest time on the shelf: an alarm that is put away for longer is out of service.</summary>
    public static readonly TimeSpan LongestShelf = TimeSpan.FromHours(24);

    /// <summary>Shortest time on the shelf.</summary>
    public static readonly TimeSpan ShortestShelf = TimeSpan.FromMinutes(1);

    /// <summary>How long a silent device waits for a cause (its bus) before it is an alarm.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>How long a point may stay without a value after its device answers again, before that is an alarm of its own: slow points are read once a minute.</summary>
    public static readonly TimeSpan PointPatience = TimeSpan.FromMinutes(2);

    /// <summary>Conditions of one device that begin within this time are one event.</summary>
    private const long TogetherMs = 5_000;

    /// <summary>Three beginnings within this time are chatter.</summary>
    private const long ChatterMs = 60_000;

    /// <summary>Chatter is over when nothing has begun for so long.</summary>
    private const long SettleMs = 300_000;

    /// <summary>What is normal is forgotten, with its count, when nothing has begun for so long.</summary>
    private const long ForgetMs = 600_000;

    private const byte Version = 1;

    private readonly SortedDictionary<string, AlarmSlot> _slots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _devicesOfBus;
    private readonly Action<AlarmRecord> _tell;
    private readonly AlarmFlood _flood = new();
    private long _now;

    // Nothing is due before this: telling the time a second later need not look at each alarm.
    private long _nextDue = long.MaxValue;

    /// <summary>A book without alarms.</summary>
    /// <param name="devices">The devices whose silence is told, each with its bus.</param>
    /// <param name="tell">Receives each change, in order.</param>
    public AlarmBook(IEnumerable<(string Device, string Bus)> devices, Action<AlarmRecord> tell)
    {
        _devicesOfBus = devices.GroupBy(d => d.Bus, d => d.Device, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);
        _tell = tell;
    }

    /// <summary>Grows with each change of an alarm.</summary>
    public long Revision { get; private set; }

    /// <summary>Id of the alarm of a device that does not answer.</summary>
    public static string OfflineId(string device) => $"{device}.{OfflineRule}";

    /// <summary>Id of the alarm of a bus on which no device answers.</summary>
    public static string BusId(string bus) => $"bus:{bus}.{OfflineRule}";

    /// <summary>The alarms that are not normal, the most urgent first, then the newest.</summary>
    public ImmutableArray<AlarmEntry> List() =>
    [
        .. _slots.Values.Select(s => s.Entry).Where(e => e.State != AlarmState.Normal)
            .OrderByDescending(e => e.Condition.Priority).ThenByDescending(e => e.Raised).ThenBy(e => e.Condition.Id, StringComparer.Ordinal),
    ];

    /// <summary>A condition holds, or still holds with another priority or other numbers.</summary>
    public void Raise(AlarmCondition condition, Instant now)
    {
        ArgumentNullException.ThrowIfNull(condition);
        Reach(now);
        if (!_slots.TryGetValue(condition.Id, out var slot))
        {
            slot = new AlarmSlot(new AlarmEntry { Condition = condition });
            _slots.Add(condition.Id, slot);
        }

        if (slot.Entry.IsStanding)
        {
            Renew(slot, condition);
        }
        else
        {
            Begin(slot, condition);
        }

        if (condition.Rule == OfflineRule)
        {
            LookAtBus(condition.Bus);
        }
    }

    /// <summary>A condition has gone. One that is not known has gone already.</summary>
    public void Clear(string id, Instant now)
    {
        Reach(now);
        if (!_slots.TryGetValue(id, out var slot) || !slot.Entry.IsStanding)
        {
            return;
        }

        var entry = slot.Entry with { IsStanding = false };
        if (entry.IsChattering)
        {
            Keep(slot, entry);
        }
        else
        {
            End(slot, entry);
        }

        if (entry.Condition.Rule == OfflineRule)
        {
            LookAtBus(entry.Condition.Bus);
        }
    }

    /// <summary>The time goes on: shelves end, silent devices become alarms, chatter settles, a flood ebbs.</summary>
    public void Advance(Instant now)
    {
        Reach(now);
        if (_now < _nextDue)
        {
            return;
        }

        foreach (var slot in _slots.Values.ToArray())
        {
            Attend(slot);
        }

        _nextDue = _slots.Values.Select(DueAt).DefaultIfEmpty(long.MaxValue).Min();
    }

    /// <summary>Does what a person asks for, to all the alarms or to none.</summary>
    /// <returns>Why it is refused, for that person; null when it is done.</returns>
    public string? Apply(AlarmOrder order, Instant now)
    {
        ArgumentNullException.ThrowIfNull(order);
        Reach(now);
        if (Refusal(order) is { } refusal)
        {
            return refusal;
        }

        foreach (var id in order.Ids.Distinct(StringComparer.Ordinal))
        {
            var slot = _slots[id];
            var entry = slot.Entry with { Who = order.Who, Reason = order.Reason };
            switch (order.Action)
            {
                case AlarmAction.Acknowledge:
                    Change(slot, entry with { IsAcknowledged = true }, AlarmChange.Acknowledged);
                    break;
                case AlarmAction.Shelve:
                    PutAway(slot, entry with { ShelvedUntil = new Instant(_now) + order.For!.Value }, AlarmChange.Shelved);
                    break;
                case AlarmAction.Remove:
                    PutAway(slot, entry with { IsOutOfService = true, ShelvedUntil = null }, AlarmChange.OutOfService);
                    break;
                case AlarmAction.Unshelve:
                    TakeBack(slot, entry with { ShelvedUntil = null }, AlarmChange.Unshelved);
                    break;
                default:
                    TakeBack(slot, entry with { IsOutOfService = false }, AlarmChange.InService);
                    break;
            }
        }

        return null;
    }

    /// <summary>The wall clock was set: every time that is kept moves, except when a condition began, which names the finding.</summary>
    public void Shift(long milliseconds)
    {
        _now += milliseconds;
        _flood.Shift(milliseconds);
        foreach (var slot in _slots.Values)
        {
            slot.Shift(milliseconds);
        }

        Touch();
    }

    /// <summary>Observation ends with a change of configuration: no condition is known to hold. What people did stays.</summary>
    public void End(Instant now)
    {
        Reach(now);
        foreach (var slot in _slots.Values)
        {
            var entry = slot.Entry;
            if (entry.IsStanding || entry.IsChattering)
            {
                entry = entry with { IsStanding = false, IsChattering = false, Cause = null, WaitsUntil = null };
                if (entry.State == slot.Entry.State)
                {
                    Keep(slot, entry);
                }
                else
                {
                    Change(slot, entry, AlarmChange.Cleared);
                }
            }
        }
    }

    /// <summary>Removes the alarms of what is no longer configured.</summary>
    public void Retain(Func<AlarmCondition, bool> isConfigured)
    {
        foreach (var slot in _slots.Values.Where(s => !isConfigured(s.Entry.Condition)).ToArray())
        {
            var was = slot.Entry.State;
            slot.Entry = new AlarmEntry { Condition = slot.Entry.Condition };
            if (was != AlarmState.Normal)
            {
                Change(slot, slot.Entry, AlarmChange.Removed);
            }

            _slots.Remove(slot.Entry.Condition.Id);
        }
    }

    /// <summary>Writes the complete state.</summary>
    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(Version);
        writer.Write(_now);
        _flood.Save(writer);
        writer.Write(_slots.Count);
        foreach (var slot in _slots.Values)
        {
            slot.Save(writer);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote; afterwards it goes on as if never interrupted.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged or of another version.</exception>
    public void Load(ref StateReader reader)
    {
        if (reader.ReadByte() is var version && version != Version)
        {
            throw new InvalidDataException($"The alarms have version {version}; this program reads version {Version}.");
        }

        _now = reader.ReadInt64();
        _flood.Load(ref reader);
        _slots.Clear();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var slot = AlarmSlot.Load(ref reader);
            _slots[slot.Entry.Condition.Id] = slot;
        }

        Touch();
    }

    private bool IsFlood => _slots.TryGetValue(FloodRule, out var flood) && flood.Entry.IsStanding;

    private static bool IsCommunication(string rule) => rule is OfflineRule or BusRule;

    private static bool IsPutAway(AlarmEntry entry) => entry.IsOutOfService || entry.ShelvedUntil is not null;

    private void Begin(AlarmSlot slot, AlarmCondition condition)
    {
        var before = slot.Entry;
        var chatters = slot.NoteBegin(_now, ChatterMs);
        var entry = before with { Condition = condition, IsStanding = true, Count = before.Count + 1 };
        if (IsPutAway(before))
        {
            Keep(slot, entry);
        }
        else if (before.IsChattering)
        {
            // Nothing new, unless it comes back more urgent.
            Keep(slot, entry with { Condition = before.Condition });
            Renew(slot, condition);
        }
        else if (chatters)
        {
            Keep(slot, entry with { IsChattering = true });
            Announce(slot, AlarmChange.Chattering, isArrival: true);
        }
        else if (condition.Rule == OfflineRule)
        {
            Keep(slot, entry with { WaitsUntil = new Instant(_now) + Patience });
        }
        else
        {
            Keep(slot, entry);
            Announce(slot, AlarmChange.Raised, isArrival: true);
        }
    }

    private void Renew(AlarmSlot slot, AlarmCondition condition)
    {
        var before = slot.Entry;
        var entry = before with { Condition = condition };
        var rises = condition.Priority > before.Condition.Priority;
        if (before.State is AlarmState.Unacknowledged or AlarmState.Acknowledged && condition.Priority != before.Condition.Priority)
        {
            Change(slot, rises ? entry with { IsAcknowledged = false } : entry, rises ? AlarmChange.Escalated : AlarmChange.Eased);
        }
        else if (before.State == AlarmState.Suppressed && rises)
        {
            // It may be too urgent now for what it stands under.
            Keep(slot, entry with { Cause = null });
            Announce(slot, AlarmChange.Escalated, isArrival: false);
        }
        else
        {
            Keep(slot, entry);
        }
    }

    /// <summary>The condition has gone for good.</summary>
    private void End(AlarmSlot slot, AlarmEntry entry)
    {
        var waited = entry.WaitsUntil is not null;
        var ended = entry with { IsChattering = false, Cause = null, WaitsUntil = null };
        if (IsPutAway(entry) || waited)
        {
            Keep(slot, ended);
        }
        else
        {
            Change(slot, ended, AlarmChange.Cleared);
        }

        ReleaseAll(entry.Condition.Id, isArrival: entry.Condition.Rule != FloodRule);
    }

    /// <summary>Makes it an alarm of its own, unless it has a cause or a flood gathers it.</summary>
    private void Announce(AlarmSlot slot, AlarmChange change, bool isArrival)
    {
        var condition = slot.Entry.Condition;
        if (CauseOf(condition) is { } cause)
        {
            Suppress(slot, cause);
            return;
        }

        if (isArrival && condition.Rule != FloodRule && _flood.Note(_now) && !IsFlood)
        {
            Raise(new AlarmCondition { Id = FloodRule, Rule = FloodRule, Priority = AlarmPriority.High, Since = new(_now), Value = 0, ValueText = "0", Unit = "1" }, new(_now));
        }

        if (IsFlood && condition.Rule != FloodRule && condition.Priority < AlarmPriority.High)
        {
            Suppress(slot, FloodRule);
            return;
        }

        Change(slot, slot.Entry with { IsAcknowledged = false, Cause = null, WaitsUntil = null, Raised = new(_now), Who = "", Reason = "" }, change);
    }

    /// <summary>The alarm under which a condition that begins now stands: its device or bus is silent, or it is part of an event of its device. Null when it stands by itself.</summary>
    private string? CauseOf(AlarmCondition condition)
    {
        if (condition.Priority == AlarmPriority.Critical || condition.Rule is BusRule or FloodRule)
        {
            return null;
        }

        if (condition.Rule == OfflineRule)
        {
            return Holds(BusId(condition.Bus)) ? BusId(condition.Bus) : null;
        }

        if (condition.Device.Length == 0)
        {
            return null;
        }

        return Holds(OfflineId(condition.Device)) ? OfflineId(condition.Device) : LeaderOf(condition);
    }

    private bool Holds(string id) => _slots.TryGetValue(id, out var slot) && (slot.Entry.IsStanding || slot.Entry.IsChattering);

    /// <summary>The most urgent alarm of the same device that began at the same moment and is no less urgent.</summary>
    private string? LeaderOf(AlarmCondition condition)
    {
        var begun = _slots[condition.Id].LastBegun;
        AlarmCondition? leader = null;
        foreach (var slot in _slots.Values)
        {
            var other = slot.Entry.Condition;
            if (other.Device == condition.Device && other.Id != condition.Id
                && slot.Entry.State is AlarmState.Unacknowledged or AlarmState.Acknowledged
                && Math.Abs(begun - slot.LastBegun) <= TogetherMs
                && other.Priority >= condition.Priority
                && (leader is null || other.Priority > leader.Priority))
            {
                leader = other;
            }
        }

        return leader?.Id;
    }

    private void Suppress(AlarmSlot slot, string cause)
    {
        Change(slot, slot.Entry with { Cause = cause, WaitsUntil = null, IsAcknowledged = true }, AlarmChange.Suppressed);
        if (cause == FloodRule)
        {
            var flood = _slots[FloodRule];
            var gathered = flood.Entry.Condition.Value + 1;
            Keep(flood, flood.Entry with { Condition = flood.Entry.Condition with { Value = gathered, ValueText = gathered.ToString(CultureInfo.InvariantCulture) } });
        }
    }

    private void ReleaseAll(string cause, bool isArrival)
    {
        foreach (var slot in _slots.Values.Where(s => s.Entry.Cause == cause).ToArray())
        {
            var entry = slot.Entry with { Cause = null };
            if (!entry.IsStanding && !entry.IsChattering)
            {
                Change(slot, entry, AlarmChange.Released);
            }
            else if (entry.Condition.Rule is OfflineRule or GapRule)
            {
                // Devices of a bus come back one after the other, and the points of a device each at its next poll.
                var patience = entry.Condition.Rule == GapRule ? PointPatience : Patience;
                Change(slot, entry with { WaitsUntil = new Instant(_now) + patience }, AlarmChange.Released);
            }
            else
            {
                Keep(slot, entry);
                Announce(slot, AlarmChange.Released, isArrival);
            }
        }
    }

    /// <summary>No device of a bus answers: that is one alarm, and theirs stand under it. One that answers ends it.</summary>
    private void LookAtBus(string bus)
    {
        if (!_devicesOfBus.TryGetValue(bus, out var devices) || devices.Length < 2)
        {
            return;
        }

        var id = BusId(bus);
        var isDead = Array.TrueForAll(devices, d => _slots.TryGetValue(OfflineId(d), out var slot) && slot.Entry.IsStanding);
        var wasDead = _slots.TryGetValue(id, out var known) && known.Entry.IsStanding;
        if (!isDead)
        {
            Clear(id, new(_now));
            return;
        }

        if (!wasDead)
        {
            Raise(
                new AlarmCondition
                {
                    Id = id,
                    Rule = BusRule,
                    Bus = bus,
                    Priority = AlarmPriority.High,
                    Since = devices.Select(d => _slots[OfflineId(d)].Entry.Condition.Since).Min(),
                    Value = devices.Length,
                    ValueText = devices.Length.ToString(CultureInfo.InvariantCulture),
                    Unit = "1",
                    Text = _slots[OfflineId(devices[0])].Entry.Condition.Text,
                },
                new(_now));
        }

        foreach (var device in devices)
        {
            var slot = _slots[OfflineId(device)];
            if (slot.Entry.Cause is null && !IsPutAway(slot.Entry))
            {
                Suppress(slot, id);
            }
        }
    }

    private string? Refusal(AlarmOrder order)
    {
        if (order.Ids.Count == 0)
        {
            return "Name at least one alarm; 'edgegateway alarms' lists them.";
        }

        if (order.Action == AlarmAction.Shelve && !(order.For >= ShortestShelf && order.For <= LongestShelf))
        {
            return $"An alarm is shelved for {Words.Span((long)ShortestShelf.TotalMilliseconds)} to {Words.Span((long)LongestShelf.TotalMilliseconds)}; for longer take it out of service.";
        }

        if (order is { Action: AlarmAction.Remove, Reason.Length: 0 })
        {
            return "Say why the alarm is taken out of service: it stays silent until somebody puts it back.";
        }

        foreach (var id in order.Ids)
        {
            if (!_slots.TryGetValue(id, out var slot) || slot.Entry.State is var state && state == AlarmState.Normal)
            {
                return $"There is no alarm '{id}' now; 'edgegateway alarms' lists them.";
            }

            var isAllowed = order.Action switch
            {
                AlarmAction.Acknowledge => state is AlarmState.Unacknowledged or AlarmState.Returned,
                AlarmAction.Shelve => state != AlarmState.OutOfService && id != FloodRule,
                AlarmAction.Unshelve => state == AlarmState.Shelved,
                AlarmAction.Remove => state != AlarmState.OutOfService && id != FloodRule,
                _ => state == AlarmState.OutOfService,
            };
            if (!isAllowed)
            {
                return id == FloodRule && order.Action is AlarmAction.Shelve or AlarmAction.Remove
                    ? "What gathers a flood of alarms cannot be put away; acknowledge it."
                    : $"'{id}' is {state.Word()}{(slot.Entry.Cause is { } cause && state == AlarmState.Suppressed ? $" under '{cause}'" : "")}: it cannot be {Participle(order.Action)}.";
            }
        }

        return null;
    }

    private static string Participle(AlarmAction action) => action switch
    {
        AlarmAction.Acknowledge => "acknowledged",
        AlarmAction.Shelve => "shelved",
        AlarmAction.Unshelve => "taken from the shelf",
        AlarmAction.Remove => "taken out of service",
        _ => "put back into service",
    };

    private void PutAway(AlarmSlot slot, AlarmEntry entry, AlarmChange change)
    {
        Change(slot, entry with { Cause = null, WaitsUntil = null }, change);
        if (!IsCommunication(entry.Condition.Rule))
        {
            // A person has put away this one and not what happened to stand under it.
            ReleaseAll(entry.Condition.Id, isArrival: false);
        }
    }

    private void TakeBack(AlarmSlot slot, AlarmEntry entry, AlarmChange change)
    {
        if (!entry.IsStanding && !entry.IsChattering)
        {
            Change(slot, entry with { IsAcknowledged = true }, change);
        }
        else if (CauseOf(entry.Condition) is { } cause)
        {
            Keep(slot, entry);
            Suppress(slot, cause);
        }
        else
        {
            Change(slot, entry with { IsAcknowledged = false, Raised = new(_now) }, change);
        }
    }

    /// <summary>Does what is due for an alarm.</summary>
    private void Attend(AlarmSlot slot)
    {
        if (slot.Entry.WaitsUntil is { } until && until.UnixMilliseconds <= _now)
        {
            Announce(slot, AlarmChange.Raised, isArrival: true);
        }

        if (slot.Entry.ShelvedUntil is { } end && end.UnixMilliseconds <= _now)
        {
            TakeBack(slot, slot.Entry with { ShelvedUntil = null, Who = "", Reason = "" }, AlarmChange.Unshelved);
        }

        if (slot.Entry.IsChattering && slot.LastBegun + SettleMs <= _now)
        {
            Settle(slot);
        }

        if (slot.Entry.Condition.Rule == FloodRule && slot.Entry.IsStanding && _flood.EndsAt < _now)
        {
            Clear(FloodRule, new(_now));
        }

        if (slot.Entry is { State: AlarmState.Normal, IsStanding: false } && slot.LastBegun + ForgetMs <= _now)
        {
            _slots.Remove(slot.Entry.Condition.Id);
        }
    }

    private void Settle(AlarmSlot slot)
    {
        var entry = slot.Entry with { IsChattering = false };
        if (entry.IsStanding)
        {
            if (IsPutAway(entry))
            {
                Keep(slot, entry);
            }
            else
            {
                Change(slot, entry, AlarmChange.Settled);
            }
        }
        else
        {
            End(slot, entry);
        }
    }

    private long DueAt(AlarmSlot slot)
    {
        var entry = slot.Entry;
        var due = Math.Min(entry.WaitsUntil?.UnixMilliseconds ?? long.MaxValue, entry.ShelvedUntil?.UnixMilliseconds ?? long.MaxValue);
        due = entry.IsChattering ? Math.Min(due, slot.LastBegun + SettleMs) : due;
        due = entry is { Condition.Rule: FloodRule, IsStanding: true } ? Math.Min(due, _flood.EndsAt + 1) : due;
        return entry is { State: AlarmState.Normal, IsStanding: false } ? Math.Min(due, slot.LastBegun + ForgetMs) : due;
    }

    // Devices are told in turn, so that a finding may be a moment older than the last of another.
    private void Reach(Instant now) => _now = Math.Max(_now, now.UnixMilliseconds);

    private void Change(AlarmSlot slot, AlarmEntry entry, AlarmChange change)
    {
        Keep(slot, entry with { Changed = new(_now) });
        _tell(new AlarmRecord(slot.Entry, change, slot.Entry.Changed));
    }

    private void Keep(AlarmSlot slot, AlarmEntry entry)
    {
        slot.Entry = entry;
        Touch();
    }

    private void Touch()
    {
        Revision++;
        _nextDue = long.MinValue;
    }
}
