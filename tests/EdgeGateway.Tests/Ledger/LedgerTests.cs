using System.Security.Cryptography;
using System.Text;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Ledger;

/// <summary>The chain, its seals, and an export that is checked alone.</summary>
public class LedgerTests
{
    // Two days: the second begins at 00:00 UTC, 16 hours after the start.
    private static readonly LedgerRig Two = new LedgerRig().Run((17 * 60) + 10);

    [Fact]
    public void An_entry_is_in_the_ledger_as_it_was_published_with_what_recomputing_needs()
    {
        var entries = Two.Records.Where(r => r.Content is EmissionContent { Entry.Account: EmissionAccount.Device, Device: "incomer" }).ToArray();
        var (first, second) = ((EmissionContent)entries[0].Content, (EmissionContent)entries[1].Content);
        Assert.Equal((2.38m, 1_688_848L, 0m), (first.Activity, first.Mass, first.Entry.Carried)); // 14 steps of 0.17 kWh at 0.7096 kg
        Assert.Equal((2.55m, 10.00m, 12.38m), (second.Activity, first.Entry.StartReading!.Value, first.Entry.EndReading!.Value));
        Assert.Equal((7L, 1L, FactorSet.BuiltIn().ContentHash), (first.Epoch, first.Sequence, first.FactorSet));
        Assert.Equal(("cn-mee-2022/CN-SX", "electricity-purchased", 1d), (first.Entry.FactorId, first.Entry.Method, first.Entry.Coverage));
    }

    [Fact]
    public void The_hour_of_a_stack_reads_back_with_its_entry()
    {
        var entry = ExampleFeed.StackEmission with { Device = -1 };
        var body = LedgerJson.Write(new(5, ExampleFeed.Noon, new EmissionContent { Device = "stack", Entry = entry, FactorSet = "f", Epoch = 1, Sequence = 2 }));
        var read = LedgerJson.Read(body);
        var stack = ((EmissionContent)read.Content).Entry.Detail!.Stack!;
        Assert.Equal(entry.Detail!.Stack!.OperatingTime, stack.OperatingTime);
        Assert.Equal(entry.Detail.Stack.Quantities, stack.Quantities);
        Assert.Equal(body, LedgerJson.Write(read));
    }

    [Fact]
    public void A_record_reads_back_as_it_was_written()
    {
        var at = Instant.Parse("2026-03-01T08:15:02.125Z");
        var set = new FactorSetName("set", 3, new string('a', 64));
        LedgerContent[] contents =
        [
            new OpeningContent("gw", "AA=="),
            new KeyContent("AA==", "lost"),
            new FactorsContent("set", 3, set.Hash, "{\"a\":\"ü\"}"),
            new EmissionContent
            {
                Device = "d", FactorSet = set.Hash, Epoch = 1_790_000_000, Sequence = 12, IsClockUnset = true,
                Entry = new()
                {
                    Device = -1, Account = EmissionAccount.Device, Start = at, Width = TimeSpan.FromMinutes(15), Era = 2, Method = "co2-injected", Scope = 1, ActivityKWh = 0, Milligrams = 0, FactorId = "site/x", FactorKgPerKWh = 0,
                    FactorNote = "year 2022 for 2026", UncertaintyPercent = double.NaN, Coverage = 1d / 3, StartReading = 1.10m, EndReading = null, StartRaw = ulong.MaxValue, EndRaw = 0, CountsTowardSite = false, Allocated = true,
                    Cut = WindowCut.Loss, Carried = 0.123456789012345678901234m, Detail = new(0.0010m, "t", 997.5m, "CO2", null, 5),
                },
            },
            new RestatementContent
            {
                From = set, To = set with { Version = 4 }, Device = "d", Method = "m", Month = Instant.Parse("2026-03-01T00:00:00Z"), Entries = 4, Refused = 1, Activity = 1.50m, Before = 10, After = 7, IsRemoval = false, CountsTowardSite = true,
                Through = 99,
            },
            new CalibrationContent { Device = "cems", Point = "so2", Action = "span", At = at, Reference = 400.0m, Found = 396.5m, Unit = "mg/m3", Passed = true, Who = "li", Text = "drift 0.9 %" },
            new AlarmContent { Alarm = "d.p.x", Change = "raised", State = "unacknowledged", Priority = "high", Since = at, At = at, Device = "d", Point = "p", Text = "过载 \"x\"" },
            new GapContent("why", 3, 5, 9),
            new SealContent("gw", Instant.Parse("2026-03-01T00:00:00Z"), 1, 9, new string('0', 64), new string('1', 64)),
            new ClosingContent("gw", 9, new string('1', 64), "years"),
        ];
        foreach (var content in contents)
        {
            var body = LedgerJson.Write(new(5, at, content));
            Assert.All(body, b => Assert.InRange(b, (byte)0x20, (byte)0x7e));
            var read = LedgerJson.Read(body);
            Assert.Equal((5L, at), (read.Number, read.Time));
            Assert.Equal(content, read.Content);
            Assert.Equal(body, LedgerJson.Write(read));
            Assert.True(new LedgerLine(body, default).Is(content.Kind));
        }
    }

