using System.Diagnostics.CodeAnalysis;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Feed;

/// <summary>The words of the feed: how enumerations are spelt on the wire. Words are never changed within a major version, only added.</summary>
public static class FeedWords
{
    /// <summary>Word of a stream: a level of the topic and the <c>stream</c> field of the envelope.</summary>
    public static string Word(this FeedStream stream) => stream switch
    {
        FeedStream.Birth => "birth",
        FeedStream.Summary => "summary",
        FeedStream.Emission => "emission",
        FeedStream.Anomaly => "anomaly",
        FeedStream.State => "state",
        FeedStream.Health => "health",
        FeedStream.Sample => "sample",
        FeedStream.Range => "range",
        FeedStream.Cems => "cems",
        _ => throw new ArgumentOutOfRangeException(nameof(stream), stream, null),
    };

    /// <summary>The stream of a word; false for a word that this version does not know.</summary>
    public static bool TryStream(string? word, out FeedStream stream)
    {
        foreach (var candidate in FeedHeads.Streams)
        {
            if (candidate.Word() == word)
            {
                stream = candidate;
                return true;
            }
        }

        stream = default;
        return false;
    }

    public static string Word(this QualityStatus status) => status switch
    {
        QualityStatus.Good => "good",
        QualityStatus.Uncertain => "uncertain",
        QualityStatus.Bad => "bad",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };

    public static string Word(this QualityReason reason) => reason switch
    {
        QualityReason.None => "none",
        QualityReason.NotConnected => "not-connected",
        QualityReason.Timeout => "timeout",
        QualityReason.CorruptFrame => "corrupt-frame",
        QualityReason.ShortReply => "short-reply",
        QualityReason.WrongReply => "wrong-reply",
        QualityReason.DeviceException => "device-exception",
        QualityReason.BusStopped => "bus-stopped",
        QualityReason.InvalidCode => "invalid-code",
        QualityReason.NotANumber => "not-a-number",
        QualityReason.OutOfRange => "out-of-range",
        QualityReason.RateOfChange => "rate-of-change",
        QualityReason.Stuck => "stuck",
        QualityReason.Spike => "spike",
        QualityReason.Stale => "stale",
        QualityReason.CounterReset => "counter-reset",
        QualityReason.CounterJump => "counter-jump",
        QualityReason.CounterRollback => "counter-rollback",
        QualityReason.ClockUnset => "clock-unset",
        QualityReason.ClockStepped => "clock-stepped",
        QualityReason.Calibrating => "calibrating",
        QualityReason.Maintenance => "maintenance",
        QualityReason.Substituted => "substituted",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };

    public static string Word(this WindowCut cut) => cut switch
    {
        WindowCut.None => "none",
        WindowCut.ClockStep => "clock-step",
        WindowCut.Configuration => "configuration",
        WindowCut.Loss => "loss",
        _ => throw new ArgumentOutOfRangeException(nameof(cut), cut, null),
    };

    public static string Word(this EmissionAccount account) => account switch
    {
        EmissionAccount.Device => "device",
        EmissionAccount.Site => "site",
        EmissionAccount.Remainder => "remainder",
        EmissionAccount.Area => "area",
        _ => throw new ArgumentOutOfRangeException(nameof(account), account, null),
    };

    public static string Word(this Severity severity) => severity switch
    {
        Severity.Note => "note",
        Severity.Warning => "warning",
        Severity.Alarm => "alarm",
        _ => throw new ArgumentOutOfRangeException(nameof(severity), severity, null),
    };

    public static string Word(this PointKind kind) => kind switch
    {
        PointKind.Gauge => "gauge",
        PointKind.Counter => "counter",
        PointKind.State => "state",
        PointKind.Text => "text",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    public static string Word(this MeterRole role) => role switch
    {
        MeterRole.Incomer => "incomer",
        MeterRole.Submeter => "submeter",
        MeterRole.Generator => "generator",
        MeterRole.Transfer => "transfer",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, null),
    };

    public static string Word(this HealthKind kind) => kind switch
    {
        HealthKind.Start => "start",
        HealthKind.Stop => "stop",
        HealthKind.ClockStep => "clock-step",
        HealthKind.Eviction => "eviction",
        HealthKind.Quarantine => "quarantine",
        HealthKind.StorageDegraded => "storage-degraded",
        HealthKind.StorageRecovered => "storage-recovered",
        HealthKind.Configuration => "configuration",
        HealthKind.NewEpoch => "new-epoch",
        HealthKind.TaskFailed => "task-failed",
        HealthKind.WriteBegun => "write-begun",
        HealthKind.WriteEnded => "write-ended",
        HealthKind.WriteRecordLost => "write-record-lost",
        HealthKind.StorageWatermark => "storage-watermark",
        HealthKind.Totals => "totals",
        HealthKind.TimeQuality => "time-quality",
        HealthKind.Alarm => "alarm",
        HealthKind.Restatement => "restatement",
        HealthKind.MeterChange => "meter-change",
        HealthKind.FactorDecision => "factor-decision",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    public static string Word(this State.TimeQuality quality) => quality switch
    {
        State.TimeQuality.Synchronised => "synchronised",
        State.TimeQuality.Holdover => "holdover",
        State.TimeQuality.Unset => "unset",
        State.TimeQuality.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(quality), quality, null),
    };

    public static string Word(this RangeState state) => state switch
    {
        RangeState.Evicted => "evicted",
        RangeState.Thinned => "thinned",
        RangeState.Quarantined => "quarantined",
        RangeState.NeverAcquired => "never-acquired",
        RangeState.Issued => "issued",
        RangeState.Unreadable => "unreadable",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    /// <summary>The state of a word; false for a word that this version does not know.</summary>
    public static bool TryRangeState(string? word, out RangeState state)
    {
        for (var candidate = RangeState.Evicted; candidate <= RangeState.Unreadable; candidate++)
        {
            if (candidate.Word() == word)
            {
                state = candidate;
                return true;
            }
        }

        state = default;
        return false;
    }

    /// <summary>Word of a lane: <c>live</c> or <c>history</c>.</summary>
    public static string Word(this FeedLane lane) => lane switch
    {
        FeedLane.Live => "live",
        FeedLane.History => "history",
        _ => throw new ArgumentOutOfRangeException(nameof(lane), lane, null),
    };

    /// <summary>The lane of a word; false for any other word.</summary>
    public static bool TryLane([NotNullWhen(true)] string? word, out FeedLane lane)
    {
        lane = word == "history" ? FeedLane.History : FeedLane.Live;
        return word is "live" or "history";
    }
}
