using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Ledger;

/// <summary>A small site whose pipeline writes a ledger: an incomer with two meters under it, one entry for each quarter of an hour.</summary>
internal sealed class LedgerRig
{
    public const string Gateway = "gw";

    public static readonly Instant Start = Instant.Parse("2026-03-01T08:00:00Z");

    /// <summary>One key for all: making one takes longer than a test.</summary>
    public static readonly DeviceKey Key = DeviceKey.Create();

    private readonly Core.Pipeline _pipeline;
    private readonly LedgerTap _tap;
    private readonly FeedEncoder _encoder;
    private readonly List<LedgerLine> _lines = [];
    private Instant _now = Start;
    private ulong _minute;

    public LedgerRig(FactorSet? factors = null, string hash = "test")
    {
        Site = new TestSite { Hash = hash }
            .Device("incomer", TestSite.Meter()).Counter(period: 60)
            .Device("fan", TestSite.Meter(MeterRole.Submeter, "incomer", counts: false)).Counter(period: 60)
            .Build() with { Factors = factors };
        _encoder = new FeedEncoder(Site, FeedHeads.Start(7), "1");
        _tap = new LedgerTap(Site, _encoder);
        _pipeline = new Core.Pipeline(Site, Site.FactorsInForce, _tap);
        Chain = new LedgerChain(Gateway, Key, LedgerHead.Start, []);
        Chain.Append(Start, new OpeningContent(Gateway, Key.PublicKey));
        Announce();
        Take();
    }

    public SiteModel Site { get; private set; }

    public LedgerChain Chain { get; }

    /// <summary>The lines so far.</summary>
    public IReadOnlyList<LedgerLine> Lines => _lines;

    public IEnumerable<LedgerRecord> Records => _lines.Select(l => l.Record);

    public static LedgerHeader Header => new(Gateway, Key.PublicKey, 0, LedgerLink.Text(LedgerLink.Start));

    /// <summary>Feeds so many minutes, with odd steps that leave parts of a milligram.</summary>
    public LedgerRig Run(int minutes)
    {
        for (var m = 0; m < minutes; m++, _minute++)
        {
            for (var p = 0; p < 2; p++)
            {
                var raw = 1000 + (_minute * (p == 0 ? 17UL : 3UL));
                _pipeline.Process(new Sample(p, _now, (double)(raw * 0.01m), raw, Quality.Good));
            }

            _pipeline.Advance(_now + TimeSpan.FromSeconds(2));
            Take();
            _now += TimeSpan.FromMinutes(1);
        }

        return this;
    }

    /// <summary>Appends what is given.</summary>
    public LedgerRig Append(LedgerContent content)
    {
        Chain.Append(_now, content);
        Take();
        return this;
    }

    public byte[] Export(bool isSigned = true)
    {
        using var output = new MemoryStream();
        LedgerExport.Write(Header, _lines, isSigned ? Key : null, output);
        return output.ToArray();
    }

    public static LedgerVerdict Verify(byte[] export, params string[] keys)
    {
        using var input = new MemoryStream(export);
        return new LedgerVerifier(keys).Verify(input);
    }

    private void Announce()
    {
        Chain.Append(_now, LedgerSite.Factors(Site.FactorsInForce));
        Chain.Append(_now, LedgerSite.Configuration(Site, _pipeline, "test"));
    }

    private void Take()
    {
        Chain.SealIfDue(_now);
        foreach (var content in _tap.Take())
        {
            Chain.Append(_now, content);
        }

        _ = _encoder.Flush(_now);
        _lines.AddRange(Chain.TakeRows().SelectMany(r => LedgerLine.Split(r.Lines)));
    }
}
