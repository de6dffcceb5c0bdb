using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Tests.Profiles;

/// <summary>Variants, printed numbers, titles, flags, SunSpec models and blanks.</summary>
public class ProfileFormatTests
{
    private const string Base = """
        schema: edgegateway/device-profile/1
        id: base
        kind: energy-meter
        vendor: Maker
        models: [M1]
        revision: 1
        title: { en: Meter M1 }
        wiring: { en: "Terminals 1 and 2", zh: "端子 1 和 2" }
        sources:
          manual: { type: document, ref: M1 manual, edition: 2024-03, page: 12-14 }
        transport:
          modbus: { maxRegistersPerRead: 64, minGapMs: 20, oneClientOnly: true }
        addressing: { holding: 40001 }
        defaults: { table: holding, wordOrder: high-first }
        identify:
          - { point: frequency, min: 45, max: 65 }
        points:
          - { id: frequency, at: 10, printed: 40011, type: uint16, scale: 0.01, unit: Hz, role: electricity.frequency, plausible: { min: 45, max: 65 }, source: [manual] }
          - { id: voltage, perPhase: [l1_n, l2_n, l3_n], at: 0, stride: 2, type: uint32, scale: 0.1, unit: V, role: electricity.voltage, source: [manual] }
          - { id: current_n, at: 20, type: uint32, unit: A, role: electricity.current.n, title: { en: Neutral conductor, zh: 中性线 }, source: [manual] }
          - id: status
            at: 30
            type: uint16
            role: device.status
            flags:
              0: running
              3: { name: phase missing, severity: alarm, title: { en: A phase is missing, zh: 缺相 } }
              5: { name: contact, severity: warning, when: 0, holdFor: 2s }
            source: [manual]
        selfTest:
          - { point: frequency, words: [5000], value: 50 }
          - { point: voltage_l1_n, words: [0, 2305], value: 230.5 }
          - { point: current_n, words: [0, 3], value: 3 }
        quirks: [first]

        """;

    private const string Variant = """
        schema: edgegateway/device-profile/1
        id: variant
        extends: base
        models: [M2]
        revision: 4
        title: { en: Meter M2 }
        remove: [current_n]
        transport: { modbus: { maxRegistersPerRead: 32 } }
        points:
          - { id: voltage, scale: 0.01 }
          - { id: power, at: 40, type: int32, unit: W, role: electricity.power.active, source: [manual] }
        selfTest:
          - { point: voltage_l1_n, words: [0, 23050], value: 230.5 }
        quirks: [second]

        """;

    [Fact]
    public void A_profile_states_how_it_is_wired_and_where_its_document_is()
    {
        var profile = Load(Base).Profile!;
        Assert.Equal(("Terminals 1 and 2", "端子 1 和 2", true), (profile.WiringEnglish, profile.WiringChinese, profile.OneClientOnly));
        Assert.Equal(("M1 manual", "2024-03", "12-14"), (profile.Sources["manual"].Reference, profile.Sources["manual"].Edition, profile.Sources["manual"].Page));
    }

    [Fact]
    public void A_point_without_a_title_is_named_by_its_role_in_both_languages()
    {
        var points = Load(Base).Profile!.Points.ToDictionary(p => p.Id);
        Assert.Equal(("Voltage L1-N", "电压 L1-N"), (points["voltage_l1_n"].TitleEnglish, points["voltage_l1_n"].TitleChinese));
        Assert.Equal(("Neutral conductor", "中性线"), (points["current_n"].TitleEnglish, points["current_n"].TitleChinese));
        Assert.Equal(("Grid frequency", "频率"), (points["frequency"].TitleEnglish, points["frequency"].TitleChinese));
    }

