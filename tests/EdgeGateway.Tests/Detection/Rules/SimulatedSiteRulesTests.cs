using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection.Rules;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator;
using EdgeGateway.Tests.LocalPath;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Tests.Simulator;

namespace EdgeGateway.Tests.Detection.Rules;

/// <summary>The rules on the simulated mine of the demonstration, as they find their points by themselves.</summary>
public class SimulatedSiteRulesTests
{
    private static readonly Instant Start = Rig.At("2026-03-02T08:00:00Z");

    [Fact]
    public void A_mine_without_a_fault_is_quiet_for_half_a_day()
    {
        var mine = new Mine(5);
        mine.Run(12 * 3_600);
        Assert.Equal("", string.Join("\n", mine.Findings.Select(f => f.Text)));
    }

    [Fact]
    public void A_meter_that_falls_silent_is_one_finding()
    {
        var mine = new Mine(6);
        mine.Run(600);
        mine.Silence("lighting");
        mine.Run(300);
        Assert.Equal("gap", Assert.Single(mine.Findings).Detector);
    }

    /// <summary>The site, its simulation and the pipeline, without wires between them.</summary>
    private sealed class Mine
    {
        private readonly SimulatedSite _simulation;
        private readonly Rig _rig;
        private readonly HashSet<int> _dead = [];
        private int _second;

        public Mine(ulong seed)
        {
            var profiles = RepositoryFiles.Profiles.ToDictionary(f => Path.GetFileNameWithoutExtension(f), f => f);
            var (model, problems) = SiteLoader.Load(
                new SourceText("gateway.yaml", File.ReadAllText(RepositoryFiles.At("docs/examples/mine/gateway.yaml"))),
                id => profiles.TryGetValue(id, out var file) ? new SourceText(Path.GetFileName(file), File.ReadAllText(file)) : null,
                knownProfiles: profiles.Keys);
            Assert.Empty(problems);
            _simulation = new SimulatedSite(model!, seed, new SteppedTime(Start.ToDateTimeOffset()));
            _rig = new Rig(model!, transcribes: false);
        }

        public List<AnomalyRecord> Findings => [.. _rig.Anomalies.Where(a => RuleTable.ByName.ContainsKey(a.Detector))];

        public void Silence(string device) => _dead.Add(_rig.Site.Devices.Single(d => d.Id == device).Index);

        public void Run(int seconds)
        {
            var words = new ushort[125];
            for (var end = _second + seconds; _second < end; _second++)
            {
                var now = Start + TimeSpan.FromSeconds(_second);
                _simulation.Step(now);
                foreach (var point in _rig.Site.Points)
                {
                    var period = (int)Math.Max(1, point.Period.TotalSeconds);
                    if (point.Period <= TimeSpan.Zero || point.Kind == PointKind.Text || _second % period != 0)
                    {
                        continue;
                    }

                    if (_dead.Contains(point.DeviceIndex))
                    {
                        _rig.Pipeline.Process(Sample.Missing(point.Index, now, QualityReason.Timeout));
                        continue;
                    }

                    var length = _simulation.Words(point.Index, words);
                    var status = RegisterCodec.Decode(point.Encoding, words.AsSpan(0, length), out var value, out var raw);
                    _rig.Pipeline.Process(status == DecodeStatus.Ok ? new Sample(point.Index, now, value, raw, Quality.Good) : Sample.Missing(point.Index, now, QualityReason.InvalidCode));
                }

                _rig.Pipeline.Advance(now);
                if (_second % 600 == 0)
                {
                    _rig.Summaries.Clear();
                    _rig.Samples.Clear();
                    _rig.Emissions.Clear();
                }
            }
        }
    }
}
