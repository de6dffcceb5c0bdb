using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Labelled;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Stating;

/// <summary>
/// Weeks of the simulated mine of <c>docs/examples/mine</c> as the export of a ledger: the simulator's registers through the gateway's own pipeline, without wires and waiting. Beside what the example has, its coal has an account
/// of methane after mining, the gateway declares its power, meters fall silent, and the gateway itself was off once.
/// </summary>
internal sealed class MineLedger : IFeedSink
{
    private static readonly TimeSpan Poll = TimeSpan.FromMinutes(1);
    private readonly SiteModel _site;
    private readonly LedgerChain _chain;
    private Instant _now;
    private long _sequence;

    private MineLedger(SiteModel site, DeviceKey key)
    {
        _site = site;
        _chain = new(site.GatewayId, key, LedgerHead.Start, []);
    }

    /// <summary>Writes <c>gateway.yaml</c>, <c>mine.ledger</c> and <c>mine.pem</c> into a folder.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="begin">First instant.</param>
    /// <param name="end">End, exclusive.</param>
    public static void Write(string folder, Instant begin, Instant end)
    {
        var text = File.ReadAllText(RepositoryFiles.At("docs/examples/mine/gateway.yaml"))
            .Replace("gateway: { id: gw-demo }", "gateway: { id: gw-demo, power: 6 W }", StringComparison.Ordinal)
            .Replace("      mass_total_1: { poll: 5s }\n", "      mass_total_1: { poll: 5s }\n    carbon:\n      - { method: post-mining-methane, activity: mass_total_1, factor: underground-post-mining.average, gwp: AR6, uncertaintyPercent: 0.5, factorUncertaintyPercent: 50 }\n", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "gateway.yaml"), text);
        var site = new SiteFiles([RepositoryFiles.At("device-profiles")]).Load(new SourceText("gateway.yaml", text), out var problems)
            ?? throw new InvalidOperationException(string.Join('\n', problems));

        // Only what is accounted is read, once a minute: the rest would cost time and change nothing.
        var accounted = site.Devices.SelectMany(d => d.Carbon.SelectMany(c => c.Points.Values.Select(p => (d.Index, p)))).ToHashSet();
        site = site with { Points = [.. site.Points.Select(p => p with { Period = p.Carbon is not null || accounted.Contains((p.DeviceIndex, p.Id)) ? Poll : TimeSpan.Zero })] };
        var key = DeviceKey.Create();
        File.WriteAllText(Path.Combine(folder, "mine.pem"), key.PublicPem);
        var mine = new MineLedger(site, key);
        mine.Run(begin, end);
        using var output = File.Create(Path.Combine(folder, "mine.ledger"));
        LedgerExport.Write(
            new(site.GatewayId, key.PublicKey, 0, LedgerLink.Text(LedgerLink.Start)),
            mine._chain.TakeRows().SelectMany(r => LedgerLine.Split(r.Lines)),
            key,
            output);
    }

    public void Emission(in EmissionRecord record) => _chain.Append(_now, new EmissionContent
    {
        Device = record.Device < 0 ? null : _site.Devices[record.Device].Id,
        Entry = record with { Device = -1 },
        FactorSet = FactorSet.BuiltIn().ContentHash,
        Epoch = 1,
        Sequence = ++_sequence,
    });

    public void Summary(in SummaryRecord record)
    {
    }

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

    private void Run(Instant begin, Instant end)
    {
        _now = begin;
        var factors = FactorSet.BuiltIn();
        _chain.Append(begin, new FactorsContent(factors.Id, factors.Version, factors.ContentHash, System.Text.Encoding.UTF8.GetString(factors.Canonical.Span)));
        _chain.Append(begin, new ConfigurationContent(_site.ConfigurationHash, _site.SiteId, "test", factors.ContentHash, []));
        var days = (int)(end - begin).TotalDays;
        var script = FaultScript.Parse(new SourceText("faults.yaml", $$"""
            - { at: {{Math.Max(1, (days - 9) * 24)}}h, device: lighting, kind: dead-meter, duration: 7h }
            - { at: {{Math.Max(20, (days - 4) * 24)}}h, device: belt-meter, kind: dead-meter, duration: 90m }
            """)).Script!;
        var (off, on) = (end - TimeSpan.FromHours(62), end - TimeSpan.FromHours(59));
        var pipeline = new Pipeline(_site, factors, this);
        var samples = new SimulatedSamples(_site, 1, begin, script);
        pipeline.Advance(begin);

        // An interval is closed by the time after it.
        while (samples.Now < end + Poll)
        {
            var taken = samples.Step();
            _now = samples.Now;
            if (_now >= off && _now < on)
            {
                continue; // The gateway has no power; the machines run on.
            }

            foreach (ref readonly var sample in taken)
            {
                pipeline.Process(sample);
            }

            if (_now.UnixMilliseconds % Poll.TotalMilliseconds == 0)
            {
                pipeline.Advance(_now);
            }
        }
    }
}
