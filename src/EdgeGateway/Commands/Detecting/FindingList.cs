using EdgeGateway.Core;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Detection.Scoring;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Commands.Detecting;

/// <summary>Keeps the findings of a pipeline, and drops all else.</summary>
internal sealed class FindingList(SiteModel site) : IFeedSink
{
    /// <summary>Rule of a device that does not answer: the pipeline's own, no detector's.</summary>
    public const string Offline = "offline";

    private readonly List<RaisedFinding> _findings = [];

    /// <summary>What was raised, in the order in which it was said.</summary>
    public IReadOnlyList<RaisedFinding> Findings => _findings;

    public void Summary(in SummaryRecord record)
    {
    }

    public void Emission(in EmissionRecord record)
    {
    }

    public void Anomaly(AnomalyRecord record)
    {
        if (record.Raised)
        {
            var point = site.Points[record.Point];
            _findings.Add(new(record.Detector, $"{site.Devices[point.DeviceIndex].Id}.{point.Id}", record.Since, record.Time, record.Severity));
        }
    }

    public void DeviceState(DeviceStateRecord record)
    {
        if (!record.Online)
        {
            _findings.Add(new(Offline, site.Devices[record.Device].Id, record.Time, record.Time, Severity.Alarm));
        }
    }

    public void Alarm(AlarmRecord record)
    {
    }

    public void CemsHour(CemsHourRecord record)
    {
    }

    public void Calibration(CemsCalibrationRecord record)
    {
    }

    public void Sample(in Sample sample)
    {
    }
}
