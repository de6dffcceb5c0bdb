using EdgeGateway.Core;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;
using EdgeGateway.Lines;
using EdgeGateway.Tests.Configuration;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Lines;

/// <summary>GPIO lines in gateway.yaml: what is read, and what is refused, each with its place, its sentence and its cure.</summary>
public sealed class GpioSiteTests
{
    public const string Site = """
        schema: edgegateway/gateway/1
        site: { id: shaft-3, timezone: Asia/Shanghai, region: CN-SX }
        gateway: { id: gw-01 }
        buses:
          - id: gpio
            type: gpio
            inputs:
              - { unit: 1, line: pulse-import, use: counter, activeLow: true, bias: pull-up, minimumPulse: 30ms }
              - { unit: 2, line: fan-running, use: contact, debounce: 20ms }
              - { unit: 3, chip: belts, offset: 4, offsetB: 5, use: quadrature, minimumPulse: 4ms }
              - { unit: 4, line: lamp, use: output, safe: off }
        devices:
          - { id: meter, profile: generic-gpio-electricity-meter, bus: gpio, unit: 1, pulsesPerUnit: 1000, metering: { role: incomer } }
          - { id: fan, profile: generic-gpio-contact, bus: gpio, unit: 2 }
          - { id: belt, profile: generic-gpio-encoder, bus: gpio, unit: 3 }
          - { id: lamp, profile: generic-gpio-output, bus: gpio, unit: 4 }
        """;

    // passage, what it becomes, line of the problem, what is said, how to mend it
    public static TheoryData<string, string, int, string, string> Mistakes => new()
    {
        { "use: counter,", "use: pulse,", 8, "'use' is 'pulse'", "one of counter, contact, state, quadrature, output" },
        { "line: pulse-import, use", "use", 8, "nothing says which line it is", "Add 'line:'" },
        { "line: pulse-import,", "line: pulse-import, offset: 3,", 8, "the line is given by 'line' and by 'offset'", "Keep 'line'" },
        { "chip: belts, offset: 4", "offset: 4", 10, "'offset' needs the chip", "Add 'chip:'" },
        { "offset: 4, offsetB: 5", "offset: 4", 10, "'lineB' is missing", "Add 'lineB:'" },
        { "line: fan-running", "line: pulse-import", 9, "line pulse-import is used twice: input 1 of unit 1 has it already", "A line has one owner" },
        { "offset: 4, offsetB: 5", "offset: 4, offsetB: 4", 10, "line 4 of belts is used twice", "A line has one owner" },
        { "unit: 2, line", "unit: 1, line", 9, "input 1 of unit 1 is there twice (first in line 8)", "another 'input'" },
        { "minimumPulse: 30ms", "edge: rising", 8, "how long the signal of line pulse-import is high or low at least is not stated", "30ms for S0" },
        { "minimumPulse: 4ms", "minimumPulse: 1ms", 10, "levels of 0.5 ms are too short", "correct 'minimumPulse'" },
        { "minimumPulse: 30ms", "minimumPulse: 30ms, debounce: 22ms", 8, "a debounce of 22 ms loses pulses whose levels last 30 ms", "minimumInterval" },
        { "minimumPulse: 30ms", "minimumPulse: 30ms, fastest: 20", 8, "20 a second do not fit levels of 30 ms: at most 16.667 do", "Correct 'fastest'" },
        { "minimumPulse: 30ms", "minimumPulse: 30ms, fastest: 0", 8, "0 a second is no rate", "Correct 'fastest'" },
        { "minimumPulse: 30ms", "minimumPulse: 30ms, minimumInterval: 100ms", 8, "would be taken for bounce", "a shorter 'minimumInterval'" },
        { "minimumPulse: 30ms", "minimumPulse: 30ms, silence: 0s", 8, "a rate cannot be zero after no time", "between two pulses" },
        { "minimumPulse: 30ms", "minimumPulse: 30ms, safe: on", 8, "'safe' has no meaning with 'use: counter'", "Remove 'safe'" },
        { "use: output, safe: off", "use: output", 11, "the safe state of the output line lamp is not stated", "Add 'safe: off' or 'safe: on'" },
        { "use: output, safe: off", "use: output, safe: off, debounce: 5ms", 11, "'debounce' has no meaning with 'use: output'", "Remove 'debounce'" },
        { ", pulsesPerUnit: 1000", "", 13, "what a pulse of 'meter' is worth is not stated", "the pulses for one kW.h from the name plate" },
        { "pulsesPerUnit: 1000", "pulsesPerUnit: 0", 13, "0 pulses for a unit are not possible", "1000 imp/kWh" },
        { "id: fan,", "id: fan, pulsesPerUnit: 5,", 14, "generic-gpio-contact does not count pulses", "Remove it" },
        { "bus: gpio, unit: 2 }", "bus: gpio, unit: 7 }", 14, "no input of the bus 'gpio' belongs to the unit 7", "one of the units that have inputs here: 1, 2, 3, 4" },
        { "profile: generic-gpio-contact", "profile: generic-gpio-counter", 14, "the profile generic-gpio-counter does not fit the inputs of unit 2 on the bus 'gpio'", "The unit has as input 1 a contact (line fan-running)" },
        { "profile: generic-gpio-contact", "profile: eastron-sdm120", 14, "the profile eastron-sdm120 does not fit", "The unit has as input 1 a contact" },
        { "bus: gpio, unit: 2 }", "bus: gpio, unit: 1 }", 14, "belongs to the device 'meter' already", "Give each device its own unit" },
    };

