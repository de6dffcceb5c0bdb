using EdgeGateway.Core;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Simulator.Metering;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Accounting;

/// <summary>
/// A year of a site through the product's own pipeline: registers that roll over, meters that are set to zero and exchanged, false readings, silent meters, a gateway that is
/// switched off, killed and given new configurations. The sum of all entries is what the simulator's own ledger says, to the milligram.
/// </summary>
public sealed class ConservationTests
{
    private const string Head =
        """
        schema: edgegateway/device-profile/1
        vendor: Test
        models: [M1]
        revision: 1
        sources:
          manual: { type: document, ref: Test manual }
        transport:
          modbus: { maxRegistersPerRead: 64 }
        defaults: { table: holding, wordOrder: high-first, poll: slow }
        poll: { fast: 300s, normal: 300s, slow: 300s }
        identify:
          - { point: spare, min: 0, max: 65535 }

        """;

    private static readonly Dictionary<string, string> Profiles = new()
    {
        // A declared limit that is no power of two; two registers.
        ["wide"] = Head + """
            id: wide
            kind: energy-meter
            title: { en: Meter with a declared limit }
            points:
              - { id: spare, at: 90, type: uint16, role: signal.analog, poll: normal, source: [manual] }
              - { id: energy, at: 0, type: uint32, unit: kW.h, scale: 0.01, role: electricity.energy.active.import, counter: { rolloverAt: 1000000, resets: user, maxRate: { value: 400, unit: kW } }, carbon: { role: electricity_purchased, scope: 2 }, source: [manual] }
            selfTest:
              - { point: energy, words: [0, 7], value: 0.07 }
            """,

        // 16 bits: rolls over every month or so.
        ["narrow"] = Head + """
            id: narrow
            kind: energy-meter
            title: { en: Meter of 16 bits }
            points:
              - { id: spare, at: 90, type: uint16, role: signal.analog, poll: normal, source: [manual] }
              - { id: energy, at: 0, type: uint16, unit: kW.h, scale: 0.1, role: electricity.energy.active.import, counter: { rolloverAt: width, resets: user, maxRate: { value: 10, unit: kW } }, carbon: { role: electricity_purchased, scope: 2 }, source: [manual] }
            selfTest:
              - { point: energy, words: [7], value: 0.7 }
            """,

        // Decimal digits behind transformers: each step is ct x pt of the secondary one.
        ["decimal"] = Head + """
            id: decimal
            kind: energy-meter
            title: { en: Meter of decimal digits behind transformers }
            points:
              - { id: spare, at: 90, type: uint16, role: signal.analog, poll: normal, source: [manual] }
              - { id: energy, at: 0, type: bcd32, unit: W.h, applies: [ct, pt], role: electricity.energy.active.import, counter: { rolloverAt: width, resets: user, maxRate: { value: 20, unit: kW } }, carbon: { role: electricity_purchased, scope: 2 }, source: [manual] }
            selfTest:
              - { point: energy, words: [0, 7], value: 7 }
            """,
        ["gas"] = Head + """
            id: gas
            kind: flow-meter
            title: { en: Gas meter }
            points:
              - { id: spare, at: 90, type: uint16, role: signal.analog, poll: normal, source: [manual] }
              - { id: volume, at: 0, type: bcd32, unit: m3, scale: 0.01, role: fluid.volume.total, counter: { rolloverAt: 50000, resets: user, maxRate: { value: 60, unit: m3/h } }, source: [manual] }
            selfTest:
              - { point: volume, words: [0, 7], value: 0.07 }
            """,
    };

    private static readonly TimeSpan Poll = TimeSpan.FromMinutes(5);
    private static readonly Instant Begin = Rig.At("2025-01-01T00:00:00Z");
    private static readonly Instant End = Rig.At("2026-01-01T00:00:00Z");

