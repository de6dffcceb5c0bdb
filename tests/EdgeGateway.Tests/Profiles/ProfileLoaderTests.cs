using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Tests.Configuration;

namespace EdgeGateway.Tests.Profiles;

public class ProfileLoaderTests
{
    [Fact]
    public void Phases_are_expanded_with_their_addresses_ids_and_roles()
    {
        var profile = Load(Texts.Profile);
        var phases = profile.Points.Where(p => p.Id.StartsWith("voltage", StringComparison.Ordinal)).ToList();
        Assert.Equal(["voltage_l1_n", "voltage_l2_n", "voltage_l3_n"], phases.Select(p => p.Id));
        Assert.Equal(["electricity.voltage.l1_n", "electricity.voltage.l2_n", "electricity.voltage.l3_n"], phases.Select(p => p.Role));
        Assert.Equal([0, 2, 4], phases.Select(p => (int)p.Encoding.Address));
        Assert.All(phases, p => Assert.Equal([0xFFFFFFFFUL], p.Encoding.Invalid));
        Assert.All(phases, p => Assert.True(p.AppliesPt && !p.AppliesCt));
    }

    [Fact]
    public void Blocks_become_detectors_counters_and_carbon()
    {
        var profile = Load(Texts.Profile);
        var limit = Assert.Single(Point(profile, "voltage_l1_n").Detectors);
        Assert.Equal(("limit", 207, 253, 10), (limit.Name, limit.Settings["low"], limit.Settings["high"], limit.Settings["holdSeconds"]));

        var power = Point(profile, "active_power_total");
        Assert.Equal(["spike", "stuck"], power.Detectors.Select(d => d.Name).Order());
        Assert.Equal(4, power.Detectors.Single(d => d.Name == "spike").Settings["factor"]);
        Assert.Equal(600, power.Detectors.Single(d => d.Name == "stuck").Settings["windowSeconds"]);
        Assert.Equal(TimeSpan.FromSeconds(1), power.Period);

        var energy = Point(profile, "active_energy_import_total");
        Assert.Equal(PointKind.Counter, energy.Kind);
        Assert.Equal(42_949_672.96m, energy.Counter!.RolloverAt);
        Assert.Equal(50m / 3600, energy.Counter.MaxRatePerSecond);
        Assert.Equal(new CarbonModel("electricity-purchased", 2), energy.Carbon);
        Assert.Equal('B', profile.Grade);
    }

    [Fact]
    public void A_device_that_shows_export_as_positive_is_turned_round()
    {
        var profile = Load(Texts.Profile.With("poll: fast, anomaly", "sign: export-positive, poll: fast, anomaly"));
        RegisterCodec.Decode(Point(profile, "active_power_total").Encoding, [0xFFFF, 0xFC18], out var value, out _);
        Assert.Equal(10, value);
    }

    [Fact]
    public void Bits_of_a_word_may_lie_on_the_word_and_states_have_names()
    {
        var profile = Load(Texts.Profile.With("selfTest:", """
              - { id: status, at: 40, type: uint16, role: device.status, enum: { 0: stopped, 1: running, 0xFFFF: fault }, source: [manual] }
              - { id: running, at: 40, type: bit, bit: 3, role: drive.running, enum: { 0: off, 1: on }, source: [manual] }
            selfTest:
            """));
        Assert.Equal("fault", Point(profile, "status").Symbols![65_535]);
        Assert.Equal(PointKind.State, Point(profile, "running").Kind);
        Assert.Equal(3, Point(profile, "running").Encoding.Bit);
    }

    [Fact]
    public void Points_share_a_scale_register_that_comes_in_their_request()
    {
        var profile = Load(Texts.Profile.With("selfTest:", """
              - { id: current, perPhase: [l1, l2, l3], at: 40, stride: 1, type: int16, scaleAt: 43, unit: A, role: electricity.current, invalid: 0x8000, source: [manual] }
            selfTest:
              - { point: current_l1, words: [123], scale: -1, value: 12.3 }
              - { point: current_l3, words: [0x8000], scale: -1, quality: invalid }
              - { point: current_l3, words: [1], scale: 11, quality: bad-scale }
            """));
        Assert.Equal([new RegisterSpan(40, 4), new RegisterSpan(41, 3), new RegisterSpan(42, 2)], profile.Points.Where(p => p.Encoding.ScaleAt == 43).Select(p => p.Encoding.Span));
    }

