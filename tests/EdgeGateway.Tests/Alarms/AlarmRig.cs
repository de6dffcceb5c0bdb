using EdgeGateway.Core;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.State;

namespace EdgeGateway.Tests.Alarms;

/// <summary>A book of alarms with everything it said, and a clock in seconds. The bus <c>line</c> has the devices a and b, <c>alone</c> has c.</summary>
internal sealed class AlarmRig
{
    private static readonly Instant Start = Instant.Parse("2026-03-01T08:00:00Z");

    private long _milliseconds;

    public AlarmRig() => Book = New();

    public AlarmBook Book { get; private set; }

    public List<AlarmRecord> Said { get; } = [];

    public Instant Now => new(Start.UnixMilliseconds + _milliseconds);

    public AlarmEntry this[string id] => Book.List().Single(e => e.Condition.Id == id);

    public AlarmState StateOf(string id) => Book.List().SingleOrDefault(e => e.Condition.Id == id)?.State ?? AlarmState.Normal;

    /// <summary>What was said since the last call: id, change and state.</summary>
    public List<string> News()
    {
        List<string> news = [.. Said.Select(r => $"{r.Entry.Condition.Id} {r.Change.Word()} {r.Entry.State.Word()}")];
        Said.Clear();
        return news;
    }

    public AlarmRig After(double seconds)
    {
        _milliseconds += (long)(seconds * 1000);
        Book.Advance(Now);
        return this;
    }

    public AlarmRig Raise(string device, string point, AlarmPriority priority = AlarmPriority.High)
    {
        Book.Raise(
            new AlarmCondition { Id = Id(device, point), Rule = "limit", Priority = priority, Since = Now, Bus = device == "c" ? "alone" : "line", Device = device, Point = point, Value = 5, ValueText = "5 A" },
            Now);
        return this;
    }

    public AlarmRig Clear(string device, string point)
    {
        Book.Clear(Id(device, point), Now);
        return this;
    }

    public AlarmRig Silent(string device)
    {
        Book.Raise(
            new AlarmCondition { Id = AlarmBook.OfflineId(device), Rule = AlarmBook.OfflineRule, Priority = AlarmPriority.Medium, Since = Now, Bus = device == "c" ? "alone" : "line", Device = device, Text = "timeout" },
            Now);
        return this;
    }

    public AlarmRig Heard(string device)
    {
        Book.Clear(AlarmBook.OfflineId(device), Now);
        return this;
    }

    public string? Order(AlarmAction action, string id, double? minutes = null, string reason = "why") =>
        Book.Apply(new AlarmOrder(action, [id], minutes is { } time ? TimeSpan.FromMinutes(time) : null, "maria (uid 1000)", reason), Now);

    public byte[] Save()
    {
        var writer = new StateWriter();
        Book.Save(writer);
        return writer.Written.ToArray();
    }

    /// <summary>Goes on with a new book that is restored from the state of this one.</summary>
    public AlarmRig Restart()
    {
        var reader = new StateReader(Save());
        Book = New();
        Book.Load(ref reader);
        Assert.True(reader.AtEnd);
        return this;
    }

    public static string Id(string device, string point) => $"{device}.{point}.limit";

    private AlarmBook New() => new([("a", "line"), ("b", "line"), ("c", "alone")], Said.Add);
}
