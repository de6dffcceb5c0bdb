using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Alarms;

/// <summary>Passes the pipeline's records on, and feeds the findings and the silence of devices among them to the book of alarms.</summary>
/// <remarks>A finding of severity note is an event and makes no alarm. A warning is one priority below what the point declares for alarms.</remarks>
internal sealed class AlarmTap : IFeedSink
{
    private readonly SiteModel _site;
    private readonly IFeedSink _sink;

    public AlarmTap(SiteModel site, IFeedSink sink)
    {
        _site = site;
        _sink = sink;
        Book = new AlarmBook(
            site.Devices.Where(d => d.Points.Any(p => site.Points[p].Period > TimeSpan.Zero)).Select(d => (d.Id, d.BusId)), sink.Alarm);
    }

    public AlarmBook Book { get; }

    public void Summary(in SummaryRecord record) => _sink.Summary(record);

    public void Emission(in EmissionRecord record) => _sink.Emission(record);

    public void Sample(in Sample sample) => _sink.Sample(sample);

    public void CemsHour(CemsHourRecord record) => _sink.CemsHour(record);

    public void Calibration(CemsCalibrationRecord record) => _sink.Calibration(record);

    public void Alarm(AlarmRecord record) => _sink.Alarm(record);

    public void Anomaly(AnomalyRecord record)
    {
        _sink.Anomaly(record);
        var point = _site.Points[record.Point];
        var device = _site.Devices[point.DeviceIndex];
        var id = $"{device.Id}.{point.Id}.{record.Detector}";
        if (!record.Raised)
        {
            Book.Clear(id, record.Time);
        }
        else if (record.Severity != Severity.Note)
        {
            Book.Raise(
                new AlarmCondition
                {
                    Id = id,
                    Rule = AlarmMessages.RuleOf(record.Detector),
                    Priority = record.Severity == Severity.Alarm ? point.AlarmPriority : Below(point.AlarmPriority),
                    Since = record.Since,
                    Bus = device.BusId,
                    Device = device.Id,
                    DeviceName = device.Name,
                    Point = point.Id,
                    Unit = point.Unit,
                    Value = record.Value,
                    Limit = record.Limit,
                    ValueText = Say(record.Value, point),
                    LimitText = Say(record.Limit, point),
                    Text = record.Text,
                },
                record.Time);
        }
    }

    public void DeviceState(DeviceStateRecord record)
    {
        _sink.DeviceState(record);
        var device = _site.Devices[record.Device];
        var id = AlarmBook.OfflineId(device.Id);
        if (record.Online)
        {
            Book.Clear(id, record.Time);
        }
        else
        {
            Book.Raise(
                new AlarmCondition
                {
                    Id = id,
                    Rule = AlarmBook.OfflineRule,
                    Priority = AlarmPriority.Medium,
                    Since = record.Time,
                    Bus = device.BusId,
                    Device = device.Id,
                    DeviceName = device.Name,
                    Text = Say(record),
                },
                record.Time);
        }
    }

    private static AlarmPriority Below(AlarmPriority priority) => priority == AlarmPriority.Low ? priority : priority - 1;

    // No sample makes the pipeline throw, one with a reason that nobody knows included.
    private static string Say(DeviceStateRecord record)
    {
        var reason = Enum.IsDefined(record.Reason) ? record.Reason.Word() : $"reason {(byte)record.Reason}";
        return record.Detail == 0 ? reason : $"{reason} {record.Detail}";
    }

    private static string Say(double value, PointModel point) => double.IsFinite(value) ? Words.Quantity(value, point) : "";
}