    [Fact]
    public void A_configuration_reads_back_with_all_that_its_accounts_need()
    {
        var model = new CarbonModel("fuel-combustion", 1)
        {
            Fuel = "cn-diesel", VolumeCelsius = 20, Measured = new(58.1m, 99m, 2.5, "laboratory"), PurityPercent = 99.5m, Factor = "ipcc", GwpSet = "AR6", Gas = "CH4", ActivityPercent = 1.5,
        };
        var content = new ConfigurationContent("hash", "site", "1.0", "set", [new("d", "fuel-combustion", "CN-SX", "t", true) { Point = "mass", PerUnit = 0.001m, Model = model }]);
        var body = LedgerJson.Write(new(2, LedgerRig.Start, content));
        var read = (ConfigurationContent)LedgerJson.Read(body).Content;
        Assert.Equal(body, LedgerJson.Write(new(2, LedgerRig.Start, read)));
        Assert.Equal(model with { Points = read.Accounts[0].Model.Points }, read.Accounts[0].Model);
    }

    [Fact]
    public void Links_and_root_are_what_other_tools_make_of_the_bytes()
    {
        var link = new byte[32];
        var leaves = new List<byte[]>();
        foreach (var line in Two.Lines)
        {
            if (line.Is(LedgerKind.Seal))
            {
                var seal = (SealContent)line.Record.Content;
                Assert.Equal((1L, (long)leaves.Count), (seal.First, seal.Last));
                Assert.Equal(Convert.ToHexStringLower(link), seal.Head);
                Assert.Equal(Convert.ToHexStringLower(Root(leaves)), seal.Root);
                Assert.Equal("2026-03-01", seal.Day.ToString()[..10]);
                using var key = ECDsa.Create();
                key.ImportFromPem(LedgerRig.Key.PublicPem);
                Assert.True(key.VerifyData(line.Body.Span, line.Signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
                return;
            }

            link = SHA256.HashData([.. link, .. line.Body.Span]);
            leaves.Add(SHA256.HashData([0, .. line.Body.Span]));
        }

        Assert.Fail("the first day was not sealed");
    }

    // RFC 6962, 2.1, as it is written there.
    private static byte[] Root(List<byte[]> leaves)
    {
        if (leaves.Count == 1)
        {
            return leaves[0];
        }

        var k = 1;
        while (k * 2 < leaves.Count)
        {
            k *= 2;
        }

        return SHA256.HashData([1, .. Root(leaves[..k]), .. Root(leaves[k..])]);
    }

    [Fact]
    public void The_tree_of_certificate_transparency_has_the_roots_that_its_test_vectors_give()
    {
        // The leaves and roots of the reference implementation of RFC 6962 (google/certificate-transparency, merkletree tests).
        string[] inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        (int Count, string Root)[] roots =
        [
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"), (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"), (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        foreach (var (count, root) in roots)
        {
            var tree = new MerkleTree();
            foreach (var input in inputs.Take(count))
            {
                tree.Add(MerkleTree.Leaf(Convert.FromHexString(input)));
            }

            Assert.Equal(root, Convert.ToHexStringLower(tree.Root()));
        }
    }

    [Fact]
    public void Every_leaf_of_every_tree_is_proven_and_no_other_place_is()
    {
        for (var count = 1; count <= 33; count++)
        {
            List<byte[]> leaves = [.. Enumerable.Range(0, count).Select(i => MerkleTree.Leaf(BitConverter.GetBytes(i)))];
            var root = Root(leaves);
            for (var i = 0; i < count; i++)
            {
                var path = MerkleTree.Path(leaves, i);
                Assert.Equal(root, MerkleTree.RootOf(leaves[i], i, count, path));
                if (count > 1)
                {
                    Assert.NotEqual(root, MerkleTree.RootOf(leaves[i], (i + 1) % count, count, path) ?? []);
                }

                Assert.Null(MerkleTree.RootOf(leaves[i], i, count, [.. path, root]));
            }
        }
    }

    [Fact]
    public void An_export_is_as_it_was_written_and_signed_to_its_end()
    {
        var verdict = LedgerRig.Verify(Two.Export(), LedgerRig.Key.PublicKey);
        Assert.Null(verdict.Fault);
        Assert.Equal((Two.Lines.Count, 1L, true, true), ((int)verdict.Records, verdict.Seals, verdict.IsFooterSigned, verdict.IsTrusted));
        Assert.Equal(Two.Records.First(r => r.Content is SealContent).Number - 1, verdict.SealedThrough);
        Assert.False(LedgerRig.Verify(Two.Export(isSigned: false)).IsFooterSigned);
        Assert.False(LedgerRig.Verify(Two.Export()).IsTrusted);
        using var again = new MemoryStream(Two.Export());
        Assert.Equal(Two.Records.Select(r => r.Number), LedgerExport.Read(again).Select(r => r.Number));
    }

    [Fact]
    public void Hours_of_a_stack_pass_and_checks_of_its_analysers_are_entered()
    {
        var site = new TestSite().Device("stack", TestSite.Meter()).Counter(period: 60).Build();
        var encoder = new FeedEncoder(site, FeedHeads.Start(7), "1");
        var tap = new LedgerTap(site, encoder);
        tap.Calibration(new()
        {
            Device = 0, Gas = "so2", Time = LedgerRig.Start, Level = "span", Unit = "mg/m3", Reference = 500, Measured = 512, Error = 2.4m, Result = TestResult.Failed, Who = "li",
        });
        tap.CemsHour(new()
        {
            Device = 0, Start = LedgerRig.Start, Width = TimeSpan.FromHours(1), Era = 0, Cut = WindowCut.None, Rules = CemsRules.Hj75, Revision = 1, IsFinal = true, OperatingTime = 1, Quantities = [],
        });
        var entered = Assert.IsType<CalibrationContent>(Assert.Single(tap.Take()));
        Assert.Equal(("stack", "span", 500m, 512m, "mg/m3", false, "li", "so2: FAILED"), (entered.Device, entered.Action, entered.Reference, entered.Found, entered.Unit, entered.Passed, entered.Who, entered.Text));
        Assert.Equal(3, encoder.Next(FeedStream.Cems));
    }

    [Fact]
    public void The_key_of_somebody_else_is_not_trusted() =>
        Assert.Contains("none of those given", LedgerRig.Verify(Two.Export(), DeviceKey.Create().PublicKey).Fault!.What, StringComparison.Ordinal);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void One_byte_changed_anywhere_into_any_other_is_found_and_its_record_named(int seed)
    {
        var chance = new Random(seed);

        // A small factor set: its record is hashed again for each byte.
        var (set, problems) = FactorSetLoader.Load(new("small.yaml", """
            schema: edgegateway/factors/1
            id: small
            version: 1
            title: Small
            sources: { s: { text: S } }
            regions: { CN-SX: { name: Shanxi } }
            factors: [{ of: electricity, region: CN-SX, source: s, value: 0.7096, unit: kg/(kW.h), status: verified }]
            """));
        Assert.True(set is not null, string.Join('\n', problems));
        var rig = new LedgerRig(set).Run(17).Append(new GapContent("x", 0, 0, 0));
        var next = rig.Export();
        var starts = new List<int> { 0 };
        for (var i = 0; i < next.Length - 1; i++)
        {
            if (next[i] == (byte)'\n')
            {
                starts.Add(i + 1);
            }
        }

        for (var at = 0; at < next.Length; at++)
        {
            var line = starts.FindLastIndex(s => s <= at) + 1;
            var record = line == 1 || line == starts.Count ? (long?)null : line - 1;
            var was = next[at];
            next[at] ^= (byte)chance.Next(1, 256);
            var fault = LedgerRig.Verify(next).Fault;

            // What became the end of a line makes two of the footer: the first of them is read as a record, or as a footer where the second says nothing.
            var became = next[at];
            var isSplit = became == (byte)'\n' && line == starts.Count;
            next[at] = was;
            Assert.True(fault is not null, $"byte {at} of line {line} became {became:x2}, and nobody noticed");
            Assert.True(fault.Line == line && (fault.Record == record || (isSplit && fault.Record == line - 1)), $"byte {at} of line {line} became {became:x2}, found was {fault}");
        }
    }

    [Fact]
    public void A_flipped_bit_in_a_seal_or_its_signature_is_found()
    {
        var export = Two.Export();
        var text = Encoding.ASCII.GetString(export);
        var at = text.IndexOf("\"kind\":\"seal\"", StringComparison.Ordinal);
        var (start, end) = (text.LastIndexOf('\n', at) + 1, text.IndexOf('\n', at));
        var number = Two.Records.First(r => r.Content is SealContent).Number;
        for (var i = start; i <= end; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                export[i] ^= (byte)(1 << bit);
                Assert.Equal(number, LedgerRig.Verify(export).Fault?.Record);
                export[i] ^= (byte)(1 << bit);
            }
        }
    }

    [Fact]
    public void A_line_that_was_taken_out_put_in_or_left_off_is_found()
    {
        var lines = Encoding.ASCII.GetString(Two.Export()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(9, Fault([.. lines[..9], .. lines[10..]])!.Record);
        Assert.Equal(10, Fault([.. lines[..10], lines[9], .. lines[10..]])!.Record);
        Assert.Contains("ends before its footer", Fault(lines[..^1])!.What, StringComparison.Ordinal);
        Assert.Contains("ends before its footer", Fault(lines[..^4])!.What, StringComparison.Ordinal);
        Assert.Equal("the file is empty", Fault([])!.What);
        Assert.NotNull(Fault([.. lines, lines[^1]]));

        static LedgerFault? Fault(string[] lines) => LedgerRig.Verify(Encoding.ASCII.GetBytes(string.Concat(lines.Select(l => l + "\n")))).Fault;
    }

    [Fact]
    public void Somebody_who_writes_the_whole_chain_anew_cannot_sign_it()
    {
        // Every hash is right; only the seal is of another key.
        var header = LedgerRig.Header;
        var other = DeviceKey.Create();
        List<LedgerLine> forged = [];
        var chain = new LedgerChain(LedgerRig.Gateway, other, LedgerHead.Start, []);
        foreach (var record in Two.Records.Where(r => r.Content is not SealContent))
        {
            chain.Append(record.Time, record.Content is EmissionContent { Device: "incomer" } e ? e with { Entry = e.Entry with { Milligrams = 1 } } : record.Content);
        }

        forged.AddRange(chain.TakeRows().SelectMany(r => LedgerLine.Split(r.Lines)));
        using var output = new MemoryStream();
        LedgerExport.Write(header, forged, other, output);
        Assert.Contains("signature", LedgerRig.Verify(output.ToArray(), LedgerRig.Key.PublicKey).Fault!.What, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_contents_at_the_same_times_give_the_same_chain_also_over_a_restart()
    {
        var whole = new LedgerRig().Run(17 * 60);
        Assert.Equal(new LedgerRig().Run(17 * 60).Chain.Head.ToArray(), whole.Chain.Head.ToArray());

        // Cut anywhere, and gone on from what was stored: the records after the last seal, and where the chain stood.
        foreach (var cut in new[] { 1, 2, 40, whole.Lines.Count - 3 })
        {
            var link = LedgerLink.Start.ToArray();
            foreach (var line in whole.Lines.Take(cut))
            {
                link = LedgerLink.Of(link, line.Body.Span);
            }

            var open = whole.Lines.Take(cut).Reverse().TakeWhile(l => !l.Is(LedgerKind.Seal)).Reverse();
            var resumed = new LedgerChain(LedgerRig.Gateway, LedgerRig.Key, new LedgerHead(cut + 1, link), open);
            foreach (var record in whole.Lines.Skip(cut).Select(l => l.Record).Where(r => r.Content is not SealContent))
            {
                resumed.Append(record.Time, record.Content);
            }

            Assert.Equal((whole.Chain.Next, Convert.ToHexString(whole.Chain.Head.Span)), (resumed.Next, Convert.ToHexString(resumed.Head.Span)));
        }
    }

    [Fact]
    public void A_clock_that_goes_back_a_day_seals_too_and_the_chain_stays_whole()
    {
        var rig = new LedgerRig().Run(20);
        rig.Chain.Append(LedgerRig.Start - TimeSpan.FromDays(1), new GapContent("the clock was set back", 0, 0, 0));
        rig.Append(new GapContent("and forth", 0, 0, 0));
        Assert.Equal(2, LedgerRig.Verify(rig.Export()).Seals);
        Assert.Null(LedgerRig.Verify(rig.Export()).Fault);
    }

    [Fact]
    public void An_entry_is_proven_by_its_path_to_the_sealed_root_and_by_nothing_else()
    {
        var number = Two.Records.First(r => r.Content is EmissionContent { Device: "fan" }).Number;
        var (proof, problem) = LedgerProof.Make(number, Two.Lines, LedgerRig.Key.PublicKey);
        Assert.Null(problem);
        var read = LedgerProof.FromJson(proof!.ToJson())!;
        Assert.Null(read.Check([LedgerRig.Key.PublicKey]));
        Assert.Contains("none of those given", read.Check([DeviceKey.Create().PublicKey]), StringComparison.Ordinal);
        var body = read.Record.ToArray();
        body[^3] ^= 1;
        Assert.NotNull((read with { Record = body }).Check([]));
        Assert.NotNull((read with { Index = read.Index + 1 }).Check([]));
        Assert.NotNull((read with { Count = read.Count + 1 }).Check([]));
        var seal = read.Seal.Body.ToArray();
        seal[20] ^= 1;
        Assert.NotNull((read with { Seal = read.Seal with { Body = seal } }).Check([]));
        Assert.Contains("not sealed yet", LedgerProof.Make(Two.Lines.Count, Two.Lines, LedgerRig.Key.PublicKey).Problem, StringComparison.Ordinal);
        Assert.Contains("no record 100000", LedgerProof.Make(100_000, Two.Lines, LedgerRig.Key.PublicKey).Problem, StringComparison.Ordinal);
        Assert.Null(LedgerProof.FromJson("{}"u8.ToArray()));
    }
}
