using System.Buffers;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Hosting;
using EdgeGateway.Storage;

namespace EdgeGateway.Integration.Storage;

/// <summary>
/// The real pipeline, encoder and store in simulated time, fed by meters whose readings follow from the time; a truth that notes what the pipeline
/// said; and a receiver that knows only what was delivered.
/// </summary>
internal sealed class OutageRig : IFeedSink, IDisposable
{
    public const string Destination = "centre";

    private static readonly Guid Boot = new("0f8fad5b-d9cb-469f-a165-70867728950e");

    private readonly string _directory;
    private readonly FeedEncoder _encoder;
    private readonly Pipeline _pipeline;
    private readonly StateWriter _state = new();
    private readonly CommitBatch _batch;
    private readonly LossNotices _notices = new();
    private readonly List<Sample> _samples = [];
    private readonly ArrayBufferWriter<byte> _wire = new();
    private readonly FeedEnvelope _envelope;
    private Sample[] _buffer = [];
    private TimeSpan _nextNotice;
    private int _sinceCheckpoint;

    public OutageRig(SiteModel site, StorageModel storage, string directory)
    {
        _directory = directory;
        Site = site;
        Storage = storage;

        // From midnight on, so that every window counted is whole.
        Clock.Advance(TimeSpan.FromDays(1) - Clock.GetUtcNow().TimeOfDay);
        Store = SqliteStore.Open(Storage, [Destination], Clock);
        var recovery = Store.Recover();
        _notices.Add(recovery.UnpublishedLosses);
        _encoder = new FeedEncoder(site, FeedHeads.From(recovery.Heads[FeedStream.Birth].Epoch, s => recovery.Heads[s].Next), "1");
        _pipeline = new Pipeline(site, FactorSet.BuiltIn(), this);
        _batch = new CommitBatch { ValueOf = (point, raw) => (double)(raw * site.Points[point].Encoding.Scale) };
        _envelope = new FeedEnvelope(site.SiteId, site.GatewayId);
        Now = Instant.From(Clock.GetUtcNow());
        Begin = Now;
    }

    public SiteModel Site { get; }

    public StorageModel Storage { get; }

    public TestClock Clock { get; } = new();

    public SqliteStore Store { get; private set; }

    public OutageReceiver Receiver { get; } = new();

    public Instant Begin { get; }

    /// <summary>Wall time as the gateway has it.</summary>
    public Instant Now { get; private set; }

    /// <summary>What the pipeline said: growth of each counter and width.</summary>
    public Dictionary<(int Point, TimeSpan Width), decimal> Growth { get; } = [];

    /// <summary>Milligrams and kilowatt-hours of each account.</summary>
    public Dictionary<string, (long Milligrams, decimal KWh)> Accounts { get; } = [];

    /// <summary>Of which streams records went before they were delivered, and why.</summary>
    public HashSet<(FeedStream Stream, string Reason)> Causes { get; } = [];

    /// <summary>Every loss, where the test sets it.</summary>
    public List<RecordLoss>? Losses { get; init; }

    /// <summary>Called with each row and its id after its commit.</summary>
    public Action<OutboxRow, long>? Committed { get; set; }

    public long FileBytes() => Directory.EnumerateFiles(_directory).Sum(f => new FileInfo(f).Length);

    /// <summary>Reads all points every <paramref name="period"/> for <paramref name="span"/>, then commits.</summary>
    public void Step(TimeSpan span, TimeSpan period)
    {
        _samples.Clear();
        var end = Now + span;
        for (var time = Now; time < end; time += period)
        {
            foreach (var point in Site.Points)
            {
                var raw = Raw(point, time);
                _samples.Add(new Sample(point.Index, time, (double)(raw * point.Encoding.Scale), raw, Quality.Good));
            }
        }

        Clock.Advance(span);
        Now = end;
        Commit();
    }

