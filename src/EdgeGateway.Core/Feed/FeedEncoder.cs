using System.Text.Json;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Feed;

/// <summary>
/// Numbers the records of each stream and packs them into outbox rows. One thread at a time; the rows of a flush and the heads
/// after it belong into one commit.
/// </summary>
/// <remarks>
/// Nothing is allocated per sample. A row's body is a copy of its own, so that a row may outlive the flush. Records of streams
/// that are kept per device (birth, state) share a row only while they are about the same device, so that the retained message of
/// a device ends with its newest record. Records that differ in when they go (<see cref="RetentionOrder"/>) have rows of their own, which is why the
/// records of a flush are numbered only then, group by group.
/// </remarks>
public sealed class FeedEncoder : IFeedSink
{
    private readonly SiteModel _site;
    private readonly string _vocabularyVersion;
    private readonly PointModel[] _models;
    private readonly RecordJson.PointText[] _points;
    private readonly SampleJson _samples = new();
    private readonly RecordGroup[][] _groups;
    private readonly long[] _next;
    private readonly long[] _firstWaiting;
    private readonly Func<int, string?> _subtopic;
    private long _epoch;
    private (int Device, Instant Time) _poll;

    /// <summary>An encoder that continues at <paramref name="heads"/>.</summary>
    /// <param name="site">Names and metadata of devices and points; another configuration needs another encoder.</param>
    /// <param name="heads">Where the streams are numbered on.</param>
    /// <param name="vocabularyVersion">Version of the list of semantic roles, published in births.</param>
    public FeedEncoder(SiteModel site, FeedHeads heads, string vocabularyVersion)
    {
        ArgumentNullException.ThrowIfNull(site);
        ArgumentNullException.ThrowIfNull(heads);
        _site = site;
        _vocabularyVersion = vocabularyVersion;
        _models = [.. site.Points];
        _points = [.. _models.Select(point => RecordJson.TextOf(site, point))];
        _groups = [.. FeedHeads.Streams.Select(stream => RecordGroup.Of(stream, site))];
        _next = new long[_groups.Length];
        _firstWaiting = new long[_groups.Length];
        _subtopic = device => device switch
        {
            RecordBuffer.NoDevice => null,
            RecordBuffer.Totals => HealthKind.Totals.Word(),
            RecordBuffer.Alarms => HealthKind.Alarm.Word(),
            _ => _site.Devices[device].Id,
        };
        Restore(heads);
    }

    /// <summary>While true, records are counted and not written: recovery replays what has been stored already.</summary>
    public bool Replay { get; set; }

    /// <summary>While true, each record says that its dates are provisional: nobody has set the clock.</summary>
    public bool IsClockUnset { get; set; }

    /// <summary>True when nothing waits for the next <see cref="Flush"/>.</summary>
    public bool IsEmpty => _next.AsSpan().SequenceEqual(_firstWaiting);

