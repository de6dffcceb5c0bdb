using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using EdgeGateway.Buses;
using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;

namespace EdgeGateway.Following;

/// <summary>
/// The way of one sample from its register to the acknowledgement of every uplink. The owner of the bus, the commit loop and the uplinks tell it what they do, from their own
/// threads; it holds nobody up.
/// </summary>
internal sealed class SampleFollow
{
    /// <summary>Steps that nobody has read yet; a sample has some ten, and two for each uplink.</summary>
    private const int MostSteps = 256;

    /// <summary>What uplinks do in the moment between a commit and its being told here.</summary>
    private const int MostEarly = 1024;

    private readonly Lock _gate = new();
    private readonly SiteModel _site;
    private readonly PointModel _point;
    private readonly string _device;
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly DateTimeOffset _wallOrigin;
    private readonly IReadOnlyList<(string Id, Func<FeedStream, bool> Carries)> _uplinks;
    private readonly Channel<FollowDocument> _steps = Channel.CreateBounded<FollowDocument>(new BoundedChannelOptions(MostSteps) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly List<(string Uplink, long Row, string Step, string Text, long Stamp)> _early = [];
    private readonly HashSet<string> _open = [];
    private readonly Dictionary<string, long> _published = [];
    private Phase _phase;
    private long? _began;
    private long _monotonic;
    private int _ordinal;
    private Sample _judged;
    private long _detected;
    private bool _isStored;
    private OutboxRow? _row;
    private long _rowId;

    /// <param name="site">The site.</param>
    /// <param name="point">The point, not a text and polled.</param>
    /// <param name="uplinks">The uplinks, with the streams that they carry.</param>
    /// <param name="clock">The gateway's clock.</param>
    public SampleFollow(SiteModel site, PointModel point, IReadOnlyList<(string Id, Func<FeedStream, bool> Carries)> uplinks, GatewayClock clock)
    {
        (_site, _point, _uplinks, _time) = (site, point, uplinks, clock.Time);
        _device = site.Devices[point.DeviceIndex].Id;
        (_origin, _wallOrigin) = (_time.GetTimestamp(), clock.At(clock.Monotonic).ToDateTimeOffset());
    }

    private enum Phase
    {
        Unread,
        Queued,
        Taken,
        Judged,
        Packed,
        Committed,
        Ended,
    }

    /// <summary>The steps as they come; ends with the last one.</summary>
    public ChannelReader<FollowDocument> Steps => _steps.Reader;

    /// <summary>Index of the point.</summary>
    public int Point => _point.Index;

    /// <summary>Whether the commit loop has it and has not processed it.</summary>
    public bool IsTaken
    {
        get
        {
            lock (_gate)
            {
                return _phase == Phase.Taken;
            }
        }
    }

    /// <summary>A request of the point's device has ended; what it brought is told next.</summary>
    public void Asked(PlannedRead read, BusReply reply, long began, long ended)
    {
        lock (_gate)
        {
            if (_phase != Phase.Unread || !read.Points.Contains(Point))
            {
                return;
            }

            _began = began;
            var request = read.Request;
            var what = $"{request.Quantity} {Words(request)} from {request.Address} of {_device}, for {read.Points.Count} points";
            Tell("read", reply.IsGood ? what : $"{what}: {Reasons.Describe(Quality.Bad(reply.Reason, reply.Detail))}", ended, step => step with { TookMilliseconds = Milliseconds(began, ended) });
        }
    }

    /// <summary>Readings are about to be queued for the pipeline.</summary>
    public void Decoded(ReadOnlySpan<Reading> group)
    {
        lock (_gate)
        {
            if (_phase != Phase.Unread)
            {
                return;
            }

            foreach (ref readonly var reading in group)
            {
                if (reading.Point != Point)
                {
                    continue;
                }

                var now = _time.GetTimestamp();
                if (_began is null)
                {
                    _began = now;
                    Tell("read", $"not asked: {_device} is left alone for now", now);
                }

                (_phase, _monotonic) = (Phase.Queued, reading.Monotonic);
                var (value, quality) = (reading.Value, reading.Quality);
                var (raw, digits) = (reading.Raw, Math.Max(1, _point.Encoding.RawBits / 4));
                Tell("decode", $"{Say(value, quality)} from 0x{raw.ToString($"X{digits}", CultureInfo.InvariantCulture)} ({_point.Encoding.Type.ToString().ToLowerInvariant()} at {_point.Encoding.Address})", now, step => Judge(step, value, quality) with
                {
                    Raw = raw.ToString($"X{digits}", CultureInfo.InvariantCulture),
                });
                return;
            }
        }
    }

    /// <summary>The commit loop has taken samples out of the queue.</summary>
    /// <param name="samples">In their order.</param>
    /// <param name="timeOf">Time of a monotonic reading, as the loop has dated them.</param>
    public void Taken(ReadOnlySpan<Sample> samples, Func<long, Instant> timeOf)
    {
        lock (_gate)
        {
            if (_phase != Phase.Queued)
            {
                return;
            }

            var time = timeOf(_monotonic);
            _ordinal = 0;
            foreach (ref readonly var sample in samples)
            {
                if (sample.Point == Point && sample.Time == time)
                {
                    _phase = Phase.Taken;
                    Tell("take", $"taken from the queue with {samples.Length - 1} other samples, dated {time}", _time.GetTimestamp());
                    return;
                }

                _ordinal += sample.Point == Point ? 1 : 0;
            }
        }
    }

    /// <summary>The pipeline has judged a sample of the point.</summary>
    public void Judged(SampleStage stage, Sample sample)
    {
        lock (_gate)
        {
            if (_phase != Phase.Taken || (stage == SampleStage.Validated && _ordinal-- != 0) || (stage == SampleStage.Detected && _ordinal >= 0))
            {
                return;
            }

            if (stage == SampleStage.Validated)
            {
                Tell("validate", Say(sample.Value, sample.Quality), _time.GetTimestamp(), step => Judge(step, sample.Value, sample.Quality));
                return;
            }

            (_phase, _judged, _detected) = (Phase.Judged, sample, _time.GetTimestamp());
        }
    }

    /// <summary>The loop keeps the sample back until the clock is known.</summary>
    public void Held()
    {
        lock (_gate)
        {
            if (_phase == Phase.Taken)
            {
                Finish(isComplete: false, "it waits with all others until the clock is known; follow another one when 'edgegateway status' shows the clock");
            }
        }
    }

    /// <summary>The rows of a commit are made.</summary>
    public void Packed(IReadOnlyList<OutboxRow> rows)
    {
        lock (_gate)
        {
            if (_phase != Phase.Judged)
            {
                return;
            }

            if (_detected > 0)
            {
                var findings = rows.Where(r => r.Stream == FeedStream.Anomaly).SelectMany(r => Records(r)).Where(IsFinding).Select(r => r.Record.GetProperty("text").GetString()!).ToArray();
                var judged = _judged;
                Tell("detect", findings.Length == 0 ? $"nothing found, {Say(judged.Value, judged.Quality)}" : string.Join("; ", findings), _detected, step => Judge(step, judged.Value, judged.Quality) with { Findings = findings });
                _detected = 0;
            }

            var stream = _point.PublishSamples ? FeedStream.Sample : FeedStream.Summary;
            foreach (var row in rows.Where(r => r.Stream == stream))
            {
                foreach (var (record, sequence) in Records(row))
                {
                    if (stream == FeedStream.Sample ? IsSample(record) : IsSummary(record))
                    {
                        (_phase, _row) = (Phase.Packed, row);
                        Tell("record", stream == FeedStream.Sample ? $"a record of its own: {record.GetRawText()}" : $"in a summary: {record.GetRawText()}", _time.GetTimestamp(), step => step with { Stream = stream.Word(), Epoch = row.Epoch, Sequence = sequence });
                        return;
                    }
                }
            }
        }
    }

    /// <summary>A commit is on the disk.</summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="firstRow">Number of the first of them.</param>
    public void Committed(List<OutboxRow> rows, long firstRow)
    {
        lock (_gate)
        {
            var place = _phase == Phase.Packed ? rows.IndexOf(_row!) : -1;
            var early = place < 0 ? [] : _early.Where(e => e.Row == firstRow + place).ToArray();

            // What an uplink has sent was on the disk before, though this is told of it only now.
            var now = early.Select(e => e.Stamp).Append(_time.GetTimestamp()).Min();
            if (_phase is Phase.Judged or Phase.Packed && !_isStored)
            {
                _isStored = true;
                Tell("store", "the sample is on the disk, in the log of samples: nothing can lose it any more", now);
                if (_phase == Phase.Judged && !_point.PublishSamples)
                {
                    Tell("wait", $"it counts in the summary of {_site.Windows[0]:c}, which closes when its time is over", now);
                }
            }

            if (_phase != Phase.Packed)
            {
                return;
            }

            if (place < 0)
            {
                Finish(isComplete: false, "the store had no room for its record, and stated it as evicted");
                return;
            }

            (_phase, _rowId) = (Phase.Committed, firstRow + place);
            Tell("commit", $"the record is in the outbox, row {_rowId}", now, step => step with { Row = _rowId });
            foreach (var (id, carries) in _uplinks)
            {
                if (carries(_row!.Stream))
                {
                    _open.Add(id);
                }
                else
                {
                    Tell("pass", $"the uplink {id} does not carry the stream {_row.Stream.Word()}", now, step => step with { Uplink = id });
                }
            }

            _early.Clear();
            foreach (var (uplink, row, step, text, stamp) in early)
            {
                Note(uplink, row, step, text, stamp);
            }

            FinishIfSettled();
        }
    }

    /// <summary>The store cannot be written for now.</summary>
    public void StoreFails(string problem)
    {
        lock (_gate)
        {
            if (_phase is > Phase.Unread and < Phase.Committed)
            {
                Tell("wait", $"the store cannot be written: {problem}", _time.GetTimestamp());
            }
        }
    }

    /// <summary>An uplink hands a message with the row to the network.</summary>
    public void Published(string uplink, long row, int bytes) => Uplink(uplink, row, "publish", bytes > 0 ? $"{uplink}: handed to the network, in a message of {bytes} bytes" : $"{uplink}: handed to the network");

    /// <summary>The destination holds the row.</summary>
    public void Acknowledged(string uplink, long row) => Uplink(uplink, row, "acknowledge", $"{uplink}: acknowledged by the destination");

    /// <summary>The uplink has settled the row without sending it.</summary>
    public void Passed(string uplink, long row) => Uplink(uplink, row, "pass", $"{uplink}: sends nothing of this record");

    /// <summary>The destination refuses the row for good.</summary>
    public void Refused(string uplink, long row, string problem) => Uplink(uplink, row, "refuse", $"{uplink}: set aside, {problem}");

    /// <summary>Ends before the sample is where it belongs.</summary>
    /// <param name="why">Why, in words.</param>
    public void Stop(string why)
    {
        lock (_gate)
        {
            Finish(isComplete: false, why);
        }
    }

    private void Uplink(string uplink, long row, string step, string text)
    {
        lock (_gate)
        {
            if (_phase == Phase.Committed)
            {
                Note(uplink, row, step, text, _time.GetTimestamp());
                FinishIfSettled();
            }
            else if (_phase == Phase.Packed && _early.Count < MostEarly)
            {
                // The uplink may be quicker than the news of the commit.
                _early.Add((uplink, row, step, text, _time.GetTimestamp()));
            }
        }
    }

    private void Note(string uplink, long row, string step, string text, long stamp)
    {
        if (row != _rowId || !_open.Contains(uplink))
        {
            return;
        }

        long? published = _published.TryGetValue(uplink, out var at) ? at : null;
        if (step == "publish")
        {
            _published[uplink] = stamp;
        }
        else
        {
            _open.Remove(uplink);
        }

        Tell(step, text, stamp, document => document with { Uplink = uplink, Row = row, TookMilliseconds = step == "acknowledge" && published is { } sent ? Milliseconds(sent, stamp) : null });
    }

    private void FinishIfSettled()
    {
        if (_open.Count == 0)
        {
            Finish(isComplete: true, _uplinks.Count == 0 ? "the site has no uplink: the record stays in the outbox" : "every uplink that carries it is done with it");
        }
    }

    private void Finish(bool isComplete, string text)
    {
        if (_phase != Phase.Ended)
        {
            _phase = Phase.Ended;
            Tell("end", text, _time.GetTimestamp(), step => step with { Complete = isComplete });
            _steps.Writer.TryComplete();
        }
    }

    private void Tell(string step, string text, long stamp, Func<FollowDocument, FollowDocument>? more = null)
    {
        var document = new FollowDocument
        {
            Step = step,
            Text = text,
            Time = _wallOrigin + _time.GetElapsedTime(_origin, stamp),
            AfterMilliseconds = Milliseconds(_began ?? stamp, stamp),
        };
        _steps.Writer.TryWrite(more is null ? document : more(document));
    }

    private double Milliseconds(long from, long to) => Math.Round(_time.GetElapsedTime(from, to).TotalMilliseconds, 3);

    private FollowDocument Judge(FollowDocument step, double value, Quality quality) => step with
    {
        Value = quality.HasValue && double.IsFinite(value) ? value : null,
        Unit = _point.Unit,
        Quality = quality.Status.Word(),
        Reason = quality.Reason == QualityReason.None ? null : quality.Reason.Word(),
    };

    private string Say(double value, Quality quality)
    {
        var text = quality.HasValue ? $"{value.ToString("R", CultureInfo.InvariantCulture)} {_point.Unit}".TrimEnd() : "no value";
        return quality.IsGood ? $"{text}, good" : $"{text}, {quality.Status.Word()}: {Reasons.Describe(quality)}";
    }

    private static string Words(ReadRequest request) => request.Table switch
    {
        Core.Profiles.RegisterTable.Coil => "coils",
        Core.Profiles.RegisterTable.DiscreteInput => "discrete inputs",
        Core.Profiles.RegisterTable.InputRegister => "input registers",
        _ => "holding registers",
    };

    private static IEnumerable<(JsonElement Record, long Sequence)> Records(OutboxRow row)
    {
        using var body = JsonDocument.Parse(row.Body);
        var sequence = row.FirstSequence;
        foreach (var record in body.RootElement.EnumerateArray())
        {
            yield return (record.Clone(), sequence++);
        }
    }

    private bool IsMine(JsonElement record) => record.GetProperty("device").ValueEquals(_device) && record.GetProperty("point").ValueEquals(_point.Id);

    private bool IsSample(JsonElement record) => IsMine(record) && record.GetProperty("time").GetDateTimeOffset() == _judged.Time.ToDateTimeOffset();

    private bool IsFinding((JsonElement Record, long Sequence) finding) => IsMine(finding.Record) && finding.Record.GetProperty("time").GetDateTimeOffset() == _judged.Time.ToDateTimeOffset();

    private bool IsSummary(JsonElement record)
    {
        if (!IsMine(record))
        {
            return false;
        }

        var start = record.GetProperty("start").GetDateTimeOffset();
        var time = _judged.Time.ToDateTimeOffset();
        var width = record.GetProperty("widthSeconds").GetDouble();
        return width <= _site.Windows[0].TotalSeconds && start <= time && time < start.AddSeconds(width);
    }
}