    /// <summary>Commits what was read, as the commit loop does.</summary>
    public void Commit(bool ending = false)
    {
        if (_buffer.Length < _samples.Count)
        {
            _buffer = new Sample[_samples.Count];
        }

        _samples.CopyTo(_buffer);
        var input = new InputBatch(Store.NextBatchNumber, Now, Boot, (long)(Now - Begin).TotalMilliseconds, null, _buffer.AsMemory(0, _samples.Count));
        _samples.Clear();
        foreach (ref readonly var sample in input.Samples.Span)
        {
            _pipeline.Process(sample);
        }

        _pipeline.Advance(Now);
        _batch.Input = input;
        if (_notices.Any && (ending || Now - Begin >= _nextNotice))
        {
            _batch.LossesPublishedThrough = _notices.Publish(_encoder, Now);
            _nextNotice = Now - Begin + (Store.IsUndelivered ? TimeSpan.FromHours(1) : TimeSpan.FromMinutes(1));
        }

        if (ending)
        {
            _encoder.StateIssued(Now, "the end");
        }

        _batch.Rows.AddRange(_encoder.Flush(Now));
        var heads = _encoder.Heads;
        foreach (var stream in FeedHeads.Streams)
        {
            _batch.Heads.Add(new StreamHead(stream, heads.Epoch, heads[stream]));
        }

        if (++_sinceCheckpoint >= 5)
        {
            Checkpoint(input.Number);
        }

        while (true)
        {
            try
            {
                var result = Store.Commit(_batch);
                _notices.Add(result.Losses);
                Causes.UnionWith(result.Losses.Select(l => (l.Stream, l.Reason)));
                Losses?.AddRange(result.Losses);
                for (var i = 0; i < _batch.Rows.Count; i++)
                {
                    Committed?.Invoke(_batch.Rows[i], result.FirstRowId + i);
                }

                _sinceCheckpoint = result.CheckpointWanted ? 5 : _sinceCheckpoint;
                break;
            }
            catch (StoreException e) when (e.Failure == StoreFailure.BudgetExhausted && _batch.Checkpoint is null)
            {
                Checkpoint(input.Number);
            }
        }

        _batch.Clear();
    }

    /// <summary>Delivers at most so many of the oldest rows; what is acknowledged leaves with the next commit.</summary>
    public int Deliver(int rows = int.MaxValue)
    {
        var delivered = 0;
        var page = new List<OutboxRow>();
        var cursor = Store.OpenCursor(Destination);
        for (var next = cursor.Floor + 1; delivered < rows; next = page[^1].Id + 1)
        {
            page.Clear();
            if (Store.Read(next, long.MaxValue, Math.Min(64, rows - delivered), 1 << 20, page) == 0)
            {
                break;
            }

            foreach (var row in page)
            {
                if (cursor.Contains(row.Id))
                {
                    continue;
                }

                _wire.ResetWrittenCount();
                _envelope.Write(_wire, row, FeedLane.History);
                Receiver.Take(_wire.WrittenSpan);
                Store.Acknowledge(Destination, row.Id);
                delivered++;
            }
        }

        return delivered;
    }

    public void Reopen()
    {
        Store.Dispose();
        Store = SqliteStore.Open(Storage, [Destination], Clock);
        Store.Recover();
    }

    /// <summary>Lets the last windows close, publishes what is to be said, delivers all of it, and empties the store.</summary>
    public void End()
    {
        Clock.Advance(TimeSpan.FromSeconds(5));
        Now += TimeSpan.FromSeconds(5);
        Commit();
        Deliver();
        Commit(ending: true);
        Deliver();

        // No commit deletes more than some thousands of rows.
        while (Store.Statistics().Rows > 0)
        {
            Commit();
            Deliver();
        }

        // The statements of the commit before have made room as well: once more, until there is nothing to say.
        while (_notices.Any)
        {
            Commit(ending: true);
            Deliver();
        }
    }

