using System.Buffers;
using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.State;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Integration.Storage;
using EdgeGateway.Ledgers;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Gateway;

/// <summary>The ledger of the real commit loop over a real store, on clocks that the test moves: what is lost or changed is said, and nothing is entered twice.</summary>
public sealed class LedgerLoopTests : IAsyncLifetime
{
    private const string Burnt = "{ method: fuel-combustion, activity: mass, fuel: ipcc-residual-fuel-oil, uncertaintyPercent: 1, adapt: { mass: stack, least: 2500, most: 3500, massUncertaintyPercent: 5, systematicPercent: 2, driftPercentPerDay: 0.1 } }";

    private const string Once = """
        { method: electricity-market, activity: bought, instruments: [{ name: wind, kWh: 40, from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z" }] }
              - { method: sf6-balance, year: 2025, begin: 120, end: 95, acquired: 40, disbursed: 10, capacityGrowth: 30, gwp: AR6 }
        """;

    private GatewaySite _site = null!;

    public async Task InitializeAsync() => _site = await GatewaySite.ServeAsync(Text(Burnt), Mosquitto.FreePort(), profiles: PlantProfile.Source);

    public async Task DisposeAsync() => await _site.DisposeAsync();

    private static string Text(string carbon) => $$"""
        schema: edgegateway/gateway/1
        site: { id: mine, timezone: UTC, region: CN-SX }
        gateway: { id: gw-1 }
        storage: { directory: data, budget: 64MiB, commitWindow: 1s, checkpoint: 60s }
        windows: [15m]
        health: off
        buses: [{ id: bus, type: modbus-tcp, host: 127.0.0.1, port: {bus}, timeout: 1s }]
        devices:
          - id: boiler
            profile: plant
            bus: bus
            unit: 1
            samples: all
            carbon:
              - {{carbon}}
        uplinks:
          - { id: centre, type: mqtt, servers: ["mqtt://127.0.0.1:{broker}"] }
        """;

    private string Database => Path.Combine(_site.Store, "gateway.db");

    /// <summary>1.2 t are burnt in an hour, and the stack shows 3300 kg for each; 2 kWh are bought in a minute.</summary>
    private static IEnumerable<(string Point, ulong Raw)> Plant(int minute) => [("mass", (ulong)minute * 20), ("stack", (ulong)minute * 66), ("bought", (ulong)minute * 2)];

    private HeldClockTests.Rig Begin(string carbon)
    {
        _site.Configure(Text(carbon));
        return new(_site.Load(), HeldClockTests.Boot, HeldClockTests.Truth, synchronised: true);
    }

    private List<string> Bodies() => [.. LedgerSource.Open(_site.Store).Lines().Select(l => System.Text.Encoding.ASCII.GetString(l.Body.Span))];

    private List<LedgerRecord> Records() => [.. LedgerSource.Open(_site.Store).Lines().Select(l => l.Record)];

    private List<EmissionRecord> Entries(string method) =>
        [.. Records().Select(r => r.Content).OfType<EmissionContent>().Select(e => e.Entry).Where(e => e.Account == EmissionAccount.Device && e.Method == method)];

    private (LedgerVerdict Verdict, List<LedgerRecord> Records) Verify() => TestStore.Ledger(_site.Store, LedgerKeyFile.TryLoad(_site.Store));

    private SampleLogRecomputer Recompute()
    {
        var log = new SampleLogRecomputer(Database);
        log.Replay(CancellationToken.None);
        foreach (var record in Records())
        {
            log.Take(record);
        }

        return log;
    }