    /// <summary>Epoch and next sequence numbers. Setting them is allowed only while nothing waits for a flush.</summary>
    /// <exception cref="InvalidOperationException">Set while records wait: their numbers are already given.</exception>
    public FeedHeads Heads
    {
        get => FeedHeads.From(_epoch, stream => _next[(int)stream - 1]);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (!IsEmpty)
            {
                throw new InvalidOperationException("Records wait for a flush; their sequence numbers are given.");
            }

            Restore(value);
        }
    }

    /// <summary>Epoch of the numbers that are given.</summary>
    public long Epoch => _epoch;

    /// <summary>Sequence number that the next record of a stream gets.</summary>
    public long Next(FeedStream stream) => _next[(int)stream - 1];

    public void Summary(in SummaryRecord record)
    {
        var group = RecordGroup.OfSummary(_site, record);
        if (Begin(FeedStream.Summary, group: group) is { } json)
        {
            RecordJson.Summary(json, _points[record.Point], record, IsClockUnset);
        }

        End(FeedStream.Summary, group);
    }

    public void Emission(in EmissionRecord record)
    {
        if (Begin(FeedStream.Emission) is { } json)
        {
            RecordJson.Emission(json, record.Device < 0 ? null : _site.Devices[record.Device].Id, record, IsClockUnset);
        }

        End(FeedStream.Emission);
    }

    public void CemsHour(CemsHourRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Begin(FeedStream.Cems) is { } json)
        {
            CemsJson.Hour(json, _site.Devices[record.Device].Id, record, IsClockUnset);
        }

        End(FeedStream.Cems);
    }

    public void Calibration(CemsCalibrationRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Begin(FeedStream.Cems) is { } json)
        {
            CemsJson.Calibration(json, _site.Devices[record.Device].Id, record, IsClockUnset);
        }

        End(FeedStream.Cems);
    }

    public void Anomaly(AnomalyRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Begin(FeedStream.Anomaly) is { } json)
        {
            RecordJson.Anomaly(json, _points[record.Point], record, IsClockUnset);
        }

        End(FeedStream.Anomaly);
    }

    public void DeviceState(DeviceStateRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Begin(FeedStream.State, record.Device) is { } json)
        {
            RecordJson.State(json, _site.Devices[record.Device].Id, record, IsClockUnset);
        }

        End(FeedStream.State);
    }

    public void Sample(in Sample sample)
    {
        var groups = _groups[(int)FeedStream.Sample - 1];
        var point = _models[sample.Point];
        var group = RecordGroup.OfSample(point);

        // What one poll of a device read stays in one row, so that a destination can join it.
        var poll = (point.DeviceIndex, sample.Time);
        if (poll != _poll)
        {
            _poll = poll;
            foreach (var each in groups)
            {
                if (_site.MessageForEachPoll)
                {
                    each.Buffer.Close();
                }
                else
                {
                    each.Buffer.CloseWhenNearlyFull();
                }
            }
        }

        if (!Replay)
        {
            var buffer = groups[group].Buffer;
            if (IsClockUnset || !_samples.TryWrite(buffer.BeginBytes(RecordBuffer.NoDevice), _points[sample.Point], sample))
            {
                RecordJson.Sample(buffer.Begin(RecordBuffer.NoDevice), _points[sample.Point], sample, IsClockUnset);
            }
        }

        End(FeedStream.Sample, group);
    }

    /// <summary>Announces a device with its metadata; due at start, after each change of the configuration, and when one of its texts has changed.</summary>
    /// <param name="device">The device.</param>
    /// <param name="now">The time of the record.</param>
    /// <param name="texts">What text points read last, by point index; null where nothing was read, or for all of them.</param>
    public void Birth(int device, Instant now, IReadOnlyList<string?>? texts = null)
    {
        if (Begin(FeedStream.Birth, device) is { } json)
        {
            BirthJson.Write(json, _site, _site.Devices[device], _vocabularyVersion, now, texts, IsClockUnset);
        }

        End(FeedStream.Birth);
    }

    /// <summary>Records an event in the life of the gateway. <see cref="HealthKind.Totals"/> has a topic of its own, and is retained there (requirement R-5).</summary>
    public void Health(HealthRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Begin(FeedStream.Health, record.Kind == HealthKind.Totals ? RecordBuffer.Totals : RecordBuffer.NoDevice) is { } json)
        {
            RecordJson.Health(json, record, IsClockUnset);
        }

        End(FeedStream.Health);
    }

    /// <summary>Records what happened to an alarm, in the language of the site; a record of the stream <c>health</c> with a topic of its own.</summary>
    public void Alarm(AlarmRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Begin(FeedStream.Health, RecordBuffer.Alarms, RecordGroup.HealthOfAlarms) is { } json)
        {
            RecordJson.Health(json, AlarmHealth.Of(record, AlarmMessages.In(_site.Language)), IsClockUnset);
        }

        End(FeedStream.Health, RecordGroup.HealthOfAlarms);
    }

    /// <summary>Records what became of a run of records.</summary>
    public void Range(RangeRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (Begin(FeedStream.Range) is { } json)
        {
            RecordJson.Range(json, record, IsClockUnset);
        }

        End(FeedStream.Range);
    }

    /// <summary>
    /// States for every stream how far it has been numbered, so that a receiver also notices a lost tail. Due at stop and from time
    /// to time. The range stream itself is not spoken about.
    /// </summary>
    public void StateIssued(Instant now, string reason)
    {
        foreach (var stream in FeedHeads.Streams)
        {
            var next = _next[(int)stream - 1];
            if (FeedHeads.IsSpokenAbout(stream) && next > 1)
            {
                Range(new RangeRecord
                {
                    Time = now,
                    Stream = stream,
                    Epoch = _epoch,
                    First = 1,
                    Last = next - 1,
                    State = RangeState.Issued,
                    Reason = reason,
                });
            }
        }
    }

    /// <summary>Numbers what came since the last flush and packs it into rows, in the order of the streams' numbers.</summary>
    /// <param name="now">Becomes the rows' time of creation.</param>
    public IReadOnlyList<OutboxRow> Flush(Instant now)
    {
        if (IsEmpty)
        {
            return [];
        }

        var rows = new List<OutboxRow>();
        foreach (var stream in FeedHeads.Streams)
        {
            ref var sequence = ref _firstWaiting[(int)stream - 1];
            foreach (var group in _groups[(int)stream - 1])
            {
                if (group.Buffer.IsEmpty)
                {
                    continue;
                }

                var form = new OutboxRow
                {
                    Stream = stream,
                    Epoch = _epoch,
                    FirstSequence = 0,
                    Count = 0,
                    Class = group.Class,
                    Level = group.Level,
                    StandInSeconds = group.StandInSeconds,
                    Retain = IsRetained(stream),
                    Created = now,
                    Body = default,
                };
                group.Buffer.Take(form, ref sequence, _subtopic, rows);
            }
        }

        return rows;
    }

    /// <summary>True for streams that are kept per device and whose newest message the broker keeps.</summary>
    internal static bool IsRetained(FeedStream stream) => stream is FeedStream.Birth or FeedStream.State;

    private void Restore(FeedHeads heads)
    {
        _epoch = heads.Epoch;
        foreach (var stream in FeedHeads.Streams)
        {
            _next[(int)stream - 1] = heads[stream];
            _firstWaiting[(int)stream - 1] = heads[stream];
        }
    }

    private Utf8JsonWriter? Begin(FeedStream stream, int device = RecordBuffer.NoDevice, int group = 0) =>
        Replay ? null : _groups[(int)stream - 1][group].Buffer.Begin(device);

    private void End(FeedStream stream, int group = 0)
    {
        _next[(int)stream - 1]++;
        if (Replay)
        {
            _firstWaiting[(int)stream - 1]++;
        }
        else
        {
            _groups[(int)stream - 1][group].Buffer.End();
        }
    }
}