    private static SiteModel Site(int revision)
    {
        var (model, problems) = SiteLoader.Load(
            new("gateway.yaml", $$"""
                # Revision {{revision}}.
                schema: edgegateway/gateway/1
                site: { id: mine, timezone: Asia/Shanghai, region: CN-SX }
                gateway: { id: gw }
                windows: [15m, 1h, 1d]
                buses: [{ id: lan, type: modbus-tcp, host: 127.0.0.1 }]
                devices:
                  - { id: incomer, profile: wide, bus: lan, unit: 1, metering: { role: incomer }, area: yard }
                  - { id: hoist, profile: decimal, ct: 40, pt: 2, bus: lan, unit: 2, metering: { role: submeter, parent: incomer }, area: shaft }
                  - { id: fan, profile: narrow, bus: lan, unit: 3, metering: { role: submeter, parent: incomer }, area: shaft }
                  - { id: lamps, profile: narrow, bus: lan, unit: 4, metering: { role: submeter, parent: hoist } }
                  - { id: generator, profile: wide, bus: lan, unit: 5, metering: { role: generator, parent: incomer } }
                  - id: boiler
                    profile: gas
                    bus: lan
                    unit: 6
                    carbon: [{ method: fuel-combustion, activity: volume, fuel: cn-natural-gas, volumeAt: 20C, uncertaintyPercent: 1, biogenicPercent: 12.5 }]
                """),
            id => Profiles.TryGetValue(id, out var text) ? new($"{id}.yaml", text) : null);
        Assert.True(model is not null, string.Join('\n', problems));
        return model;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Over_a_year_the_sum_of_the_entries_is_the_simulators_own_ledger(ulong seed)
    {
        var run = new Run(seed);
        run.Live();

        // Nothing of what the year is for was left out.
        var happened = run.Meters.Happenings;
        Assert.True(happened is { Rollovers: > 10, Resets: > 2, Swaps: > 5, Glitches: > 20, Silences: > 10 }, happened.ToString());
        Assert.True(run is { Kills: > 20, Outages: > 5, Configurations: > 3, Repeated: > 1_000 }, $"{run.Kills} kills, {run.Outages} outages, {run.Configurations} configurations, {run.Repeated} records repeated");
        Assert.Empty(run.Rig.Pipeline.Exchanges);
        Assert.Equal(happened.Resets + happened.Swaps, run.Settled);

        var books = run.Books;
        decimal Grown(string device) => run.Grown(run.Site.Find($"{device}.{(device == "boiler" ? "volume" : "energy")}")) * (device == "hoist" ? 0.001m : 1);
        const decimal Shanxi = 0.7096m; // cn-mee-2022/CN-SX, kg/kWh
        foreach (var device in (string[])["incomer", "hoist", "fan", "lamps"])
        {
            Assert.Equal(Grown(device), books.KWh[device]);
            AssertCut(Grown(device) * Shanxi * 1_000_000m, books.Milligrams[device], device);
        }

        // Own generation is energy without a mass: its fuel is accounted where it is burnt.
        Assert.Equal((Grown("generator"), 0L), (books.KWh["generator"], books.Milligrams["generator"]));

        var burnt = Grown("boiler") * 273.15m / 293.15m / 10_000 * 389.31m * 0.01532m * 0.99m * 44 / 12 * 1_000_000_000m;
        AssertCut(burnt * 0.875m, books.Milligrams["boiler"], "boiler");
        AssertCut(burnt * 0.125m, books.Biogenic, "biogenic");

        // The tree: nothing twice, nothing left out.
        Assert.Equal(books.Milligrams["incomer"], books.Milligrams["site electricity-purchased"]);
        Assert.Equal(books.Milligrams["boiler"], books.Milligrams["site scope-1"]);
        Assert.Equal(books.Milligrams["incomer"] - books.Milligrams["hoist"] - books.Milligrams["fan"], books.Milligrams["remainder incomer"]);
        Assert.Equal(Grown("incomer") - Grown("hoist") - Grown("fan") + Grown("generator"), books.KWh["remainder incomer"]);
        Assert.Equal(books.Milligrams["hoist"] - books.Milligrams["lamps"], books.Milligrams["remainder hoist"]);
        Assert.Equal(books.Milligrams["hoist"] + books.Milligrams["fan"], books.Milligrams["area shaft"]);
        Assert.Equal(books.Milligrams["site electricity-purchased"], books.Milligrams["area yard"] + books.Milligrams["area shaft"]);
    }

    [Fact]
    public void A_change_of_meters_that_nobody_tells_is_counted_neither_more_nor_less_than_was_read()
    {
        var run = new Run(1) { Tells = false };
        run.Live();
        var told = new Run(1);
        told.Live();
        Assert.True(run.Rig.Pipeline.Exchanges.Count > 0);
        var total = 0m;
        foreach (var device in (string[])["incomer", "fan", "lamps"])
        {
            var missing = told.Books.KWh[device] - run.Books.KWh[device];
            Assert.InRange(missing, 0, run.Grown(run.Site.Find($"{device}.energy")) / 20);
            total += missing;
        }

        Assert.True(total > 0);
    }

    /// <summary>Only what is below a milligram may be missing: it is carried.</summary>
    private static void AssertCut(decimal exact, long entered, string what) =>
        Assert.True(exact - entered is >= -0.000_001m and < 1, $"{what}: {entered} mg entered of {exact}");

    /// <summary>The sums of what was published, and what is needed to take back what a kill has lost.</summary>
    private sealed class Books : IFeedSink
    {
        private readonly List<EmissionRecord> _since = [];

        public SiteModel? Site { get; set; }

        public Dictionary<string, long> Milligrams { get; } = [];

        public Dictionary<string, decimal> KWh { get; } = [];

        public long Biogenic { get; private set; }

        public List<EmissionRecord> SinceCheckpoint => _since;

        /// <summary>What was published up to here is never published again.</summary>
        public void Checkpoint()
        {
            foreach (var record in _since)
            {
                var name = record.Account switch
                {
                    EmissionAccount.Device => Site!.Devices[record.Device].Id,
                    EmissionAccount.Remainder => $"remainder {Site!.Devices[record.Device].Id}",
                    EmissionAccount.Area => $"area {record.Area}",
                    _ => $"site {record.Method}",
                };
                Milligrams[name] = Milligrams.GetValueOrDefault(name) + record.Milligrams;
                KWh[name] = KWh.GetValueOrDefault(name) + record.ActivityKWh;
                Biogenic += record.Account == EmissionAccount.Device ? record.Detail?.BiogenicMilligrams ?? 0 : 0;
            }

            _since.Clear();
        }

        public List<EmissionRecord> TakeBack()
        {
            List<EmissionRecord> taken = [.. _since];
            _since.Clear();
            return taken;
        }

        public void Summary(in SummaryRecord record)
        {
        }

        public void Emission(in EmissionRecord record) => _since.Add(record);

        public void Anomaly(AnomalyRecord record)
        {
        }

        public void DeviceState(DeviceStateRecord record)
        {
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

    /// <summary>A gateway without store and clock: a pipeline, its last checkpoint, and the log of what came after it.</summary>
    private sealed class Gateway
    {
        public Gateway(SiteModel site, Books books)
        {
            Pipeline = new Core.Pipeline(site, TestSite.Factors, books);
        }

        public Core.Pipeline Pipeline { get; }
    }

    /// <summary>The year.</summary>
    private sealed class Run
    {
        private readonly Random _chance;
        private readonly List<(Instant Now, Sample[] Samples)> _log = [];
        private readonly Dictionary<int, Queue<ChangeSheet>> _sheets = [];
        private readonly Dictionary<int, decimal> _first = [];
        private byte[] _checkpoint = [];
        private int _known;

        public Run(ulong seed)
        {
            _chance = new Random((int)seed);
            Site = ConservationTests.Site(0);
            Books.Site = Site;
            Meters = new MeterYear(Site, seed, Begin, End, Poll);
            Rig = new Gateway(Site, Books);
        }

        public bool Tells { get; init; } = true;

        public SiteModel Site { get; private set; }

        public Books Books { get; } = new();

        public MeterYear Meters { get; }

        public Gateway Rig { get; private set; }

        public int Kills { get; private set; }

        public int Outages { get; private set; }

        public int Configurations { get; private set; }

        public int Repeated { get; private set; }

        public int Settled { get; private set; }

        /// <summary>What the ledger says since the first reading.</summary>
        public decimal Grown(int point) => Meters.Grown(point) - _first[point];

        public void Live()
        {
            while (Meters.Now < End)
            {
                Feed(Meters.Step());
                if (_first.Count == 0)
                {
                    foreach (var point in Site.Points.Where(p => p.Kind == PointKind.Counter))
                    {
                        _first[point.Index] = Meters.Grown(point.Index);
                    }

                    Checkpoint();
                }

                Tell();
                switch (_chance.Next(4_000))
                {
                    case < 60: Checkpoint(); break;
                    case < 65: Kill(); break;
                    case < 67: Kill(); Sleep(); break;
                    case 67: Reconfigure(); break;
                }
            }

            Rig.Pipeline.Advance(Meters.Now + TimeSpan.FromSeconds(2));
            Rig.Pipeline.Close(Meters.Now + TimeSpan.FromSeconds(2));
            Books.Checkpoint();
        }

        private void Feed(ReadOnlySpan<Sample> samples)
        {
            _log.Add((Meters.Now, samples.ToArray()));
            Process(_log[^1]);
        }

        private void Process((Instant Now, Sample[] Samples) batch)
        {
            foreach (ref readonly var sample in batch.Samples.AsSpan())
            {
                Rig.Pipeline.Process(sample);
            }

            Rig.Pipeline.Advance(batch.Now + TimeSpan.FromSeconds(1));
        }

        /// <summary>A technician tells the readings some hours after the gateway has asked for them; they are on the disk at once.</summary>
        private void Tell()
        {
            for (; _known < Meters.Sheets.Count; _known++)
            {
                var sheet = Meters.Sheets[_known];
                (_sheets.TryGetValue(sheet.Point, out var queue) ? queue : _sheets[sheet.Point] = new()).Enqueue(sheet);
            }

            if (!Tells || _chance.Next(50) != 0)
            {
                return;
            }

            foreach (var waiting in Rig.Pipeline.Exchanges)
            {
                var sheet = _sheets[Site.Find($"{waiting.Device}.{waiting.Point}")].Dequeue();
                Assert.Null(Rig.Pipeline.SettleExchange(waiting.Device, waiting.Point, sheet.OldFinal, sheet.NewStart, "a technician"));
                Settled++;
                Checkpoint();
            }
        }

        private void Checkpoint()
        {
            var writer = new StateWriter();
            Rig.Pipeline.Save(writer);
            _checkpoint = writer.Written.ToArray();
            _log.Clear();
            Books.Checkpoint();
        }

        /// <summary>The process dies: what was not committed is gone, the rest is repeated from the log and gives the same records.</summary>
        private void Kill()
        {
            Kills++;
            var before = Books.TakeBack();
            var lost = Math.Min(_log.Count, _chance.Next(3));
            _log.RemoveRange(_log.Count - lost, lost);
            Rig = new Gateway(Site, Books);
            var reader = new StateReader(_checkpoint);
            Rig.Pipeline.Load(ref reader);
            _log.ForEach(Process);
            Assert.Equal(before.Take(Books.SinceCheckpoint.Count), Books.SinceCheckpoint);
            Repeated += Books.SinceCheckpoint.Count;
        }

        /// <summary>The gateway is off for up to three days; the meters go on.</summary>
        private void Sleep()
        {
            Outages++;
            for (var left = _chance.Next(2, 3 * 288); left > 0 && Meters.Now < End - TimeSpan.FromDays(1); left--)
            {
                Meters.Step();
            }
        }

        private void Reconfigure()
        {
            Configurations++;
            var now = Meters.Now + TimeSpan.FromSeconds(1);
            Rig.Pipeline.Close(now);
            var writer = new StateWriter();
            Rig.Pipeline.SaveBaselines(writer);
            Books.Checkpoint();
            Site = ConservationTests.Site(Configurations);
            Books.Site = Site;
            Rig = new Gateway(Site, Books);
            var reader = new StateReader(writer.Written.Span);
            Rig.Pipeline.LoadBaselines(ref reader);
            Assert.True(reader.AtEnd);
            Rig.Pipeline.Advance(now);
            Checkpoint();
        }
    }
}

file static class SiteNames
{
    /// <summary>Index of <c>device.point</c>.</summary>
    public static int Find(this SiteModel site, string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return site.Devices.Single(d => d.Id == name[..dot]).Points.Single(p => site.Points[p].Id == name[(dot + 1)..]);
    }
}
