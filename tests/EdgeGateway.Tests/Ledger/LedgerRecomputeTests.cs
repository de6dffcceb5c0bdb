using System.Globalization;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Ledger;

/// <summary>The entries computed again from the ledger alone, and a history that another factor set states.</summary>
public class LedgerRecomputeTests
{
    private static readonly LedgerRig Day = new LedgerRig().Run(20 * 60);

    private static LedgerRecomputer Recompute(IEnumerable<LedgerRecord> records)
    {
        var recomputer = new LedgerRecomputer();
        foreach (var record in records)
        {
            recomputer.Take(record);
        }

        return recomputer;
    }

    /// <summary>The set of the program with another value for Shanxi.</summary>
    private static FactorSet Changed(string value)
    {
        var lines = File.ReadAllLines(RepositoryFiles.At("factors/edgegateway.yaml")).Where(l => !l.StartsWith("hash:", StringComparison.Ordinal))
            .Select(l => l.StartsWith("version:", StringComparison.Ordinal) ? "version: 900" : l.Replace("0.7096", value, StringComparison.Ordinal));
        var (set, problems) = FactorSetLoader.Load(new SourceText("changed.yaml", string.Join('\n', lines)));
        Assert.True(set is not null, string.Join('\n', problems));
        return set;
    }

    [Fact]
    public void A_set_read_from_its_canonical_form_is_the_same_set()
    {
        var set = FactorSet.BuiltIn();
        var read = FactorSet.FromCanonical(set.Canonical);
        Assert.Equal(set.ContentHash, read.ContentHash);
        Assert.Equal(set.Factors.Count, read.Factors.Count);
        Assert.Equal(set.Get("electricity", "CN-XZ", LedgerRig.Start).Note, read.Get("electricity", "CN-XZ", LedgerRig.Start).Note);
        Assert.Throws<InvalidDataException>(() => FactorSet.FromCanonical("{}"u8.ToArray()));
    }

    [Fact]
    public void Every_entry_is_confirmed_from_registers_and_factors_bit_for_bit()
    {
        var recomputed = Recompute(Day.Records);
        Assert.Null(recomputed.Difference);
        Assert.Equal((Day.Records.Count(r => r.Content is EmissionContent), 0L, 0L), ((int)recomputed.Agreed, recomputed.FromActivity, recomputed.NotRecomputed));
        Assert.Contains(Day.Records, r => r.Content is EmissionContent { Entry.Account: EmissionAccount.Remainder, Mass: > 0 });
    }