    [Fact]
    public async Task A_factor_learnt_for_another_fuel_is_forgotten_and_the_feed_and_the_ledger_say_so()
    {
        using var rig = Begin(Burnt);
        await rig.FeedAsync(6 * 60, Plant);
        var order = new Control.AccountOrderDocument { Device = "boiler", Action = "approve", Reason = "audited" };
        Assert.Null(await rig.DoAsync(loop => loop.OrderAsync(
            pipeline => Control.AccountDocuments.Apply(pipeline, order, "maria"), now => Control.AccountDocuments.Record(order, "maria", now), (pipeline, now) => Control.AccountDocuments.Entry(pipeline, order, "maria", now))));
        await rig.FeedAsync(60, Plant);
        Assert.StartsWith("adapted/", Entries("fuel-combustion")[^1].FactorId, StringComparison.Ordinal);

        // What a person decided is in no sample: such entries are counted, not compared, and so are totals with them in.
        var log = Recompute();
        Assert.Null(log.Difference);
        var adapted = Entries("fuel-combustion").Count(e => e.FactorId.StartsWith("adapted/", StringComparison.Ordinal));
        Assert.True(adapted >= 3);
        Assert.Equal(2 * adapted, log.NotCompared);
        Assert.Equal(Records().Count(r => r.Content is EmissionContent), log.Agreed + log.NotCompared);

        _site.Configure(Text(Burnt.Replace("ipcc-residual-fuel-oil", "cn-diesel", StringComparison.Ordinal)));
        rig.Kill(HeldClockTests.Boot, site: _site.Load());
        await rig.FeedAsync(31, Plant);
        var told = rig.Health("factor-decision").Single(r => r.GetProperty("fields").GetProperty("action").GetString() == "forget");
        Assert.Contains("learnt for one t of ipcc-residual-fuel-oil, and the account is of t of cn-diesel now. maria had approved", told.GetProperty("text").GetString(), StringComparison.Ordinal);
        var decisions = Records().Select(r => r.Content).OfType<DecisionContent>().ToList();
        Assert.Equal([("approve", "maria"), ("forget", "")], decisions.Select(d => (d.Action, d.Who)));
        Assert.Equal(decisions[0].Factor, decisions[1].Factor);
        Assert.StartsWith("cn-guideline/fuel.cn-diesel", Entries("fuel-combustion")[^1].FactorId, StringComparison.Ordinal);
        rig.Kill(HeldClockTests.Boot);
        await rig.FeedAsync(1, Plant);
        Assert.Equal(2, Records().Count(r => r.Content is DecisionContent));
        Assert.Null(rig.Salvage);
    }

    [Fact]
    public async Task Balances_and_instruments_are_entered_once_also_when_a_salvage_has_no_state()
    {
        using var rig = Begin(Once);
        await rig.FeedAsync(16, Plant);
        var balance = Assert.Single(Entries("sf6-balance"));
        Assert.Equal((28m, "site/wind"), (Entries("electricity-market")[0].ActivityKWh, Entries("electricity-market")[0].FactorId));
        Assert.Null(Recompute().Difference);
        Assert.Equal(2, Recompute().NotCompared);

        rig.Kill(HeldClockTests.Boot, meanwhile: () => Damage("DELETE FROM checkpoint; DELETE FROM log WHERE number < 5"));
        Assert.NotNull(rig.Salvage);
        await rig.FeedAsync(46, Plant);
        Assert.Equal(balance, Assert.Single(Entries("sf6-balance")));
        Assert.True(Entries("electricity-market").Count >= 3);

        // 28 of 40 were used before.
        Assert.Equal(12m, Entries("electricity-market").Skip(1).SelectMany(MarketUse).Sum());
    }

    /// <summary>Damages the store so that the next opening salvages it.</summary>
    private void Damage(string sql) => Sql.Execute(Database, $"{sql}; UPDATE head SET crc = crc + 1 WHERE name = 'row'");

    // Those covered whole have the instrument's id, those in part name it in their note.
    private static IEnumerable<decimal> MarketUse(EmissionRecord entry) => entry.FactorId == "site/wind" ? [entry.ActivityKWh]
        : entry.FactorNote is { } note && note.IndexOf(" kWh by wind", StringComparison.Ordinal) is > 0 and var end ? [decimal.Parse(note.AsSpan(0, end), provider: System.Globalization.CultureInfo.InvariantCulture)] : [];

