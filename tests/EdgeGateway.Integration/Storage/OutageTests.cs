using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;
using Xunit.Abstractions;

namespace EdgeGateway.Integration.Storage;

/// <summary>
/// The broker is away for weeks and the store stays within its budget: what is delivered afterwards, with what range statements explain, is everything, and
/// energy and CO2 are exact to the last digit.
/// </summary>
public sealed class OutageTests(ITestOutputHelper output)
{
    private static bool IsLong => Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1";

    [Fact]
    public void After_an_outage_of_weeks_nothing_is_unexplained_and_energy_and_CO2_are_exact()
    {
        // The quick form has the same pressure: a smaller budget, devices and days to match.
        var (devices, days, budget) = IsLong ? (40, 30, 64L << 20) : (16, 3, 6L << 20);
        var period = TimeSpan.FromSeconds(15);
        var directory = OutageSite.NewDirectory();
        using var rig = new OutageRig(
            OutageSite.Of(devices, compliance: true, OutageSite.Windows, period),
            OutageSite.Budget(directory, budget, budget / 4) with { ThinEarly = true },
            directory);
        var from = rig.Now;
        long largest = 0, memory = 0;
        var clock = TimeProvider.System;
        var began = clock.GetTimestamp();
        var commits = (first: TimeSpan.Zero, last: TimeSpan.Zero);
        var minutes = days * 24 * 60;
        for (var minute = 0; minute < minutes; minute++)
        {
            var before = clock.GetElapsedTime(began);
            rig.Step(TimeSpan.FromMinutes(1), period);
            commits.first += minute < minutes / 4 ? clock.GetElapsedTime(began) - before : TimeSpan.Zero;
            commits.last += minute >= minutes - (minutes / 4) ? clock.GetElapsedTime(began) - before : TimeSpan.Zero;
            largest = Math.Max(largest, rig.FileBytes());
            Assert.True(largest <= budget, $"{largest} bytes in minute {minute}, {budget} are allowed.");
            if (minute == minutes / 4)
            {
                memory = GC.GetTotalMemory(forceFullCollection: true);
            }
        }

        var grown = GC.GetTotalMemory(forceFullCollection: true) - memory;
        var to = rig.Now;
        var statistics = rig.Store.Statistics();
        var waiting = statistics.Records;
        var rows = statistics.Rows;
        rig.End();
        statistics = rig.Store.Statistics();
        var receiver = rig.Receiver;
        var report = receiver.Report;
        output.WriteLine($"{devices} devices, {days} days, budget {budget} bytes; {clock.GetElapsedTime(began).TotalSeconds:F0} s of CPU and waiting");
        output.WriteLine($"largest size of the files {largest} ({100.0 * largest / budget:F1} %), memory grew by {grown} bytes over the last three quarters");
        output.WriteLine($"a minute took {commits.first.TotalMilliseconds / (minutes / 4):F2} ms in the first quarter, {commits.last.TotalMilliseconds / (minutes / 4):F2} ms in the last");
        output.WriteLine($"waiting at the end {waiting} records in {rows} rows; lines of losses {statistics.Losses.Count}");
        output.WriteLine($"thinned {statistics.ThinnedRecords}, evicted {statistics.EvictedRecords}, stated {string.Join(", ", receiver.Stated.Select(s => $"{s.Key} {s.Value}"))}");
        foreach (var stream in report.Streams)
        {
            output.WriteLine($"{stream.Key.Stream.Word()}: received {stream.Received}, explained {stream.Explained}, missing {stream.MissingRanges.Count}, redelivered {stream.Redelivered}");
        }

        // Nothing is unexplained, nothing came twice (order within each stream is asserted as it arrives).
        Assert.All(report.Streams, s => Assert.Empty(s.MissingRanges));
        Assert.Equal(0, receiver.Redelivered);
        Assert.Equal(0, statistics.Rows);
        Assert.Equal(0, statistics.Records);

        // It was an outage worth the name: samples and one-minute windows went, and 15-minute ones where the pressure was high.
        Assert.True(statistics.ThinnedRecords > minutes);
        Assert.Contains(rig.Losses, l => l.Stream == FeedStream.Sample);
        Assert.Contains(rig.Losses, l => l.Stream == FeedStream.Summary && LossReason.StandIn(l.Reason) == TimeSpan.FromMinutes(15));
        Assert.All(rig.Losses, l => Assert.Equal(RangeState.Thinned, LossReason.StateOf(l.Reason)));
        Assert.DoesNotContain(rig.Losses, l => l.Stream is FeedStream.Emission or FeedStream.Range or FeedStream.Anomaly);
        Assert.Equal(statistics.ThinnedRecords, receiver.Stated["thinned"]);

        // Energy of every counter, and CO2 of every account, to the last digit.
        foreach (var point in rig.Site.Points.Where(p => p.Kind == PointKind.Counter))
        {
            var device = rig.Site.Devices[point.DeviceIndex].Id;
            var undisturbed = rig.Growth[(point.Index, TimeSpan.FromDays(1))];
            Assert.True(undisturbed > 0);
            Assert.Equal(undisturbed, receiver.Growth(device, point.Id, from, to, OutageSite.Windows, OutageSite.Windows.Length - 1));
        }

        Assert.Equal(rig.Accounts, receiver.Accounts);
        Assert.True(rig.Accounts.Count > devices);

        // What the site declares compliance is all there, every minute of it.
        var declared = rig.Site.Devices[^1].Id;
        Assert.Equal(minutes, receiver.Windows.Count(w => w.Device == declared && w.Point == "energy" && w.Width == 60 && w.Start >= from.UnixMilliseconds));

        // Memory does not depend on the backlog.
        Assert.True(grown < 8 << 20, $"Memory grew by {grown} bytes.");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Under_any_pressure_what_arrived_and_what_is_stated_is_everything_and_what_is_thinned_has_its_stand_in(int seed)
    {
        foreach (var s in Enumerable.Range(0, IsLong ? 20 : 1))
        {
            Press(seed + (100 * s));
        }
    }

    private static void Press(int seed)
    {
        var random = new Random(seed);
        TimeSpan[][] widths =
        [
            OutageSite.Windows,
            [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15)],
            [TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15)],
            [TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30)],
        ];
        var windows = widths[random.Next(widths.Length)];
        var period = TimeSpan.FromSeconds(random.Next(2) == 0 ? 10 : 5);
        var directory = OutageSite.NewDirectory();
        var budget = random.NextInt64(700 << 10, 1400 << 10);
        var storage = OutageSite.Budget(directory, budget, 96 << 10) with
        {
            ThinEarly = random.Next(2) == 0,
            MostRecords = random.Next(3) == 0 ? random.Next(3000, 9000) : null,
            SampleAge = random.Next(3) == 0 ? TimeSpan.FromHours(2) : null,
        };
        using var rig = new OutageRig(OutageSite.Of(random.Next(2, 6), compliance: random.Next(2) == 0, windows, period), storage, directory);
        var rows = new List<(long Id, OutboxRow Row)>();
        rig.Committed = (row, id) => rows.Add((id, row));
        var from = rig.Now;
        var end = from + TimeSpan.FromHours(24);
        while (rig.Now < end)
        {
            var left = end - rig.Now;
            var span = TimeSpan.FromSeconds(10 * random.Next(1, 13));
            rig.Step(span < left ? span : left, period);
            Assert.InRange(rig.FileBytes(), 1, budget);
            switch (random.Next(120))
            {
                case 0:
                    rig.Deliver(random.Next(1, 40));
                    break;
                case 1:
                    rig.Reopen();
                    break;
                default:
                    break;
            }
        }

        var delivered = rig.Store.OpenCursor(OutageRig.Destination).Floor;
        var rest = new List<OutboxRow>();
        for (long next = 1; rig.Store.Read(next, long.MaxValue, 500, 1 << 24, rest) > 0; next = rest[^1].Id + 1)
        {
        }

        // Within each step of the order what is left is one run up to the newest.
        var there = rest.Select(r => r.Id).ToHashSet();
        foreach (var step in rows.Where(r => r.Id > delivered).GroupBy(r => RetentionOrder.StepOf(r.Row.Class, r.Row.Level)))
        {
            var kept = step.SkipWhile(r => !there.Contains(r.Id)).ToList();
            Assert.True(kept.TrueForAll(r => there.Contains(r.Id)), $"Seed {seed}: step {step.Key} is not one run.");
        }

        rig.End();
        Assert.All(rig.Receiver.Report.Streams, s => Assert.Empty(s.MissingRanges));
        Assert.Equal(0, rig.Receiver.Redelivered);
        Assert.NotEmpty(rig.Losses);

        // Every row holds records of one width, and what is said to be thinned to a width has a window of that width: it arrived, or a statement says what became of it.
        var window = new Dictionary<long, (string Device, string Point, long Start, double Width)>();
        foreach (var (_, row) in rows.Where(r => r.Row.Stream == FeedStream.Summary))
        {
            using var body = System.Text.Json.JsonDocument.Parse(row.Body);
            var records = body.RootElement.EnumerateArray().Select(r => (
                r.GetProperty("device").GetString()!, r.GetProperty("point").GetString()!, r.GetProperty("start").GetDateTimeOffset().ToUnixTimeMilliseconds(), r.GetProperty("widthSeconds").GetDouble())).ToList();
            Assert.True(row.Class == RowClass.Compliance || records.Select(r => r.Item4).Distinct().Count() == 1);
            for (var i = 0; i < records.Count; i++)
            {
                window[row.FirstSequence + i] = records[i];
            }
        }

        var declared = rows.Where(r => r.Row.Stream == FeedStream.Summary && r.Row.Class == RowClass.Compliance).SelectMany(r => Enumerable.Range(0, r.Row.Count).Select(i => r.Row.FirstSequence + i)).ToHashSet();
        var numbers = window.ToDictionary(w => w.Value, w => w.Key);
        var gone = rig.Losses.Where(l => l.Stream == FeedStream.Summary).SelectMany(l => Enumerable.Range(0, (int)(l.Last - l.First + 1)).Select(i => (Number: l.First + i, l.Reason))).ToDictionary(l => l.Number, l => l.Reason);
        var complete = true;
        foreach (var (number, reason) in gone)
        {
            var (device, point, start, width) = window[number];
            if (LossReason.StandIn(reason) is not { } standIn)
            {
                Assert.True(declared.Contains(number) || width == windows[^1].TotalSeconds, $"Seed {seed}: {window[number]} was evicted.");
                complete = false;
                continue;
            }

            var wide = (long)standIn.TotalMilliseconds;
            var cover = (device, point, start - (start % wide), standIn.TotalSeconds);

            // The first window began before the first sample, and the last is open at the end.
            if (cover.Item3 + wide <= end.UnixMilliseconds)
            {
                Assert.True(numbers.TryGetValue(cover, out var by) && (rig.Receiver.Windows.Contains(cover) || gone.ContainsKey(by)), $"Seed {seed}: nothing stands for {window[number]}.");
            }
        }

        // The account is exact in any case; the growth of the counters as long as no widest window had to go.
        if (rig.Losses.TrueForAll(l => l.Stream != FeedStream.Emission))
        {
            Assert.Equal(rig.Accounts, rig.Receiver.Accounts);
        }

        if (complete)
        {
            foreach (var point in rig.Site.Points.Where(p => p.Kind == PointKind.Counter))
            {
                Assert.Equal(
                    rig.Growth[(point.Index, windows[^1])],
                    rig.Receiver.Growth(rig.Site.Devices[point.DeviceIndex].Id, point.Id, from, end, windows, windows.Length - 1));
            }
        }
    }
}