    [Fact]
    public void One_milligram_too_many_is_named()
    {
        foreach (var target in Day.Records.Where(r => r.Content is EmissionContent).Where((_, i) => i % 37 == 5))
        {
            var entry = (EmissionContent)target.Content;
            var changed = target with { Content = entry with { Entry = entry.Entry with { Milligrams = entry.Entry.Milligrams + 1 } } };
            var difference = Recompute(Day.Records.Select(r => r.Number == target.Number ? changed : r)).Difference!;
            Assert.Equal(target.Number, difference.Record);
            Assert.Contains(entry.Entry.Milligrams.ToString(CultureInfo.InvariantCulture), difference.What, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("activity", "its registers say")]
    [InlineData("carried", "the one before left")]
    [InlineData("factor", "names the factor")]
    public void What_does_not_follow_is_named(string what, string expected)
    {
        var target = Day.Records.Where(r => r.Content is EmissionContent { Device: "fan", Entry.Account: EmissionAccount.Device }).ElementAt(7);
        var content = (EmissionContent)target.Content;
        var entry = what switch
        {
            "activity" => content.Entry with { ActivityKWh = content.Entry.ActivityKWh + 0.01m },
            "carried" => content.Entry with { Carried = content.Entry.Carried + 0.5m },
            _ => content.Entry with { FactorId = "cn-mee-2021/CN-SX" },
        };
        var difference = Recompute(Day.Records.Select(r => r.Number == target.Number ? r with { Content = content with { Entry = entry } } : r)).Difference!;
        Assert.Equal(target.Number, difference.Record);
        Assert.Contains(expected, difference.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_configuration_and_factors_nothing_is_claimed()
    {
        var recomputed = Recompute(Day.Records.Where(r => r.Content is EmissionContent));

        Assert.Equal((0, Day.Records.Count(r => r.Content is EmissionContent)), ((int)recomputed.Agreed, (int)recomputed.NotRecomputed));

        // A program before did not say of what sums are made: its entries are confirmed, its sums are not claimed.
        recomputed = Recompute(Day.Records.Select(r => r.Content is ConfigurationContent c ? r with { Content = c with { Sums = null } } : r));
        Assert.Null(recomputed.Difference);
        Assert.Equal(Day.Records.Count(r => r.Content is EmissionContent { Entry.Account: EmissionAccount.Device }), recomputed.Agreed);
        Assert.Equal(Day.Records.Count(r => r.Content is EmissionContent { Entry.Account: not EmissionAccount.Device }), recomputed.NotRecomputed);
        Assert.Equal(recomputed.NotRecomputed, recomputed.SumsWithoutParts);

        // From the configuration of a program that says it on, its sums are recomputed.
        recomputed = Recompute([.. Day.Records.Select(r => r.Content is ConfigurationContent c ? r with { Content = c with { Sums = null } } : r), .. Day.Records.SkipWhile(r => r.Content is not FactorsContent)]);
        Assert.Null(recomputed.Difference);
        Assert.Equal(Day.Records.Count(r => r.Content is EmissionContent { Entry.Account: not EmissionAccount.Device }), recomputed.SumsWithoutParts);
    }

    [Fact]
    public void A_kilowatt_hour_too_many_in_a_remainder_is_named_and_what_flows_back_through_a_tie_is_priced_as_in_it()
    {
        var target = Day.Records.Where(r => r.Content is EmissionContent { Entry.Account: EmissionAccount.Remainder }).ElementAt(3);
        var content = (EmissionContent)target.Content;
        var difference = Recompute(Day.Records.Select(r => r.Number == target.Number ? r with { Content = content with { Entry = content.Entry with { ActivityKWh = content.Entry.ActivityKWh + 0.01m } } } : r)).Difference!;
        Assert.Equal(target.Number, difference.Record);
        Assert.Contains("the remainder of incomer", difference.What, StringComparison.Ordinal);

        // Ties, generation, areas and what is declared: all sums of a site whose entries are in one interval.
        var site = new TestSite()
            .Device("a", TestSite.Meter(), area: "north").Counter(period: 60)
            .Device("b", TestSite.Meter(), area: "south").Counter(period: 60)
            .Device("tie", new(MeterRole.Transfer, "a", false, false) { To = "b" }).Counter(period: 60).Counter("back", period: 60, method: "electricity-sold")
            .Build();
        var sink = new LedgerTap(site, new FeedEncoder(site, FeedHeads.Start(7), "1"));
        var pipeline = new Core.Pipeline(site, site.FactorsInForce, sink);
        for (var m = 0; m <= 61; m++)
        {
            var at = LedgerRig.Start + TimeSpan.FromMinutes(m);
            for (var p = 0; p < 4; p++)
            {
                var raw = 1000 + ((ulong)m * (p == 3 ? 7UL : 11UL + (ulong)p));
                pipeline.Process(new Sample(p, at, (double)(raw * 0.01m), raw, Quality.Good));
            }

            pipeline.Advance(at + TimeSpan.FromSeconds(2));
        }

        LedgerContent[] contents = [LedgerSite.Factors(site.FactorsInForce), LedgerSite.Configuration(site, pipeline, "test"), .. sink.Take()];
        var recomputed = Recompute(contents.Select((c, i) => LedgerJson.Read(LedgerJson.Write(new(i + 1, LedgerRig.Start, c)))));
        Assert.Null(recomputed.Difference);
        Assert.Equal(((long)contents.OfType<EmissionContent>().Count(), 0L), (recomputed.Agreed, recomputed.NotRecomputed));
        Assert.Contains(pipeline.CarbonSums, s => s.Parts.Any(p => p.PricedBy >= 0));
    }

    [Fact]
    public void Another_set_states_the_months_again_and_the_difference_names_both()
    {
        var to = Changed("0.8");
        var from = LedgerSite.Name(FactorSet.BuiltIn());
        var results = Restate(to, Day.Records).Results(from);
        var incomer = results.Single(r => r.Device == "incomer");
        var entries = Day.Records.Select(r => r.Content).OfType<EmissionContent>().Where(e => e is { Device: "incomer", Entry.Account: EmissionAccount.Device }).ToArray();
        Assert.Equal((from, LedgerSite.Name(to), "2026-03"), (incomer.From, incomer.To, incomer.Month.ToString()[..7]));
        Assert.Equal((entries.Length, entries.Sum(e => e.Mass), 0L), ((int)incomer.Entries, incomer.Before, incomer.Refused));
        Assert.Equal(entries.Sum(e => e.Activity), incomer.Activity);
        Assert.Equal((long)(incomer.Activity * 0.8m * 1_000_000m), incomer.After);
        Assert.True(incomer.CountsTowardSite);
        Assert.Equal(["fan", "incomer"], results.Select(r => r.Device));

        // By the set it was made with nothing changes.
        Assert.Empty(Restate(FactorSet.BuiltIn(), Day.Records).Results(from));
    }

    [Fact]
    public void A_second_restatement_begins_where_the_first_ended()
    {
        var (first, second) = (Changed("0.8"), Changed("0.5"));
        var one = Restate(first, Day.Records).Results(LedgerSite.Name(FactorSet.BuiltIn())).Single(r => r.Device == "incomer");

        // An hour more was entered by the first set after it.
        var later = new LedgerRig(first).Run(75).Records.Where(r => r.Content is EmissionContent).Select(r => r with { Number = r.Number + 10_000 });
        var all = Day.Records.Concat(later).ToArray();
        var extra = later.Select(r => r.Content).OfType<EmissionContent>().Where(e => e is { Device: "incomer", Entry.Account: EmissionAccount.Device }).Sum(e => e.Mass);
        var two = Restate(second, all, one).Results(LedgerSite.Name(first)).Single(r => r.Device == "incomer");
        Assert.Equal(one.After + extra, two.Before);
        Assert.Equal((long)(two.Activity * 0.5m * 1_000_000m), two.After);
    }

    [Fact]
    public void What_the_new_set_has_no_factor_for_stays_and_is_counted()
    {
        var (set, problems) = FactorSetLoader.Load(new SourceText("narrow.yaml", """
            schema: edgegateway/factors/1
            id: narrow
            version: 1
            title: One year only
            sources: { old: { text: Old, from: 2020-01-01T00:00:00Z, to: 2021-01-01T00:00:00Z } }
            regions: { CN-SX: { name: Shanxi } }
            factors: [{ of: electricity, region: CN-SX, source: old, value: 0.9, unit: kg/(kW.h), status: verified }]
            """));
        Assert.True(set is not null, string.Join('\n', problems));
        Assert.Empty(Restate(set, Day.Records).Results(LedgerSite.Name(FactorSet.BuiltIn())));
    }

    [Fact]
    public void What_was_entered_after_the_factor_had_run_out_has_its_mass_when_a_set_has_one_again()
    {
        var (set, problems) = FactorSetLoader.Load(new SourceText("ending.yaml", """
            schema: edgegateway/factors/1
            id: ending
            version: 1
            title: Ends at nine
            sources: { old: { text: Old, from: "2026-01-01T00:00:00Z", to: "2026-03-01T09:00:00Z" } }
            regions: { CN-SX: { name: Shanxi } }
            factors: [{ of: electricity, region: CN-SX, source: old, value: 0.7, unit: kg/(kW.h), status: verified }]
            """));
        Assert.True(set is not null, string.Join('\n', problems));
        var records = new LedgerRig(set).Run(130).Records.ToArray();
        var entries = records.Select(r => r.Content).OfType<EmissionContent>().Where(e => e is { Device: "incomer", Entry.Account: EmissionAccount.Device }).ToArray();
        var without = entries.Where(e => e.Entry.Start >= Instant.Parse("2026-03-01T09:00:00Z")).ToArray();
        Assert.Equal(4, without.Length);
        Assert.All(without, e => Assert.Equal((true, 0L, 0d, "none"), (e.Activity > 0, e.Mass, e.Entry.Coverage, e.Entry.FactorId)));
        Assert.All(without, e => Assert.Contains("has no 'electricity' that holds at", e.Entry.FactorNote, StringComparison.Ordinal));
        Assert.Null(Recompute(records).Difference);
        var restated = Restate(FactorSet.BuiltIn(), records).Results(LedgerSite.Name(set)).Single(r => r.Device == "incomer");
        Assert.Equal((entries.Sum(e => e.Activity), 0L), (restated.Activity, restated.Refused));
        Assert.Equal((long)(restated.Activity * 0.7096m * 1_000_000m), restated.After);
    }

    [Fact]
    public void Declared_entries_are_no_part_of_the_total_of_bought_electricity()
    {
        var day = Recompute(Day.Records);
        var declared = Recompute(Day.Records.SelectMany(WithDeclared));
        var totals = Day.Records.Count(r => r.Content is EmissionContent { Entry.Account: EmissionAccount.Site });
        Assert.Null(declared.Difference);
        Assert.Equal((day.Agreed, 2L * totals), (declared.Agreed, declared.NotRecomputed));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void More_than_the_registers_say_stands_where_it_is_allocated(bool isAllocated)
    {
        var target = FanEntries().ElementAt(7);
        var entry = ((EmissionContent)target.Content).Entry;
        var activity = entry.ActivityKWh + 0.5m;
        var (mass, _) = LedgerRecomputer.Weigh(activity, entry.FactorKgPerKWh, entry.Carried);
        var recomputed = Recompute(UpTo(target, entry with { ActivityKWh = activity, Milligrams = mass, Allocated = isAllocated }));
        Assert.Equal(isAllocated, recomputed.Difference is null);
        Assert.Equal(isAllocated ? 1 : 0, recomputed.FromActivity);
    }

    [Theory]
    [InlineData(0.0, null)]
    [InlineData(1.0, "names the factor none")]
    public void No_factor_stands_where_nothing_is_covered(double coverage, string? expected)
    {
        var target = FanEntries().ElementAt(7);
        var entry = ((EmissionContent)target.Content).Entry with { ActivityKWh = 0, Milligrams = 0, FactorId = "none", FactorKgPerKWh = 0, Coverage = coverage, StartReading = null, EndReading = null };
        var difference = Recompute(UpTo(target, entry)).Difference;
        Assert.Equal(expected is null, difference is null);
        Assert.Contains(expected ?? "", difference?.What ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("electricity-purchased", "mixed")]
    [InlineData("electricity-purchased", "adapted/2026-03-01T08:00:00Z")]
    [InlineData("electricity-market", "cn-mee-2022/electricity.residual/CN")]
    public void What_no_factor_set_gives_is_neither_recomputed_nor_restated(string method, string factor)
    {
        var records = Day.Records.Select(r => r.Content switch
        {
            ConfigurationContent c => r with { Content = c with { Accounts = [.. c.Accounts.Select(a => a.Device == "fan" ? a with { Method = method, Model = a.Model with { Method = method } } : a)] } },
            EmissionContent { Device: "fan", Entry.Account: EmissionAccount.Device } e => r with { Content = e with { Entry = e.Entry with { Method = method, FactorId = factor, Milligrams = e.Entry.Milligrams + 5 } } },

            // What remains of the incomer beside the fan: recomputed from both.
            EmissionContent { Entry.Account: EmissionAccount.Remainder } e => r with { Content = e with { Entry = e.Entry with { Milligrams = e.Entry.Milligrams - 5 } } },
            _ => r,
        }).ToArray();
        var recomputed = Recompute(records);
        Assert.Null(recomputed.Difference);
        Assert.Equal(FanEntries().Count(), recomputed.NotRecomputed);
        Assert.Equal(["incomer"], Restate(Changed("0.8"), records).Results(LedgerSite.Name(FactorSet.BuiltIn())).Select(r => r.Device));
    }

    [Theory]
    [InlineData("site/wind-1")]
    [InlineData("adapted/2026-03-01T08:00:00Z")]
    public void What_is_not_restated_is_counted(string factor)
    {
        var target = FanEntries().First();
        var content = (EmissionContent)target.Content;
        var records = Day.Records.Select(r => r.Number == target.Number ? r with { Content = content with { Entry = content.Entry with { FactorId = factor } } } : r);
        var fan = Restate(Changed("0.8"), records).Results(LedgerSite.Name(FactorSet.BuiltIn())).Single(r => r.Device == "fan");
        Assert.Equal((FanEntries().Count(), 1L), ((int)fan.Entries, fan.Refused));
    }

    private static IEnumerable<LedgerRecord> FanEntries() => Day.Records.Where(r => r.Content is EmissionContent { Device: "fan", Entry.Account: EmissionAccount.Device });

    /// <summary>A record; where it is the site's total, with a declared entry before it and the total of what is declared after it.</summary>
    private static IEnumerable<LedgerRecord> WithDeclared(LedgerRecord record)
    {
        if (record.Content is not EmissionContent { Entry.Account: EmissionAccount.Site } total)
        {
            yield return record;
            yield break;
        }

        var boiler = total.Entry with { Account = EmissionAccount.Device, Method = "fuel-combustion", Scope = 1, Milligrams = 1000, CountsTowardSite = true };
        yield return record with { Content = total with { Device = "boiler", Entry = boiler } };
        yield return record;
        yield return record with { Content = total with { Entry = total.Entry with { Method = "scope-1", Scope = 1, Milligrams = 1000 } } };
    }

    /// <summary>The records up to one, which has another entry.</summary>
    private static IEnumerable<LedgerRecord> UpTo(LedgerRecord target, EmissionRecord entry) =>
        Day.Records.Where(r => r.Number < target.Number).Append(target with { Content = (EmissionContent)target.Content with { Entry = entry } });

    private static LedgerRestater Restate(FactorSet to, IEnumerable<LedgerRecord> records, params RestatementContent[] earlier)
    {
        var restater = new LedgerRestater(to, earlier);
        foreach (var record in records)
        {
            restater.Take(record);
        }

        return restater;
    }
}