    public void Dispose()
    {
        Store.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    void IFeedSink.Summary(in SummaryRecord record)
    {
        if (record.Delta is { } delta)
        {
            Growth[(record.Point, record.Width)] = Growth.GetValueOrDefault((record.Point, record.Width)) + delta;
        }

        _encoder.Summary(record);
    }

    void IFeedSink.Emission(in EmissionRecord record)
    {
        var key = OutageReceiver.AccountOf(record.Account.Word(), record.Device < 0 ? null : Site.Devices[record.Device].Id);
        var (mass, energy) = Accounts.GetValueOrDefault(key);
        Accounts[key] = (mass + record.Milligrams, energy + record.ActivityKWh);
        _encoder.Emission(record);
    }

    void IFeedSink.Anomaly(AnomalyRecord record) => _encoder.Anomaly(record);

    void IFeedSink.DeviceState(DeviceStateRecord record) => _encoder.DeviceState(record);

    void IFeedSink.Alarm(AlarmRecord record) => _encoder.Alarm(record);

    void IFeedSink.CemsHour(CemsHourRecord record) => _encoder.CemsHour(record);

    void IFeedSink.Calibration(CemsCalibrationRecord record) => _encoder.Calibration(record);

    void IFeedSink.Sample(in Sample sample) => _encoder.Sample(sample);

    private void Checkpoint(long number)
    {
        _state.Clear();
        _pipeline.Save(_state);
        _batch.Checkpoint = new Checkpoint(number, Site.ConfigurationHash, Now, _state.Written);
        _sinceCheckpoint = 0;
    }

    // Counters grow unevenly in their smallest step; gauges wander. Cheap, and the same in every run.
    private ulong Raw(PointModel point, Instant time)
    {
        var seconds = (ulong)((time - Begin).TotalMilliseconds / 1000) + 1_000;
        return point.Kind == PointKind.Counter
            ? (seconds * (ulong)(7 + point.DeviceIndex)) + (seconds * seconds / 977 % 5)
            : 20_000 + ((seconds * 7919 * (ulong)(point.Index + 1)) % 1_013);
    }
}

/// <summary>A central platform: it knows the feed and nothing else.</summary>
internal sealed class OutageReceiver
{
    private readonly SequenceLedger _ledger = new();
    private readonly Dictionary<(FeedStream, long Epoch), long> _last = [];
    private readonly Dictionary<(string Device, string Point, long Start, double Width), decimal> _growth = [];

    public Dictionary<string, (long Milligrams, decimal KWh)> Accounts { get; } = [];

    /// <summary>Windows of all points that arrived.</summary>
    public HashSet<(string Device, string Point, long Start, double Width)> Windows { get; } = [];

    /// <summary>Range statements by state: records.</summary>
    public Dictionary<string, long> Stated { get; } = [];

    /// <summary>Records that arrived, by stream.</summary>
    public Dictionary<FeedStream, long> Received { get; } = [];

    public long Redelivered { get; private set; }

    public LedgerReport Report => _ledger.Report();

    public static string AccountOf(string account, string? device) => $"{account}/{device}";