    [Fact]
    public void Inputs_are_read_with_their_settings()
    {
        var (model, problems) = Load(Site);

        Assert.Empty(problems);
        var inputs = Assert.IsType<GpioBus>(model!.Buses.Single()).Inputs.Cast<GpioInput>().ToArray();
        Assert.Equal(
            new GpioInput
            {
                Unit = 1,
                Number = 1,
                Use = LineUse.Counter,
                Line = new("pulse-import", null, null),
                ActiveLow = true,
                Bias = LineBias.PullUp,
                MinimumPulse = TimeSpan.FromMilliseconds(30),
                MinimumInterval = TimeSpan.FromMilliseconds(30),
                Fastest = 1 / 0.06,
            },
            inputs[0]);
        Assert.Equal("line 4 of belts and line 5 of belts", inputs[2].Title);
        Assert.Equal(500, inputs[2].Fastest);
    }

    [Fact]
    public void The_constant_of_the_site_makes_energy_and_power_of_pulses()
    {
        var (model, _) = Load(Site);

        var energy = model!.Points.First(p => p.Id == "active_energy_import_total");
        Assert.Equal((0.001m, "kW.h"), (energy.Encoding.Scale, energy.Unit));
        Assert.Equal("electricity-purchased", energy.Carbon!.Method);

        // One pulse a second of 1000 imp/kWh is 3.6 kW.
        Assert.Equal(3600m, model.Points.First(p => p.Id == "pulse_rate").Encoding.Scale);
    }

    [Theory, MemberData(nameof(Mistakes))]
    public void A_mistake_is_told_with_place_and_cure(string passage, string becomes, int line, string what, string cure)
    {
        var (model, problems) = Load(Site.With(passage, becomes));

        Assert.Null(model);
        Assert.True(
            problems.Any(p => p.Line == line && p.What.Contains(what, StringComparison.Ordinal) && p.Cure.Contains(cure, StringComparison.Ordinal)),
            string.Join('\n', problems));
    }

    [Theory]
    [InlineData("line: lamp", "line: GPIO14", "GPIO14", "is taken by")]
    [InlineData("line: lamp", "line: GPIO99", "has no line 'GPIO99'", "has no line")]
    public void On_a_named_board_lines_are_held_against_its_pin_map(string passage, string becomes, string what, string also)
    {
        var board = Site.With("gateway: { id: gw-01 }", "gateway: { id: gw-01, board: raspberry-pi-4, with: [enable_uart=1] }")
            .With("line: pulse-import", "line: GPIO17").With("line: fan-running", "line: GPIO27");
        Assert.NotNull(Load(board.With("line: lamp", "line: GPIO22")).Model);

        var (model, problems) = Load(board.With(passage, becomes));

        Assert.Null(model);
        Assert.Contains(problems, p => p.Line == 11 && p.What.Contains(what, StringComparison.Ordinal) && p.What.Contains(also, StringComparison.Ordinal));
    }

    [Fact]
    public void Inputs_that_no_device_shows_are_told()
    {
        var (_, problems) = Load(Site.With("  - { id: lamp, profile: generic-gpio-output, bus: gpio, unit: 4 }", ""));

        var problem = Assert.Single(problems);
        Assert.Equal(ProblemSeverity.Warning, problem.Severity);
        Assert.Contains("the unit 4 of the bus 'gpio' has inputs, and no device shows them: line lamp", problem.What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_point_that_does_not_know_the_code_for_no_value_is_refused()
    {
        var profile = ProfileText("generic-gpio-counter")!.Text.With("invalid: 0xFFFF, enum", "enum").With("  - { point: input_state, words: [0xFFFF], quality: invalid }\n", "");
        var (model, problems) = SiteLoader.Load(
            new("gateway.yaml", Site.With("profile: generic-gpio-electricity-meter, bus: gpio, unit: 1, pulsesPerUnit: 1000, metering: { role: incomer }", "profile: generic-gpio-counter, bus: gpio, unit: 1")),
            id => id == "generic-gpio-counter" ? new SourceText(id, profile) : ProfileText(id),
            inputRules: LineRules.Check);

        Assert.Null(model);
        Assert.Contains(problems, p => p.What.Contains("'input_state' at 6: a pulse counter says by 0xFFFF that it has no state now, and the profile does not declare it as 'invalid'", StringComparison.Ordinal));
    }

    [Fact]
    public void The_declared_loss_follows_from_rate_commit_window_and_who_keeps_the_line()
    {
        var (model, _) = Load(Site);
        var meter = (GpioInput)((GpioBus)model!.Buses[0]).Inputs[0];

        // 16.667 a second for twice 1 s.
        Assert.Equal(34, LineRules.Uncommitted(meter, TimeSpan.FromSeconds(1)));
        Assert.Contains("a kill or restart costs no pulse", LineRules.Loss(meter, TimeSpan.FromSeconds(1), isKept: true), StringComparison.Ordinal);
        Assert.Contains("costs up to 34 pulses and those while it is down, up to 16.667 a second", LineRules.Loss(meter, TimeSpan.FromSeconds(1), isKept: false), StringComparison.Ordinal);
        Assert.Contains("a power cut costs up to 34 pulses", LineRules.Loss(meter, TimeSpan.FromSeconds(1), isKept: null), StringComparison.Ordinal);
    }

    internal static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(string text) => SiteLoader.Load(new("gateway.yaml", text), ProfileText, inputRules: LineRules.Check);

    private static SourceText? ProfileText(string id)
    {
        var path = Directory.EnumerateFiles(RepositoryFiles.At("device-profiles"), $"{id}.yaml", SearchOption.AllDirectories).FirstOrDefault();
        return path is null ? null : new SourceText(path, File.ReadAllText(path));
    }
}