    [Fact]
    public void Texts_dates_digits_and_flags_are_points()
    {
        var profile = Load(Texts.Profile.With("wordOrder: high-first }", "wordOrder: low-first }").With("selfTest:", """
              - { id: serial, at: 40, type: text, length: 4, role: device.serial_number, source: [manual] }
              - { id: made, at: 44, type: datetime, form: bcd-3, clock: local, unit: s, role: device.manufactured, poll: once, source: [manual] }
              - { id: clock, at: 47, type: uint32, clock: utc, unit: s, role: device.clock, source: [manual] }
              - { id: energy, at: 50, type: mod10, length: 4, unit: W.h, role: electricity.energy.active.export, counter: { rolloverAt: width, resets: user }, source: [manual] }
              - { id: status, at: 54, type: uint16, role: device.status, flags: { 0: over voltage, 3: phase missing }, source: [manual] }
              - { id: mode, at: 54, type: uint16, bits: 8..9, role: device.status, enum: { 0: off, 3: on }, source: [manual] }
            selfTest:
              - { point: serial, words: [0x4142, 0x3132, 0, 0], text: AB12 }
              - { point: made, words: [0x2611, 0x2216, 0x2126], value: 1795364486 }
              - { point: made, words: [0, 0, 0], quality: bad-date }
              - { point: energy, words: [264, 6356, 43, 0], value: 4363560264 }
              - { point: energy, words: [10000, 0, 0, 0], quality: bad-digits }
              - { point: mode, words: [0x0301], value: 3 }
            """));
        Assert.Equal((PointKind.Text, TimeSpan.Zero, WordOrder.HighFirst), (Point(profile, "serial").Kind, Point(profile, "serial").Period, Point(profile, "serial").Encoding.WordOrder));
        Assert.Equal((TimeForm.Bcd, true), (Point(profile, "made").Encoding.TimeForm, Point(profile, "made").Encoding.IsLocalTime));
        Assert.Equal(10_000_000_000_000_000m, Point(profile, "energy").Counter!.RolloverAt);
        Assert.Equal("phase missing", Point(profile, "status").Flags![3]);
        Assert.Equal((8, 2), (Point(profile, "mode").Encoding.Bit, Point(profile, "mode").Encoding.BitCount));
    }

    [Fact]
    public void A_negative_invalid_code_stands_for_its_image()
    {
        var profile = Load(Texts.Profile.With("type: int32, scale: 0.01,", "type: int32, scale: 0.01, invalid: [-1, 0x7FFFFFFF],"));
        Assert.Equal([0xFFFF_FFFFUL, 0x7FFF_FFFFUL], Point(profile, "active_power_total").Encoding.Invalid);
    }

    [Fact]
    public void Points_with_two_sources_each_make_grade_A()
    {
        var text = Texts.Profile.With("ref: Test manual }", "ref: Test manual }\n  other: { type: code, ref: some/repository }").With("source: [manual]", "source: [manual, { id: other, line: 7 }]");
        Assert.Equal('A', Load(text).Grade);
    }

    [Fact]
    public void Every_role_alias_and_unit_is_unique()
    {
        Assert.Equal(Roles.All.Count, Roles.All.Select(r => r.Name).Distinct().Count());
        var aliases = Roles.All.Where(r => r.Alias is not null).Select(r => r.Alias).ToList();
        Assert.Equal(aliases.Count, aliases.Distinct().Count());
        Assert.Equal(Units.All.Count, Units.All.Select(u => u.Code).Distinct().Count());
        Assert.All(Units.All.Where(u => u.Offset == 0).GroupBy(u => u.Dimension), g => Assert.Equal(1, g.First().Factor));
        Assert.All(Roles.All, r => Assert.Contains(Units.All, u => r.Dimensions.Contains(u.Dimension)));
    }

    private static DeviceProfile Load(string text)
    {
        var (profile, problems) = ProfileProblemTests.Load(text);
        Assert.Equal("", string.Join("\n", problems));
        return profile!;
    }

    private static ProfilePoint Point(DeviceProfile profile, string id) => profile.Points.Single(p => p.Id == id);
}