    public void Take(ReadOnlySpan<byte> payload)
    {
        Assert.True(FeedMessage.TryParse(payload, out var message, out var problem), problem);
        var key = (message.Stream, message.Epoch);
        Assert.True(message.FirstSequence > _last.GetValueOrDefault(key), $"{message.Stream} {message.FirstSequence} came after {_last.GetValueOrDefault(key)}.");
        _last[key] = message.LastSequence;
        var added = _ledger.Observe(message);
        Redelivered += message.Records.Count - added;
        Received[message.Stream] = Received.GetValueOrDefault(message.Stream) + added;
        foreach (var record in message.Records)
        {
            switch (message.Stream)
            {
                case FeedStream.Summary:
                    Summary(record);
                    break;
                case FeedStream.Emission:
                    var account = AccountOf(record.GetProperty("account").GetString()!, record.GetProperty("device").GetString());
                    var (mass, energy) = Accounts.GetValueOrDefault(account);
                    Accounts[account] = (mass + record.GetProperty("milligramsCO2e").GetInt64(), energy + record.GetProperty("activityKWh").GetDecimal());
                    break;
                case FeedStream.Range when record.GetProperty("first").GetInt64() > 0:
                    var state = record.GetProperty("state").GetString()!;
                    Stated[state] = Stated.GetValueOrDefault(state) + record.GetProperty("last").GetInt64() - record.GetProperty("first").GetInt64() + 1;
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Growth of a counter from <paramref name="from"/> to <paramref name="to"/>, from the widest windows that arrived and the narrower ones where they did not; null when neither did.</summary>
    public decimal? Growth(string device, string point, Instant from, Instant to, IReadOnlyList<TimeSpan> widths, int level)
    {
        var total = 0m;
        for (var start = from; start < to; start += widths[level])
        {
            if (_growth.TryGetValue((device, point, start.UnixMilliseconds, widths[level].TotalSeconds), out var growth))
            {
                total += growth;
            }
            else if (level > 0 && Growth(device, point, start, start + widths[level], widths, level - 1) is { } narrower)
            {
                total += narrower;
            }
            else
            {
                return null;
            }
        }

        return total;
    }

    private void Summary(JsonElement record)
    {
        var key = (
            record.GetProperty("device").GetString()!,
            record.GetProperty("point").GetString()!,
            record.GetProperty("start").GetDateTimeOffset().ToUnixTimeMilliseconds(),
            record.GetProperty("widthSeconds").GetDouble());
        Assert.True(Windows.Add(key), $"The window {key} came under two numbers.");
        if (record.TryGetProperty("delta", out var delta) && delta.ValueKind == JsonValueKind.Number)
        {
            _growth[key] = delta.GetDecimal();
        }
    }
}

/// <summary>Sites of meters for <see cref="OutageRig"/>.</summary>
internal static class OutageSite
{
    public static readonly TimeSpan[] Windows = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromDays(1)];

    /// <summary>A site of so many meters below an incomer; each has energy, power, and a current of which every sample is published.</summary>
    /// <param name="devices">Number of meters.</param>
    /// <param name="compliance">The energy of the last one is declared compliance.</param>
    /// <param name="windows">Widths of the windows.</param>
    /// <param name="period">How often it is read.</param>
    public static SiteModel Of(int devices, bool compliance, TimeSpan[] windows, TimeSpan period)
    {
        var points = new List<PointModel>();
        var models = new List<DeviceModel>();
        for (var d = 0; d < devices; d++)
        {
            var declared = compliance && d == devices - 1;
            var first = points.Count;
            var energy = new PointModel
            {
                Index = first,
                DeviceIndex = d,
                Id = "energy",
                Kind = PointKind.Counter,
                Role = "electricity.energy.active.import.total",
                Unit = "kW.h",
                Encoding = Encoding(RegisterType.UInt32, 0.01m),
                Period = period,
                Counter = new CounterModel(null, Resettable: false, MaxRatePerSecond: null),
                Carbon = new CarbonModel("electricity-purchased", 2),
                Compliance = declared,
            };
            points.Add(energy);
            foreach (var name in new[] { "power", "current" })
            {
                points.Add(new PointModel
                {
                    Index = points.Count,
                    DeviceIndex = d,
                    Id = name,
                    Kind = PointKind.Gauge,
                    Role = "other",
                    Unit = "W",
                    Encoding = Encoding(RegisterType.UInt16, 0.1m),
                    Period = period,
                    PublishSamples = name == "current",
                });
            }

            models.Add(new DeviceModel
            {
                Index = d,
                Id = $"meter-{d:00}",
                Name = $"Meter {d}",
                BusId = "bus",
                Unit = (byte)(d + 1),
                Profile = new DeviceProfile { Id = "p", Kind = "k", Vendor = "v", Models = ["m"], Revision = 1, TitleEnglish = "t", MaxRegistersPerRead = 100, MayReadGaps = true, MinGap = TimeSpan.Zero, Points = [] },
                Timeout = TimeSpan.FromSeconds(1),
                CtRatio = 1,
                PtRatio = 1,
                Metering = d == 0 ? new MeteringModel(MeterRole.Incomer, null, CountsTowardSite: true, Reversed: false) : new MeteringModel(MeterRole.Submeter, "meter-00", CountsTowardSite: false, Reversed: false),
                Region = "CN-SX",
                Points = [first, first + 1, first + 2],
            });
        }

        return new SiteModel
        {
            SiteId = "site",
            SiteName = "Site",
            GatewayId = "gw",
            TimeZone = TimeZoneInfo.Utc,
            Region = "CN-SX",
            Windows = windows,
            Buses = [],
            Devices = models,
            Points = points,
            Uplinks = [],
            Storage = Budget("d", 1, 1),
            ConfigurationHash = "test",
        };
    }

    public static StorageModel Budget(string directory, long budget, long sampleLog) => new()
    {
        Directory = directory,
        BudgetBytes = budget,
        SampleLogBytes = sampleLog,
        CommitWindow = TimeSpan.FromSeconds(1),
        CheckpointInterval = TimeSpan.FromMinutes(5),
    };

    /// <summary>A directory in memory where there is one: the order of events is tested, not the disk.</summary>
    public static string NewDirectory() => Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory(Path.Combine("/dev/shm", "edgegateway-outage-" + Guid.NewGuid().ToString("N"))).FullName
        : Directory.CreateTempSubdirectory("edgegateway-outage-").FullName;

    private static RegisterEncoding Encoding(RegisterType type, decimal scale) =>
        new() { Table = RegisterTable.HoldingRegister, Address = 0, Type = type, Scale = scale, Offset = 0 };
}
