using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Simulator;

/// <summary>Every profile of the repository is served: what its registers decode to is what the model says, as fine as the register can show.</summary>
public sealed class ProfileImageTests
{
    public static TheoryData<string> Ids()
    {
        var ids = new TheoryData<string>();
        foreach (var file in Files().Keys.Order(StringComparer.Ordinal))
        {
            ids.Add(file);
        }

        return ids;
    }

    [Theory, MemberData(nameof(Ids))]
    public void Registers_decode_back_to_what_the_model_says(string id)
    {
        var model = SiteOf(id);
        var site = new SimulatedSite(model, 21, new SteppedTime());
        var words = new ushort[125];
        for (var i = 0; i < 40; i++)
        {
            site.Step(site.Begin + TimeSpan.FromSeconds(17 * i));
            foreach (var point in model.Points)
            {
                var length = site.Words(point.Index, words);
                Assert.Equal(point.Encoding.Span.Length, length);
                if (point.Kind == PointKind.Text)
                {
                    Assert.NotEqual("", RegisterText.Decode(point.Encoding, words.AsSpan(0, length)));
                    continue;
                }

                Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(point.Encoding, words.AsSpan(0, length), out var value, out var raw));
                if (point.Kind == PointKind.Counter)
                {
                    var entry = site.Ledger(point.Index);
                    Assert.Equal(raw, entry.Raw);
                    Assert.InRange(entry.Reading - entry.Shown, 0, StepOf(point.Encoding, (double)entry.Reading, raw));
                }
                else
                {
                    Assert.Equal(site.Value(point.Index), value, (double)StepOf(point.Encoding, value, raw));
                }
            }
        }
    }

    [Theory, MemberData(nameof(Ids))]
    public void Values_stay_inside_what_the_profile_believes(string id)
    {
        var model = SiteOf(id);
        for (var hour = 0; hour < 24; hour++)
        {
            var site = new SimulatedSite(model, 21, new SteppedTime(new DateTimeOffset(2026, 3, 2, hour, 0, 0, TimeSpan.Zero)));
            site.Step(site.Begin + TimeSpan.FromSeconds(100));
            foreach (var point in model.Points.Where(p => p.Kind == PointKind.Gauge))
            {
                var value = site.Value(point.Index);
                Assert.True(value >= (point.PlausibleMin ?? value) && value <= (point.PlausibleMax ?? value), $"{point.Id} = {value}");
            }
        }
    }

    [Theory, MemberData(nameof(Ids))]
    public void The_device_answers_the_questions_for_its_type(string id)
    {
        var model = SiteOf(id);
        var site = new SimulatedSite(model, 21, new SteppedTime());
        foreach (var probe in model.Devices[0].Profile.Identify)
        {
            var words = new ushort[probe.Encoding.Length];
            Assert.True(site.TryRead(0, probe.Encoding.Table, site.FirstRegister(0) + probe.Encoding.Address, words));
            Assert.Equal(DecodeStatus.Ok, RegisterCodec.Decode(probe.Encoding, words, out var value, out var raw));
            Assert.True(probe.AnyOf.Count == 0 || probe.AnyOf.ContainsKey(raw), $"0x{probe.Encoding.Address:X4} = 0x{raw:X}");
            Assert.True(value >= (probe.Min ?? value) && value <= (probe.Max ?? value), $"0x{probe.Encoding.Address:X4} = {value}");
        }
    }

    [Fact]
    public void The_demonstration_mine_loads_and_its_model_knows_every_measured_role()
    {
        var (model, problems) = SiteLoader.Load(
            new("gateway.yaml", File.ReadAllText(RepositoryFiles.At("docs/examples/mine/gateway.yaml"))), Find);
        Assert.Empty(problems);
        Assert.NotNull(model);
        var site = new SimulatedSite(model, 1, new SteppedTime());
        string[] unknown = ["drive.pid", "device.pid", "signal.", "analyser.", "conveyor.load_cell", "vibration.kurtosis", "vibration.crest_factor"];
        foreach (var point in model.Points.Where(p => p.Kind == PointKind.Gauge && !unknown.Any(u => p.Role.StartsWith(u, StringComparison.Ordinal))))
        {
            Assert.True(site.SignalOf(point.Index).Quantity != EdgeGateway.Simulator.Signals.Quantity.Neutral, $"{model.Devices[point.DeviceIndex].Id}.{point.Id} ({point.Role})");
        }

        var (script, scriptProblems) = EdgeGateway.Simulator.Faults.FaultScript.Parse(
            new("tour.yaml", File.ReadAllText(RepositoryFiles.At("docs/examples/mine/tour.yaml"))));
        Assert.Empty(scriptProblems);
        site.Run(script!);
        site.Step(site.Begin + TimeSpan.FromMinutes(10));

        var text = site.Describe();
        Assert.All((string[])["ventilation fan", "belt conveyor", "lighting", "boiler stack"], what => Assert.Contains(what, text));
    }

    // A float's step is its distance to the next float; an integer's is its scale.
    private static decimal StepOf(RegisterEncoding encoding, double value, ulong raw)
    {
        var number = (value - (double)encoding.Offset) / (double)encoding.Scale;
        return encoding.Type switch
        {
            RegisterType.Float32 => ((decimal)Math.Max(1e-9, MathF.BitIncrement(Math.Abs((float)number)) - Math.Abs((float)number)) * Math.Abs(encoding.Scale)) + 1e-9m,
            RegisterType.Float64 => 1e-6m,
            RegisterType.DateTime => 1,
            _ => RegisterCodec.StepOf(encoding, raw),
        };
    }

    internal static SiteModel SiteOf(string id, string settings = "")
    {
        var metering = Files()[id].Contains("role: electricity_purchased", StringComparison.Ordinal) ? ", metering: { role: incomer }" : "";
        var pulses = Files()[id].Contains("applies: [pulses]", StringComparison.Ordinal) ? ", pulsesPerUnit: 1000" : "";
        var (model, problems) = SiteLoader.Load(
            new("gateway.yaml", $$"""
                schema: edgegateway/gateway/1
                site: { id: test, timezone: UTC, region: CN }
                gateway: { id: test }
                buses: [{ id: tcp, type: modbus-tcp, host: 127.0.0.1, port: 15502 }]
                devices: [{ id: device, profile: {{id}}, bus: tcp, unit: 1{{metering}}{{pulses}}{{settings}} }]
                """),
            Find);
        return model ?? throw new InvalidOperationException(string.Join('\n', problems));
    }

    private static SourceText? Find(string id) => Files().TryGetValue(id, out var text) ? new($"{id}.yaml", text) : null;

    private static Dictionary<string, string> Files() => RepositoryFiles.Profiles
        .ToDictionary(f => Path.GetFileNameWithoutExtension(f), File.ReadAllText);
}