    [Fact]
    public void A_flag_with_a_severity_is_a_finding_and_a_name_alone_is_none()
    {
        var status = Load(Base).Profile!.Points.Single(p => p.Id == "status");
        Assert.Equal("running", status.Flags![0]);
        Assert.Equal([(3, "phase missing", true, "A phase is missing", "缺相"), (5, "contact", false, "contact", null)], status.Alarms.Select(a => (a.Bit, a.Name, a.IsAlarm, a.TitleEnglish, a.TitleChinese)));
        Assert.Equal(["flag", "flag"], status.Detectors.Select(d => d.Name));
        Assert.Equal((5.0, 1.0, 1.0, 2.0), (status.Detectors[1].Settings["bit"], status.Detectors[1].Settings["severity"], status.Detectors[1].Settings["opens"], status.Detectors[1].Settings["holdSeconds"]));
    }

    [Fact]
    public void A_variant_takes_over_what_it_does_not_say()
    {
        var (profile, problems) = Load(Variant);
        Assert.Empty(problems);
        Assert.Equal(("variant", "energy-meter", "Maker", "M2", 4, "base"), (profile!.Id, profile.Kind, profile.Vendor, profile.Models.Single(), profile.Revision, profile.Extends));
        Assert.Equal((32, TimeSpan.FromMilliseconds(20), true), (profile.MaxRegistersPerRead, profile.MinGap, profile.OneClientOnly));
        Assert.Equal(["frequency", "voltage_l1_n", "voltage_l2_n", "voltage_l3_n", "status", "power"], profile.Points.Select(p => p.Id));
        Assert.Equal((0.01m, RegisterType.UInt32, (ushort)2), (profile.Points[2].Encoding.Scale, profile.Points[2].Encoding.Type, profile.Points[2].Encoding.Address));
        Assert.Equal(["first", "second"], profile.Quirks);

        // The extended profile's test of the changed point and of the removed one are not taken over.
        Assert.Equal([("frequency", 50.0), ("voltage_l1_n", 230.5)], profile.SelfTests.Select(t => (t.Point, t.Value!.Value)));
    }

