using System.Globalization;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Ledger;

/// <summary>Passes the pipeline's records on to the encoder, and keeps those for the ledger that belong into it, until <see cref="Take"/>.</summary>
/// <remarks>In replay nothing is kept: what is replayed was committed with its records of the ledger.</remarks>
public sealed class LedgerTap : IFeedSink
{
    private const string GasEnd = ": ";

    private readonly SiteModel _site;
    private readonly FeedEncoder _encoder;
    private readonly string _factorSet;
    private List<LedgerContent> _waiting = [];

    /// <summary>A tap before an encoder.</summary>
    /// <param name="site">Names of devices.</param>
    /// <param name="encoder">Numbers the records for the feed.</param>
    public LedgerTap(SiteModel site, FeedEncoder encoder)
    {
        ArgumentNullException.ThrowIfNull(site);
        ArgumentNullException.ThrowIfNull(encoder);
        (_site, _encoder, _factorSet) = (site, encoder, site.FactorsInForce.ContentHash);
    }

    /// <summary>The gas of a check of a stack's analyser; null for any other calibration.</summary>
    public static string? GasOf(CalibrationContent check)
    {
        ArgumentNullException.ThrowIfNull(check);
        return check.Point.Length == 0 && check.Text.IndexOf(GasEnd, StringComparison.Ordinal) is > 0 and var end && CemsWords.Gases.Contains(check.Text[..end]) ? check.Text[..end] : null;
    }

    /// <summary>Adds what another part of the program enters.</summary>
    public void Enter(LedgerContent content) => _waiting.Add(content);

    /// <summary>What has come since the last call, in order.</summary>
    public IReadOnlyList<LedgerContent> Take()
    {
        if (_waiting.Count == 0)
        {
            return [];
        }

        var taken = _waiting;
        _waiting = [];
        return taken;
    }

    /// <inheritdoc/>
    public void Summary(in SummaryRecord record) => _encoder.Summary(record);

    /// <inheritdoc/>
    public void Sample(in Sample sample) => _encoder.Sample(sample);

    /// <inheritdoc/>
    public void Anomaly(AnomalyRecord record) => _encoder.Anomaly(record);

    /// <inheritdoc/>
    public void DeviceState(DeviceStateRecord record) => _encoder.DeviceState(record);

    /// <inheritdoc/>
    public void Emission(in EmissionRecord record)
    {
        if (!_encoder.Replay)
        {
            _waiting.Add(new EmissionContent
            {
                Device = record.Device < 0 ? null : _site.Devices[record.Device].Id,
                Entry = record,
                FactorSet = _factorSet,
                Epoch = _encoder.Epoch,
                Sequence = _encoder.Next(FeedStream.Emission),
                IsClockUnset = _encoder.IsClockUnset,
            });
        }

        _encoder.Emission(record);
    }

    /// <inheritdoc/>
    public void CemsHour(CemsHourRecord record) => _encoder.CemsHour(record);

    /// <inheritdoc/>
    public void Calibration(CemsCalibrationRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (!_encoder.Replay)
        {
            _waiting.Add(new CalibrationContent
            {
                Device = _site.Devices[record.Device].Id,
                Point = "",
                Action = record.Level,
                At = record.Time,
                Reference = record.Reference,
                Found = record.Measured,
                Unit = record.Unit,
                Passed = record.Result is TestResult.Passed or TestResult.PassedAlternative,
                Who = record.Who,
                Text = $"{record.Gas}{GasEnd}{record.Result.Word()}{(record.BiasFactor is { } bias ? string.Create(CultureInfo.InvariantCulture, $"; bias factor {bias}") : "")}{(record.Due is { } due ? $"; due {due}" : "")}",
            });
        }

        _encoder.Calibration(record);
    }

    /// <inheritdoc/>
    public void Alarm(AlarmRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (!_encoder.Replay)
        {
            var (entry, condition) = (record.Entry, record.Entry.Condition);
            _waiting.Add(new AlarmContent
            {
                Alarm = condition.Id,
                Change = record.Change.Word(),
                State = entry.State.Word(),
                Priority = condition.Priority.Word(),
                Since = condition.Since,
                At = record.Time,
                Device = condition.Device,
                Point = condition.Point,
                Who = entry.Who,
                Reason = entry.Reason,
                Text = condition.Text,
            });
        }

        _encoder.Alarm(record);
    }
}
