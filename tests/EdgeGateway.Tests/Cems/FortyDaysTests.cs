using EdgeGateway.Core;
using EdgeGateway.Core.Accounting.Statements;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Drawing;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Labelled;
using EdgeGateway.Tests.LocalPath;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Cems;

/// <summary>The simulated boiler of docs/examples/stack for forty days under three rule sets, with outages, drift, missed calibrations and analyser faults.</summary>
public class FortyDaysTests
{
    private const string Folder = "docs/examples/stack/";
    private const int Days = 40;
    private static readonly Instant Begin = Rig.At("2026-04-10T16:00:00Z"); // midnight in Shanghai, inside one quarter

    [Fact]
    public void Forty_days_of_a_boiler_give_every_hour_once_with_its_rule()
    {
        var (site, problems) = SiteLoader.Load(
            new("gateway.yaml", File.ReadAllText(RepositoryFiles.At(Folder + "gateway.yaml"))),
            id => new($"{id}.yaml", File.ReadAllText(RepositoryFiles.At($"{Folder}device-profiles/{id}.yaml"))));
        Assert.True(site is not null && problems.Count == 0, string.Join('\n', problems));
        var (script, wrong) = FaultScript.Parse(new("forty-days.yaml", File.ReadAllText(RepositoryFiles.At(Folder + "forty-days.yaml"))));
        Assert.Empty(wrong);

        var rig = new Rig(site, transcribes: false);
        var simulated = new SimulatedSamples(site, 11, Begin, script!);
        for (var second = 0; second < (Days * 86_400) + 10; second++)
        {
            foreach (ref readonly var sample in simulated.Step())
            {
                rig.Pipeline.Process(sample);
            }

            if (second % 60 == 0)
            {
                rig.Pipeline.Advance(simulated.Now);
            }

            rig.Summaries.Clear();
        }

        rig.Pipeline.Advance(simulated.Now);
        var stacks = site.Devices.Select(d => (d.Id, Hours: rig.CemsHours.Where(h => h.Device == d.Index).ToList())).ToDictionary(d => d.Id, d => d.Hours);
        foreach (var (id, hours) in stacks)
        {
            // Every clock hour once at its end, and final once; what waited is said a second time. The first sample comes a second after the begin, and nothing is said of that second.
            Assert.Equal(Enumerable.Range(0, Days * 24).Select(h => Begin + (h == 0 ? TimeSpan.FromSeconds(1) : TimeSpan.FromHours(h))), hours.Where(h => h.Revision == 1).Select(h => h.Start));
            var final = Final(hours);
            Assert.Equal(Days * 24, final.Count);
            var again = hours.Count(h => h.IsFinal) - final.Count;

            // Under HJ 75 the hours between the last check that passed and the one that failed are taken back and stated again; elsewhere nothing is final twice.
            Assert.Equal(id == "stack-cn", again > 0);
            Assert.Equal(again, final.Count(h => h.Quantities.Any(q => q.Note?.StartsWith("taken back", StringComparison.Ordinal) == true)));

            // Each value that stands in names its rule, none stands without one, and an hour of operation has a mass or says why not.
            foreach (var hour in final.Where(h => h.OperatingTime > 0))
            {
                // Under HJ 75 a mass stands in also where only the flow is missing.
                Assert.All(hour.Quantities, q => Assert.True(q.Rule is null ? q.IsValid : !q.IsValid || id == "stack-cn", $"{id} {hour.Start}: {q}"));
                Assert.All(hour.Quantities, q => Assert.NotNull(q.AvailabilityPercent));
                Assert.All(hour.Quantities.Where(q => q.Name == "co2"), q => Assert.True(q.Kilograms > 0 || q.Rule == "NOT-COVERED" || q.Note is not null));
            }

            // The carbon account is the sum of the hours, to the milligram: of an hour that is entered again the last counts, and leaves its own part of a milligram.
            var device = site.Devices.Single(d => d.Id == id).Index;
            var kilograms = final.Sum(h => h.Quantities.SingleOrDefault(q => q.Name == "co2")?.Kilograms ?? 0);
            var accounted = rig.Emissions.Where(e => e.Device == device && e.Method.StartsWith("cems-", StringComparison.Ordinal)).GroupBy(e => e.Start).Sum(g => g.MaxBy(e => e.Detail!.Stack!.Revision).Milligrams);
            Assert.InRange(accounted - (long)(kilograms * 1_000_000), -again, again);
        }

        // The month's statement says of each stack what its hours say, to the last digit, in both languages.
        var april = StatementPeriod.Parse("2026-04", site.TimeZone)!;
        var builder = new StatementBuilder(StatementSite.From(site), april, StatementSubject.Site, TestSite.Factors);
        foreach (var entry in rig.Emissions)
        {
            builder.Add(new StatementEntry(entry.Device < 0 ? null : site.Devices[entry.Device].Id, entry));
        }

        var statement = builder.Build(new("ledger", "forty days", null, Verified: false), withForecast: false);
        Assert.Equal(["stack-cn", "stack-eu", "stack-us"], statement.Stacks.Select(s => s.Device));
        foreach (var stated in statement.Stacks)
        {
            var ran = Final(stacks[stated.Device]).Where(h => h.OperatingTime > 0 && april.Contains(h.Start)).ToList();
            Assert.Equal((ran.Count, ran.Sum(h => h.OperatingTime)), (stated.Hours, stated.OperatingHours));
            foreach (var quantity in stated.Quantities)
            {
                var told = ran.Select(h => h.Quantities.Single(q => q.Name == quantity.Name)).ToList();
                Assert.Equal(told.Count(q => q.IsValid), quantity.ValidHours);
                Assert.Equal(told.Where(q => !q.IsValid).GroupBy(q => q.Flag.Letter().ToString()).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new StackHours(g.Key, g.Count())), quantity.Flags);
                Assert.Equal(told.Where(q => q.Rule is not null).GroupBy(q => q.Rule!).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new StackHours(g.Key, g.Count())), quantity.Rules);
                Assert.Equal(told.Any(q => q.Kilograms is not null) ? told.Sum(q => q.Kilograms ?? 0) : (decimal?)null, quantity.Kilograms);
            }
        }

        Assert.Contains(statement.Stacks.SelectMany(s => s.Quantities).SelectMany(q => q.Rules), r => r.Word == "MAX-720");
        var english = StatementHtml.Write(statement, StatementWords.In("en"));
        Assert.Contains("Stack: Stack, HJ 75", english, StringComparison.Ordinal);
        Assert.Contains("B, not heard: ", english, StringComparison.Ordinal);
        Assert.Contains("MAX-720: ", english, StringComparison.Ordinal);
        Assert.Contains("D 故障或失控：", StatementHtml.Write(statement, StatementWords.In("zh")), StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("KEEP_PICTURES") is { Length: > 0 } folder)
        {
            File.WriteAllText(Path.Combine(folder, "stack-statement-en.html"), english);
            File.WriteAllText(Path.Combine(folder, "stack-statement-zh.html"), StatementHtml.Write(statement, StatementWords.In("zh")));
            var eu = site.Devices.Single(d => d.Id == "stack-eu");
            var checks = rig.Calibrations.Where(c => c.Device == eu.Index && c.Measured is not null).GroupBy(c => c.Level).OrderByDescending(g => g.Key, StringComparer.Ordinal);
            File.WriteAllText(Path.Combine(folder, "drift.svg"), new DriftChart("Stack, EU, CO2: drift (QAL3)", "%{vol}", site.TimeZone, eu.Cems!.Gases[0].Deviation!.Value, [.. checks.Select(g => new DriftLevel(g.Key, [.. g.Select(c => new DriftCheck(c.Time, c.Reference, c.Measured!.Value))]))]).Draw());
        }

        // Tables have the same figures, a row for each.
        // Names of stacks have a comma and stand in quotes.
        var rows = StatementCsv.Write(statement).Split("\r\n").Select(r => System.Text.RegularExpressions.Regex.Replace(r, "\"[^\"]*\"", "quoted").Split(',')).ToList();
        foreach (var stated in statement.Stacks)
        {
            var own = rows.Where(r => r[0].StartsWith("stack", StringComparison.Ordinal) && r[3] == stated.Device).ToList();
            Assert.Equal(1 + stated.Quantities.Sum(q => 2 + q.Flags.Count + q.Rules.Count), own.Count);
            foreach (var quantity in stated.Quantities)
            {
                var mass = Assert.Single(own, r => r[0] == "stack-quantity" && r[10] == quantity.Name);
                Assert.Equal(quantity.Kilograms?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "", mass[12]);
                Assert.All(quantity.Rules, rule => Assert.Contains(own, r => r[7] == "by-rule" && r[10] == quantity.Name && r[12] == $"{rule.Hours}" && r[23] == rule.Word));
            }
        }

        static List<CemsHourRecord> Final(IEnumerable<CemsHourRecord> hours) => [.. hours.Where(h => h.IsFinal).GroupBy(h => h.Start).Select(g => g.MaxBy(h => h.Revision)!)];

        CemsQuantity At(string id, double day, string name) =>
            stacks[id].Last(h => h.Start == Begin + TimeSpan.FromHours(Math.Floor(day * 24))).Quantities.Single(q => q.Name == name);

        // Day 3: five hours without an answer.
        Assert.Equal((CemsFlag.Lost, "INIT-HBHA", "07", 5), (At("stack-us", 3.1, "co2").Flag, At("stack-us", 3.1, "co2").Rule, At("stack-us", 3.1, "co2").Modc, At("stack-us", 3.1, "co2").MissingHours));
        Assert.Equal(("MAX-180", true), (At("stack-cn", 3.1, "co2").Rule, At("stack-cn", 3.1, "co2").Kilograms > 0));
        Assert.Equal("MEAN+2S", At("stack-eu", 3.1, "co2").Rule);

        // Day 6: the boiler stands; nothing is missing.
        Assert.All(stacks.Values, hours => Assert.Equal(0m, hours.Last(h => h.Start == Begin + TimeSpan.FromHours((6 * 24) + 10)).OperatingTime));

        // Days 9 to 12: drift is found by the daily check, and the analyser is out of control until one passes.
        Assert.Equal(CalibrationStatus.TestFailed, At("stack-us", 11.9, "co2").Calibration);
        Assert.Equal(CalibrationStatus.TestFailed, At("stack-cn", 11.9, "co2").Calibration);
        Assert.Equal(CalibrationStatus.InControl, At("stack-us", 13, "co2").Calibration);

        // Days 14 and 15: missed calibrations.
        Assert.Equal(CalibrationStatus.Expired, At("stack-us", 15.9, "co2").Calibration);
        Assert.Equal(CalibrationStatus.InControl, At("stack-us", 16.9, "co2").Calibration);

        // Day 18: the analyser reports a fault for thirty hours.
        Assert.Equal((CemsFlag.Fault, false), (At("stack-us", 18.5, "co2").Flag, At("stack-us", 18.5, "co2").IsValid));
        Assert.Equal("MAX-720", At("stack-cn", 18.5, "so2").Rule);

        // Day 22: the cleaning fails, a warning comes first, then the permit is broken.
        var cleaning = Begin + TimeSpan.FromDays(22);
        var warned = rig.Anomalies.First(a => a.Detector == "permit-forecast" && a.Raised && a.Time >= cleaning);
        var broken = rig.Anomalies.First(a => a.Detector == "permit-hour" && a.Raised && a.Time >= cleaning);
        Assert.True(warned.Time < broken.Time && broken.Time <= cleaning + TimeSpan.FromHours(2));

        // Day 25: maintenance for three hours; day 28: a velocity that cannot be.
        Assert.Equal(CemsFlag.Maintenance, At("stack-us", 25.05, "co2").Flag);
        Assert.Equal((CemsFlag.OverRange, "NOT-COVERED"), (At("stack-cn", 28.05, "flow").Flag, At("stack-cn", 28.05, "flow").Rule));
        Assert.Equal("MAX-180", At("stack-cn", 28.05, "so2").Rule);
    }
}
