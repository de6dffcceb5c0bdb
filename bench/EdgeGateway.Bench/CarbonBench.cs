using System.CommandLine;
using System.IO.Compression;
using System.Text;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator;

namespace EdgeGateway.Bench;

/// <summary>The carbon account and its ledger, in process: an entry, a year of a device in bytes, and how fast it is verified and computed again.</summary>
internal static class CarbonBench
{
    private const int Rounds = 5;
    private const int EntriesADay = 96;
    private const int HoursAYear = 8_760;

    public static Command Create()
    {
        var days = new Option<int>("--days") { Description = "Days of entries, every quarter of an hour.", DefaultValueFactory = _ => 365 };
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("carbon", "Cost of a ledger entry, ledger bytes per device-year, rates of verify and recompute.") { days, json };
        command.SetAction((result, _) =>
        {
            var report = new Report($"carbon: one device, an entry every 15 minutes for {result.GetValue(days)} days; medians of {Rounds} rounds, after one that does not count");
            Measure(report, result.GetValue(days));
            report.Print(result.GetValue(json));
            return Task.CompletedTask;
        });
        return command;
    }

    private static void Measure(Report report, int days)
    {
        var gateway = LoadDevice.Gateway(devices: 1, registers: 100, publishSamples: false);
        var (site, _) = SiteLoader.Load(gateway, _ => LoadDevice.Profile(100, TimeSpan.FromSeconds(1)));
        var key = DeviceKey.Create();
        var (append, verify, recompute) = (new List<double>(), new List<double>(), new List<double>());
        byte[] export = [];
        var packed = 0L;
        for (var round = 0; round <= Rounds; round++)
        {
            var (lines, appending) = Fill(site!, key, days);
            using var output = new MemoryStream();
            LedgerExport.Write(new(site!.GatewayId, key.PublicKey, 0, LedgerLink.Text(LedgerLink.Start)), lines, key, output);
            export = output.ToArray();
            packed = Packed(lines);

            using var input = new MemoryStream(export);
            var started = TimeProvider.System.GetTimestamp();
            var verdict = new LedgerVerifier(key.PublicKey).Verify(input);
            var verifying = TimeProvider.System.GetElapsedTime(started);

            var recomputer = new LedgerRecomputer();
            started = TimeProvider.System.GetTimestamp();
            foreach (var line in lines)
            {
                if (!line.Is(LedgerKind.Seal))
                {
                    recomputer.Take(line.Record);
                }
            }

            var recomputing = TimeProvider.System.GetElapsedTime(started);
            if (verdict.Fault is { } fault || recomputer.Difference is not null || recomputer.Agreed != days * EntriesADay)
            {
                throw new InvalidOperationException($"What was measured is wrong: {verdict.Fault?.What ?? recomputer.Difference?.What ?? $"{recomputer.Agreed} entries agree"}");
            }

            if (round > 0)
            {
                append.Add(appending.TotalMicroseconds / (days * EntriesADay));
                verify.Add(verdict.Records / verifying.TotalSeconds);
                recompute.Add(recomputer.Agreed / recomputing.TotalSeconds);
            }
        }

        var yearOf = 365.0 / days;
        report.Add("append an entry", Median(append), "us: record, link, leaf; seals of the days included");
        report.Add("ledger in the store", packed * yearOf / 1e6, "MB a device-year, sealed days deflated");
        report.Add("ledger as an export", export.Length * yearOf / 1e6, "MB a device-year, text");
        report.Add("verify", Median(verify), "records a second");
        report.Add("recompute", Median(recompute), "entries a second");
        report.Add("recompute a device-year of hourly entries", HoursAYear / Median(recompute), "s; wanted: less than 2");
        report.Add("recompute a device-year of quarters of an hour", 365 * EntriesADay / Median(recompute), "s");
    }

    /// <summary>A year as the gateway writes it; timed is what the ledger adds.</summary>
    private static (List<LedgerLine> Lines, TimeSpan Appending) Fill(SiteModel site, DeviceKey key, int days)
    {
        var encoder = new FeedEncoder(site, FeedHeads.Start(1), Roles.VocabularyVersion);
        var pipeline = new Pipeline(site, site.FactorsInForce, new LedgerTap(site, encoder));
        var account = pipeline.CarbonAccounts[0];
        var method = EmissionMethods.ByName[account.Method];
        var chain = new LedgerChain(site.GatewayId, key, LedgerHead.Start, []);
        var at = Instant.Parse("2026-01-01T00:00:00Z");
        chain.Append(at, new OpeningContent(site.GatewayId, key.PublicKey));
        chain.Append(at, LedgerSite.Factors(site.FactorsInForce));
        chain.Append(at, LedgerSite.Configuration(site, pipeline, "bench"));
        List<LedgerLine> lines = [];
        var (reading, carried, spent) = (1000m, 0m, TimeSpan.Zero);
        var random = new Random(7);
        for (var i = 0; i < days * EntriesADay; i++)
        {
            var growth = random.Next(100, 9_999) * 0.001m;
            var rate = method.Rate(account.Model, site.FactorsInForce, account.Region, at)!;
            var activity = growth * account.PerUnit!.Value;
            var (mass, left) = LedgerRecomputer.Weigh(activity, rate.KgCo2e, carried);
            var content = new EmissionContent
            {
                Device = account.Device, FactorSet = site.FactorsInForce.ContentHash, Epoch = 1_790_000_000, Sequence = i + 1,
                Entry = new()
                {
                    Device = 0, Account = EmissionAccount.Device, Start = at, Width = TimeSpan.FromMinutes(15), Era = 0, Method = account.Method, Scope = 2, ActivityKWh = activity, Milligrams = mass, FactorId = rate.FactorId,
                    FactorKgPerKWh = rate.KgCo2e, FactorNote = rate.Note, UncertaintyPercent = Uncertainty.Product(1, rate.UncertaintyPercent), Coverage = i % 50 == 0 ? 0.9875 : 1, StartReading = reading, EndReading = reading + growth,
                    StartRaw = (ulong)(reading * 1000), EndRaw = (ulong)((reading + growth) * 1000), CountsTowardSite = false, Allocated = false, Carried = carried,
                },
            };
            (reading, carried, at) = (reading + growth, left, at + TimeSpan.FromMinutes(15));
            var started = TimeProvider.System.GetTimestamp();
            chain.Append(at, content);
            var rows = chain.TakeRows();
            spent += TimeProvider.System.GetElapsedTime(started);
            lines.AddRange(rows.SelectMany(r => LedgerLine.Split(r.Lines)));
        }

        return (lines, spent);
    }

    /// <summary>Bytes of the days as the store packs them.</summary>
    private static long Packed(List<LedgerLine> lines)
    {
        var (bytes, day) = (0L, new MemoryStream());
        foreach (var line in lines)
        {
            day.Write(line.Body.Span);
            day.Write(Encoding.ASCII.GetBytes(line.Signature.IsEmpty ? "\n" : $" {Convert.ToBase64String(line.Signature.Span)}\n"));
            if (line.Is(LedgerKind.Seal))
            {
                using var packed = new MemoryStream();
                using (var deflate = new DeflateStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
                {
                    deflate.Write(day.GetBuffer().AsSpan(0, (int)day.Length));
                }

                bytes += packed.Length;
                day.SetLength(0);
            }
        }

        bytes += day.Length;
        day.Dispose();
        return bytes;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