    [Fact]
    public async Task A_ledger_lost_in_a_salvage_begins_anew_and_says_so()
    {
        using var rig = Begin(Burnt);
        await rig.FeedAsync(31, Plant);
        var before = Verify().Verdict;
        rig.Kill(HeldClockTests.Boot, meanwhile: () => Damage("DELETE FROM ledger; DELETE FROM head WHERE name = 'ledger'"));
        Assert.NotNull(rig.Salvage);
        await rig.FeedAsync(16, Plant);
        var (verdict, records) = Verify();
        Assert.Null(before.Fault);
        Assert.Null(verdict.Fault);
        Assert.Contains($"new does not go on from old: it begins anew, because the ledger before was lost with its store. Neither proves what was entered between record {before.Last} of", Commands.LedgerCommand.Joint("old", before, "new", verdict), StringComparison.Ordinal);
        Assert.Contains("what both hold", Commands.LedgerCommand.Joint("old", before, "old again", before), StringComparison.Ordinal);
        Assert.Equal(LedgerKind.Opening, records[0].Content.Kind);
        var gap = Assert.IsType<GapContent>(records[1].Content);
        Assert.StartsWith("This ledger begins anew. The store was damaged (", gap.Cause, StringComparison.Ordinal);
        Assert.Contains(rig.Salvage.SetAside, gap.Cause, StringComparison.Ordinal);
        Assert.Equal((1L, true), (gap.First, gap.Last > 0));
        Assert.Equal(2, Assert.Single(verdict.Gaps).Number);

        // Once: the next start finds a ledger.
        rig.Kill(HeldClockTests.Boot);
        await rig.FeedAsync(1, Plant);
        Assert.Single(Records(), r => r.Content is GapContent);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Another_version_that_makes_other_records_goes_on_and_the_same_one_is_salvaged(bool isOther)
    {
        using var rig = Begin(Burnt);
        await rig.FeedAsync(20, Plant);
        void Restart() => rig.Kill(HeldClockTests.Boot, meanwhile: () =>
        {
            // As one that made a summary more of the same samples.
            using var db = EdgeGateway.Storage.Database.OpenForSalvage(Database);
            var summaries = Head(db, HeadName.Streams[(byte)FeedStream.Summary]);
            new HeadTable(db).Save(summaries with { B = summaries.B + 1 });
            if (isOther)
            {
                MadeByAnother(db);
            }
        });
        if (!isOther)
        {
            Assert.Equal(StoreFailure.Damaged, Assert.Throws<StoreException>(Restart).Failure);
            rig.Kill(HeldClockTests.Boot);
            Assert.NotNull(rig.Salvage);
            return;
        }

        Restart();
        await rig.FeedAsync(1, Plant);
        Assert.Single(rig.Health("configuration"), r => r.GetProperty("text").GetString()!.StartsWith("Another version of the program", StringComparison.Ordinal));

        // Its first commit has a checkpoint: what the version before committed is not read again.
        rig.Kill(HeldClockTests.Boot);
        await rig.FeedAsync(40, Plant);
        Assert.Null(rig.Salvage);
        Assert.DoesNotContain(Records(), r => r.Content is GapContent);
        Assert.Single(rig.Health("configuration"));
    }

    private static HeadEntry Head(Database db, string name)
    {
        using var all = db.Once(HeadTable.Select);
        while (all.Step())
        {
            Assert.True(HeadTable.TryRead(all, out var entry));
            if (entry.Name == name)
            {
                return entry;
            }
        }

        throw new InvalidOperationException($"There is no head '{name}'.");
    }

    private static void MadeByAnother(Database db)
    {
        var ledger = Head(db, HeadName.Ledger);
        new HeadTable(db).Save(ledger with { Text = ledger.Text!.Replace(ProgramVersion.Text, "0.0.1", StringComparison.Ordinal) });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Another_version_that_reads_the_registers_otherwise_goes_on_and_the_same_one_is_salvaged(bool isOther)
    {
        _site.Configure(Text(Burnt).Replace("checkpoint: 60s", "checkpoint: 1h", StringComparison.Ordinal));
        using var rig = new HeldClockTests.Rig(_site.Load(), HeldClockTests.Boot, HeldClockTests.Truth, synchronised: true);
        await rig.FeedAsync(20, Plant);
        var before = Bodies();
        void Restart() => rig.Kill(HeldClockTests.Boot, meanwhile: () =>
        {
            using var db = EdgeGateway.Storage.Database.OpenForSalvage(Database);
            ReadOtherwise(db);
            if (isOther)
            {
                MadeByAnother(db);
            }
        });
        if (!isOther)
        {
            Assert.Contains("makes other values of its registers", Assert.Throws<StoreException>(Restart).Message, StringComparison.Ordinal);
            rig.Kill(HeldClockTests.Boot);
            Assert.NotNull(rig.Salvage);
            return;
        }

        Restart();
        Assert.Null(rig.Salvage);
        await rig.FeedAsync(1, Plant);
        Assert.Contains("other values of the same registers", Assert.Single(rig.Health("configuration")).GetProperty("text").GetString(), StringComparison.Ordinal);

        // Told once; nothing is missing and nothing is entered again.
        rig.Kill(HeldClockTests.Boot);
        await rig.FeedAsync(40, Plant);
        Assert.Null(rig.Salvage);
        Assert.Single(rig.Health("configuration"));
        Assert.Equal(before, Bodies().Take(before.Count));
        Assert.DoesNotContain(Records(), r => r.Content is GapContent);
        var entries = Entries("fuel-combustion");
        Assert.Equal(entries.Count, entries.DistinctBy(e => e.Start).Count());
        Assert.All(entries.Zip(entries.Skip(1)), e => Assert.Equal(e.First.EndReading, e.Second.StartReading));
        Assert.Null(Verify().Verdict.Fault);
    }

    /// <summary>Writes the sample log anew as a program would that makes other values of the same registers.</summary>
    private void ReadOtherwise(Database db)
    {
        var valueOf = StateRecovery.ValueOf(_site.Load().Model);
        double Otherwise(int point, ulong raw) => valueOf(point, raw) + 1;
        List<(long Number, byte[] Body)> rows = [];
        using (var all = db.Once("SELECT number, body FROM log ORDER BY number"))
        {
            while (all.Step())
            {
                var samples = new Sample[64];
                Assert.NotEqual(FrameStatus.CrcMismatch, InputBatchCodec.TryDecode(all.Bytes(1), Otherwise, ref samples, out var batch));
                var body = new ArrayBufferWriter<byte>();
                InputBatchCodec.Encode(batch, Otherwise, body);
                rows.Add((all.Long(0), body.WrittenSpan.ToArray()));
            }
        }

        foreach (var (number, body) in rows)
        {
            using var write = db.Once("UPDATE log SET body = ?2 WHERE number = ?1");
            write.Bind(1, number).Bind(2, body).Run();
        }
    }

    [Fact]
    public void What_is_to_be_removed_after_its_years_is_looked_for_again_when_it_could_not_be_read()
    {
        var model = _site.Load().Model;
        using var store = SqliteStore.Open(model.Storage, [TestStore.Destination], new TestClock());
        _ = store.Recover();
        var path = new LocalPath(model, FeedHeads.Start(1)) { ReadLog = store.ReadBatches };
        var asked = new List<Instant>();
        var keeper = new LedgerKeeper(store, model, path, null, before =>
        {
            asked.Add(before);
            return asked.Count > 2 ? null : throw new StoreException(StoreFailure.Io, "the disk is slow");
        });
        keeper.Announce(path);
        var at = Instant.Parse("2026-03-01T12:00:00Z");
        string? Commit(Instant now)
        {
            var batch = new CommitBatch { ValueOf = StateRecovery.ValueOf(model) };
            keeper.Pack(path, now, batch);
            store.Commit(batch);
            keeper.Committed();
            return keeper.Progress.Problem;
        }

        Assert.Null(Commit(at));
        Assert.Empty(asked);

        // The day is sealed, and the next commits ask until they are answered.
        Assert.Contains("could not be read: the disk is slow", Commit(at + TimeSpan.FromDays(1)), StringComparison.Ordinal);
        Assert.NotNull(Commit(at + TimeSpan.FromDays(1) + TimeSpan.FromSeconds(1)));
        Assert.Null(Commit(at + TimeSpan.FromDays(1) + TimeSpan.FromSeconds(2)));
        Assert.Null(Commit(at + TimeSpan.FromDays(1) + TimeSpan.FromSeconds(3)));
        Assert.Equal(3, asked.Count);
        Assert.All(asked, before => Assert.Equal("2016-03-02", before.ToString()[..10]));
    }

    [Fact]
    public async Task A_row_that_rots_is_told_once_at_the_start_or_by_the_full_check()
    {
        using var rig = Begin(Burnt);
        await rig.FeedAsync(50, Plant);
        Assert.Null(rig.Loop.Ledger.Problem);
        Assert.Equal(Records()[^1].Number, rig.Loop.Ledger.Last);
        Assert.Equal(16, rig.Loop.Ledger.Key[..16].Length);
        Assert.Null(rig.Loop.Ledger.SealedDay);
        var rows = Sql.Long(Database, "SELECT count(*) FROM ledger");
        Assert.True(rows > 3);

        // By the full check, while it runs.
        Rot("(SELECT first FROM ledger ORDER BY first LIMIT 1 OFFSET 1)");
        var check = rig.CheckAsync();
        await rig.PassAsync(check);
        Assert.Contains("on are not what was written in the ledger", (await check).Finding, StringComparison.Ordinal);
        await rig.FeedAsync(1, Plant);
        Assert.Equal(1, Gaps());
        Assert.Contains("not what was written", rig.Loop.Ledger.Problem, StringComparison.Ordinal);
        var second = rig.CheckAsync();
        await rig.PassAsync(second);
        Assert.DoesNotContain("ledger", (await second).Finding, StringComparison.Ordinal);

        // At a start, and not at the next ones.
        rig.Kill(HeldClockTests.Boot, meanwhile: () => Rot("(SELECT first FROM ledger ORDER BY first LIMIT 1 OFFSET 2)"));
        await rig.FeedAsync(1, Plant);
        Assert.Equal(2, Gaps());
        for (var start = 0; start < 2; start++)
        {
            rig.Kill(HeldClockTests.Boot);
            await rig.FeedAsync(1, Plant);
            Assert.Equal(2, Gaps());
            Assert.Contains("not what was written", rig.Loop.Ledger.Problem, StringComparison.Ordinal);
        }

        Assert.Null(rig.Salvage);
    }

    private void Rot(string row) => Sql.Execute(Database, $"UPDATE ledger SET body = CAST(x'00' || substr(body, 2) AS BLOB) WHERE first = {row}");

    // Rows are read one by one: the export of a ledger with a rotten row ends there.
    private long Gaps() => Sql.Long(Database, "SELECT count(*) FROM ledger WHERE packed = 0 AND instr(CAST(body AS TEXT), 'are not what was written') > 0");

    [Fact]
    public async Task The_status_names_the_last_record_and_the_sealed_day()
    {
        using var rig = Begin(Burnt);
        await rig.FeedAsync(17 * 60, Plant);
        var ledger = rig.Loop.Ledger;
        Assert.Equal(Records()[^1].Number, ledger.Last);
        Assert.Equal("2026-03-01", ledger.SealedDay.ToString()![..10]);
        Assert.Equal(Records().Select(r => r.Content).OfType<SealContent>().Single().Last, ledger.SealedThrough);
        rig.Kill(HeldClockTests.Boot);
        Assert.Equal(ledger with { LastAt = null }, rig.Loop.Ledger with { LastAt = null });
        Assert.NotNull(rig.Loop.Ledger.LastAt);
        Assert.Equal(
            "record 9 of 2026-03-02 01:00:00Z, sealed through 2026-03-01 (record 7), key 0123456789abcdef; rot",
            Commands.StatusCommand.Say(new Control.LedgerStatusDocument { LastRecord = 9, LastAt = new(2026, 3, 2, 1, 0, 0, TimeSpan.Zero), SealedDay = new(2026, 3, 1), SealedThrough = 7, Key = "0123456789abcdef0123", Problem = "rot" }));
    }
}