    [Fact]
    public void What_is_wrong_in_an_extended_profile_names_both_files()
    {
        var problem = Assert.Single(Load(Variant, Base.Replace("unit: Hz", "unit: hertz", StringComparison.Ordinal)).Problems);
        Assert.Equal(("base.yaml", 18), (problem.File, problem.Line));
        Assert.Contains("met in variant.yaml, which extends this file", problem.What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("extends: base", "extends: bass", "there is no device profile 'bass' to extend")]
    [InlineData("remove: [current_n]", "remove: [curent_n]", "'curent_n' cannot be removed: base.yaml has no such point")]
    [InlineData("extends: base", "extends: variant", "'variant' extends this profile itself (variant.yaml, variant.yaml)")]
    [InlineData("extends: base\n", "", "'remove' takes points of an extended profile away, and this profile extends none")]
    public void A_variant_that_cannot_be_made_says_why(string passage, string becomes, string said) =>
        Assert.Contains(Load(Variant.Replace(passage, becomes, StringComparison.Ordinal)).Problems, p => p.What.Contains(said, StringComparison.Ordinal));

    [Fact]
    public void A_key_with_null_takes_the_extended_value_away()
    {
        var (profile, problems) = Load(Variant.Replace("- { id: voltage, scale: 0.01 }", "- { id: voltage, scale: 0.01 }\n  - { id: frequency, plausible: null, scale: 0.01 }", StringComparison.Ordinal));
        Assert.Empty(problems);
        Assert.Null(profile!.Points[0].PlausibleMin);
    }

    [Fact]
    public void A_block_with_null_is_taken_away_and_a_list_is_replaced_by_an_empty_one()
    {
        var (profile, problems) = Load(Variant + "wiring: null\naddressing: null\n");
        Assert.DoesNotContain(problems, p => p.Severity == ProblemSeverity.Error);
        Assert.Equal((null, null), (profile!.WiringEnglish, profile.WiringChinese));
        Assert.Equal("Terminals 1 and 2", Load(Variant).Profile!.WiringEnglish);
        Assert.Contains(Load(Variant + "identify: []\n").Problems, p => p.What.Contains("identify", StringComparison.Ordinal));
        Assert.Contains(Load(Variant + "kind: null\n").Problems, p => p.What.Contains("'kind' is missing", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_two_entries_with_one_id_the_one_with_the_same_phases_is_changed()
    {
        var (profile, problems) = Load(Variant.Replace("{ id: voltage, scale: 0.01 }", "{ id: voltage, perPhase: [l1_n, l2_n, l3_n], scale: 0.01 }", StringComparison.Ordinal), WithLineVoltages());
        Assert.Empty(problems);
        Assert.Equal((0.01m, 0.1m), (Scale("voltage_l2_n"), Scale("voltage_l2_l3")));

        // Tests of the entry that is not changed are taken over.
        (profile, problems) = Load(
            Variant.Replace("{ id: voltage, scale: 0.01 }", "{ id: voltage, perPhase: [l1_l2, l2_l3, l3_l1], scale: 0.01 }", StringComparison.Ordinal).Replace("point: voltage_l1_n, words: [0, 23050]", "point: voltage_l1_l2, words: [0, 23050]", StringComparison.Ordinal),
            WithLineVoltages());
        Assert.Empty(problems);
        Assert.Equal((0.1m, 0.01m), (Scale("voltage_l2_n"), Scale("voltage_l2_l3")));
        Assert.Equal(["frequency", "voltage_l1_n", "voltage_l1_l2"], profile!.SelfTests.Select(t => t.Point));

        decimal Scale(string id) => profile!.Points.Single(p => p.Id == id).Encoding.Scale;
    }

    [Fact]
    public void A_change_that_may_mean_two_entries_is_refused_and_so_are_two_changes_of_one()
    {
        var problem = Assert.Single(Load(Variant, WithLineVoltages()).Problems, p => p.What.Contains("may change 2 entries", StringComparison.Ordinal));
        Assert.Equal("'voltage' may change 2 entries of base.yaml, of the phases l1_n, l2_n, l3_n and of l1_l2, l2_l3, l3_l1", problem.What);
        Assert.Contains(
            Load(Variant.Replace("- { id: voltage, scale: 0.01 }", "- { id: voltage, scale: 0.01 }\n  - { id: voltage, unit: V }", StringComparison.Ordinal)).Problems,
            p => p.What.Contains("changes the same entry of base.yaml as line 10 does", StringComparison.Ordinal));
    }

    [Fact]
    public void Phases_that_the_extended_entry_does_not_have_are_a_new_entry()
    {
        var added = "- { id: voltage, scale: 0.01 }\n  - { id: voltage, perPhase: [l1_l2, l2_l3, l3_l1], at: 50, stride: 2, type: uint32, scale: 0.1, unit: V, role: electricity.voltage, source: [manual] }";
        var (profile, problems) = Load(Variant.Replace("- { id: voltage, scale: 0.01 }", added, StringComparison.Ordinal));
        Assert.Empty(problems);
        Assert.Equal((0.01m, 0.1m), (profile!.Points.Single(p => p.Id == "voltage_l1_n").Encoding.Scale, profile.Points.Single(p => p.Id == "voltage_l1_l2").Encoding.Scale));
    }

    private static string WithLineVoltages() => Base.Replace(
        "  - { id: current_n",
        "  - { id: voltage, perPhase: [l1_l2, l2_l3, l3_l1], at: 50, stride: 2, type: uint32, scale: 0.1, unit: V, role: electricity.voltage, source: [manual] }\n  - { id: current_n",
        StringComparison.Ordinal);

    [Theory]
    [InlineData("40011", "at: 10", null)]
    [InlineData("\"40,011\"", "at: 10", null)]
    [InlineData("4x0011", "at: 10", null)]
    [InlineData("P0.10", "at: 10", null)]
    [InlineData("40011", "at: 11", "'frequency' is printed as 40011, which is the wire address 10 (addressing: holding begins with 40001), but 'at' is 11")]
    [InlineData("40012", "at: 10", "which is the wire address 11")]
    [InlineData("0x0A", "at: 10", "which is the wire address -39991")]
    public void A_printed_number_is_held_against_the_wire_address(string printed, string at, string? said)
    {
        var problems = Load(Base.Replace("at: 10, printed: 40011", $"{at}, printed: {printed}", StringComparison.Ordinal)).Problems;
        if (said is null)
        {
            Assert.Empty(problems);
        }
        else
        {
            Assert.Contains(said, Assert.Single(problems).What, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_printed_number_that_cannot_be_checked_is_a_warning()
    {
        var problem = Assert.Single(Load(Base.Replace("addressing: { holding: 40001 }", "addressing: { input: 30001 }", StringComparison.Ordinal)).Problems);
        Assert.Equal(ProblemSeverity.Warning, problem.Severity);
        Assert.Contains("Add 'addressing: { holding: 40001 }'", problem.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public void Blanks_are_listed_one_by_one_and_nothing_else_is_said()
    {
        var text = Base
            .Replace("id: base", "id: <maker and model>", StringComparison.Ordinal)
            .Replace("at: 20, type: uint32, unit: A", "at: \"<address of the neutral current>\", type: <type>, unit: \"<A or mA>\"", StringComparison.Ordinal)
            .Replace("words: [0, 3], value: 3", "words: [\"<an example>\"], value: \"<what it means>\"", StringComparison.Ordinal);
        var problems = Load(text).Problems;
        Assert.Equal(
            [
                "fill in: 'id' of the device profile, maker and model",
                "fill in: 'at' of the point 'current_n', address of the neutral current",
                "fill in: 'type' of the point 'current_n', type",
                "fill in: 'unit' of the point 'current_n', A or mA",
                "fill in: an item of 'words', an example",
                "fill in: 'value' of the self-test 'current_n', what it means",
            ],
            problems.Select(p => p.What));
        Assert.Contains("a whole number from 0 to 65535", problems[1].Cure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sunspec: { model: 203, length: 20 },", "'status' ends at 30, behind the model: a length of 20 ends at 21")]
    [InlineData("sunspec: { model: 65535 },", "'model' is '65535'")]
    public void A_SunSpec_model_is_checked_against_its_points(string sunSpec, string said) =>
        Assert.Contains(Load(Base.Replace("{ maxRegistersPerRead: 64,", $"{{ {sunSpec} maxRegistersPerRead: 64,", StringComparison.Ordinal)).Problems, p => p.What.Contains(said, StringComparison.Ordinal));

    [Fact]
    public void The_registers_of_a_SunSpec_profile_move_with_the_model()
    {
        var profile = Load(Base.Replace("{ maxRegistersPerRead: 64,", "{ sunspec: { model: 203 }, maxRegistersPerRead: 64,", StringComparison.Ordinal)).Profile!;
        Assert.Equal((203, 29), (profile.SunSpec!.Number, profile.SunSpec.Length));
        var moved = profile.At(40_070, 31);
        Assert.Null(moved.SunSpec);
        Assert.Equal([40_080, 40_070], moved.Points.Take(2).Select(p => (int)p.Encoding.Address));
        Assert.Equal(40_080, moved.Identify[0].Encoding.Address);
    }

    [Theory]
    [InlineData("kW.h", "W.h", 1.5, 1500.0)]
    [InlineData("W.h", "MW.h", 2_500_000.0, 2.5)]
    [InlineData("[degF]", "Cel", 212.0, 100.0)]
    [InlineData("K", "Cel", 273.15, 0.0)]
    [InlineData("bar", "kPa", 1.0, 100.0)]
    [InlineData("kW.h", "kvar.h", 1.0, null)]
    [InlineData("kW", "kW.h", 1.0, null)]
    public void Units_that_measure_the_same_are_converted(string from, string to, double value, double? expected)
    {
        var converted = Units.Convert((decimal)value, Units.Find(from)!, Units.Find(to)!);
        Assert.Equal(expected is null, converted is null);
        Assert.Equal(expected ?? 0, (double)(converted ?? 0), 9);
    }

    private static (DeviceProfile? Profile, IReadOnlyList<Problem> Problems) Load(string text, string? other = null)
    {
        var isVariant = text.Contains("id: variant", StringComparison.Ordinal);
        return ProfileLoader.Load(
            new(isVariant ? "variant.yaml" : "base.yaml", text),
            id => id switch { "base" => new("base.yaml", other ?? Base), "variant" => new("variant.yaml", text), _ => null });
    }
}
