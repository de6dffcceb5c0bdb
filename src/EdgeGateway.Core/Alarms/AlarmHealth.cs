using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Alarms;

/// <summary>A change of an alarm as a record of the stream <c>health</c>: see <c>docs/decisions/0012-alarms-in-the-feed.md</c>.</summary>
internal static class AlarmHealth
{
    public static HealthRecord Of(AlarmRecord record, AlarmMessages messages)
    {
        var entry = record.Entry;
        var condition = entry.Condition;
        var explanation = messages.Explain(condition);
        var fields = new List<HealthField>
        {
            new("alarm", condition.Id),
            new("change", record.Change.Word()),
            new("state", entry.State.Word()),
            new("priority", condition.Priority.Word()),
            new("rule", condition.Rule),
            new("since", condition.Since.ToString()),
            new("count", entry.Count),
        };
        Add(fields, "bus", condition.Bus);
        Add(fields, "device", condition.Device);
        Add(fields, "point", condition.Point);
        Add(fields, "value", condition.Value);
        Add(fields, "limit", condition.Limit);
        Add(fields, "unit", condition.Unit);
        Add(fields, "cause", entry.Cause ?? "");
        Add(fields, "shelvedUntil", entry.ShelvedUntil?.ToString() ?? "");
        Add(fields, "who", entry.Who);
        Add(fields, "reason", entry.Reason);
        Add(fields, "finding", condition.Text);
        Add(fields, "likely", explanation.Likely);
        Add(fields, "next", explanation.Next);
        fields.Add(new("language", messages.Language));
        return new HealthRecord { Time = record.Time, Kind = HealthKind.Alarm, Text = explanation.What, Fields = fields };
    }

    private static void Add(List<HealthField> fields, string name, string text)
    {
        if (text.Length > 0)
        {
            fields.Add(new(name, text));
        }
    }

    private static void Add(List<HealthField> fields, string name, double value)
    {
        if (double.IsFinite(value))
        {
            fields.Add(new(name, value));
        }
    }
}
