using EdgeGateway.Core;
using EdgeGateway.Tests.Configuration;
using static EdgeGateway.Tests.Writing.WriteTexts;

namespace EdgeGateway.Tests.Writing;

/// <summary>What can be wrong in what profiles declare writable and sites allow, each with its place, its sentence and its cure.</summary>
public class WriteProblemTests
{
    private const string Setpoint = "access: read-write, write: { min: 0, max: 50, step: 0.1, safe: 5 }";
    private const string Command = "access: read-write, write: { values: [run, stop], safe: stop }";
    private const string Relay = "access: read-write, write: { safe: off, function: multiple }";
    private const string Start = "access: write-only, write: { values: [0, 1], readBack: { point: running, after: 200ms } }";

    // passage, what it becomes, line, what is said, how to mend it
    public static TheoryData<string, string, int, string, string> InProfiles => new()
    {
        { Setpoint, "access: read-write", 14, "'setpoint' is read-write, but what may be written is not declared", "Add 'write:' with min and max" },
        { Setpoint, "write: { min: 0, max: 50 }", 14, "'setpoint' has a 'write' block, but its access is 'read'", "access: read-write" },
        { Setpoint, "access: write, write: { min: 0, max: 50 }", 14, "'access' is 'write'", "read-write" },
        { Setpoint, "access: read-write, write: { max: 50 }", 14, "its limits are not complete: 'min' is missing", "Add 'min:' and 'max:'" },
        { Setpoint, "access: read-write, write: { min: 0 }", 14, "its limits are not complete: 'max' is missing", "Add 'min:' and 'max:'" },
        { Setpoint, "access: read-write, write: { min: 50, max: 0 }", 14, "the range of 'setpoint' from 50 to 0 is empty", "below the maximum" },
        { Setpoint, "access: read-write, write: { min: 0, max: 700 }", 14, "its register (uint16 with scale 0.01, 1 register) cannot hold 700", "Correct the limit" },
        { Setpoint, "access: read-write, write: { min: 0.005, max: 50 }", 14, "cannot hold 0.005 exactly, only 0.01", "Correct the limit" },
        { Setpoint, "access: read-write, write: { min: 0, max: 50, step: 0.015 }", 14, "the step 0.015 of 'setpoint' is not a whole number of steps of its register (0.01)", "a multiple of 0.01" },
        { Setpoint, "access: read-write, write: { min: 0, max: 50, step: 0 }", 14, "the step 0 of 'setpoint'", "remove 'step'" },
        { Setpoint, "access: read-write, write: { min: 0, max: 50, safe: 51 }", 14, "the safe value of 'setpoint' may not be written itself: 51 is outside the limits 0 to 50", "inside the limits" },
        { Setpoint, "access: read-write, write: { min: 0, max: 50, safe: slow }", 14, "'slow' is no value of 'setpoint'", "a number in the point's unit" },
        { Setpoint, "access: read-write, write: { min: 0, max: 50, values: [1] }", 14, "'setpoint' declares both values and a range", "Keep 'values'" },
        { Setpoint, "access: read-write, write: { min: 0, max: 50, readBack: { after: 6s } }", 14, "read back 6 s after the write", "Write 5s or less" },
        { Setpoint, "access: read-write, write: { min: 0, max: 50, readBack: { tolerance: -1 } }", 14, "the tolerance of 'setpoint' is negative", "0 or more" },
        { Setpoint, "access: read-write, write: { min: 0, max: 50, readBack: { point: frequncy } }", 14, "'setpoint' is read back from 'frequncy', which the profile does not have", "Did you mean 'frequency'?" },
        { Setpoint, "access: read-write, write: { min: 0, max: 50, readBack: { point: running } }", 14, "'setpoint' in Hz cannot be read back from 'running' in 1", "same unit" },
        { Setpoint, "access: read-write, write: { minimum: 0, max: 50 }", 14, "unknown key 'minimum' in write", "Allowed here: min, max, step" },
        { Setpoint, "applies: [ct], " + Setpoint, 14, "'setpoint' is multiplied by transformer ratios", "access: read" },
        { Setpoint, "table: input, " + Setpoint, 14, "'setpoint' stands in a table that Modbus only reads", "Only coils and holding registers" },
        { Setpoint, "scaleAt: 20, " + Setpoint, 14, "'setpoint' is scaled by another register", "access: read" },
        { "type: float32, role: signal.analog, access", "type: bcd32, role: signal.analog, access", 16, "cannot hold 0.1 exactly", "Correct the limit" },
        { Command, "access: read-write, write: { safe: stop }", 15, "'command' is a state, and which values may be written is not declared", "Add 'values: [ ... ]'" },
        { Command, "access: read-write, write: { values: [go] }", 15, "'go' is no value of 'command'", "one of run, stop" },
        { Command, "access: read-write, write: { values: [70000] }", 15, "cannot hold 70000", "Correct 'values'" },
        { "type: float32, role: signal.analog, access: read-write, write: { min: 0.1, max: 600 }", "type: float32, role: signal.analog, access: read-write, write: { min: 0.1, max: 600, function: single }", 16, "'ramp' occupies 2 registers, function 06 writes one", "function: multiple" },
        { "at: 0, table: coil, type: bit", "at: 20, type: bit, bit: 3", 17, "'relay' is a part of a register", "the register as a point of its own" },
        { Relay, "access: read-write, write: { safe: 2 }", 17, "the safe value of 'relay' may not be written itself: 2 is not among the declared values 0, 1", "inside the limits" },
        { Start, "access: write-only, write: { values: [0, 1] }", 18, "'start' can only be written, and no point shows what became of it", "readBack: { point: ... }" },
        { Start, "access: write-only, write: { values: [0, 1], readBack: { point: start } }", 18, "cannot be read back from 'start', which can only be written", "that can be read" },
        { "[{ point: frequency, min: 0, max: 400 }]", "[{ point: start, min: 0, max: 400 }]", 11, "the identify probe names 'start', which can only be written", "can be read" },
    };

    [Theory, MemberData(nameof(InProfiles))]
    public void A_mistake_in_a_profile_is_refused_with_its_place_and_its_cure(string passage, string becomes, int line, string what, string cure) =>
        Refuses(Load(profile: Profile.With(passage, becomes)), "test-drive.yaml", line, what, cure);

    public static TheoryData<string, int, string, string> InSites => new()
    {
        { "allowWrites: yes", 6, "'allowWrites' is 'yes'", "true or false" },
        { "allowWrites: true, points: { setpoint: { write: { min: -1 } } }", 6, "the 'min' of 'setpoint', -1, is wider than the profile test-drive allows (0)", "narrow the limits, not widen" },
        { "allowWrites: true, points: { setpoint: { write: { max: 60 } } }", 6, "the 'max' of 'setpoint', 60, is wider than the profile test-drive allows (50)", "Write 50 or less" },
        { "allowWrites: true, points: { setpoint: { write: { min: 40, max: 30, safe: 35 } } }", 6, "the range of 'setpoint' from 40 to 30 is empty", "below the maximum" },
        { "allowWrites: true, points: { setpoint: { write: { min: 10 } } }", 6, "the safe value of 'setpoint' is outside what this site allows: 5 is outside the limits 10 to 50", "Add 'safe:'" },
        { "allowWrites: true, points: { setpoint: { write: { safe: 60 } } }", 6, "the safe value of 'setpoint' is outside what this site allows", "inside the site's limits" },
        { "allowWrites: true, points: { command: { write: { min: 1 } } }", 6, "'command' takes only certain values, not a range", "values: [ ... ]" },
        { "allowWrites: true, points: { command: { write: { values: [3] } } }", 6, "the profile test-drive does not allow it: 3 is not among the declared values 1, 5", "not widen it" },
        { "allowWrites: true, points: { command: { write: { values: [run] } } }", 6, "the safe value of 'command' is outside what this site allows", "safe:" },
        { "allowWrites: true, points: { ramp: { write: { expiresAfter: 15m } } }", 6, "'ramp' has no safe value to fall back to", "Add 'safe:'" },
        { "allowWrites: true, points: { ramp: { write: { atStop: safe } } }", 6, "'ramp' has no safe value to fall back to", "Add 'safe:'" },
        { "allowWrites: true, points: { setpoint: { write: { expiresAfter: 500ms } } }", 6, "values of 'setpoint' cannot expire after 0.5 s", "1s to 30d" },
        { "allowWrites: true, points: { frequency: { write: { min: 1 } } }", 6, "'frequency' may not be written: the profile test-drive declares it as read", "not widen it" },
        { "allowWrites: true, points: { setpoint: { write: { maximum: 1 } } }", 6, "unknown key 'maximum' in write", "Allowed here: allow, min, max" },
    };

    [Theory, MemberData(nameof(InSites))]
    public void A_mistake_in_a_site_is_refused_with_its_place_and_its_cure(string becomes, int line, string what, string cure) =>
        Refuses(Load(Gateway.With("allowWrites: true", becomes)), "gateway.yaml", line, what, cure);

    [Fact]
    public void A_broadcast_is_never_written()
    {
        Refuses(Load(Gateway.With("unit: 1,", "unit: 0,")), "gateway.yaml", 6, "writing to unit id 0 is a broadcast", "own unit id");
    }

    [Fact]
    public void Allowing_writes_to_a_device_that_has_nothing_to_write_is_a_mistake()
    {
        var (model, problems) = Texts.Load(Texts.Gateway.With("id: fan,", "id: fan, allowWrites: true,"));
        Assert.Null(model);
        Assert.Contains("the profile test-meter has no point that may be written", Assert.Single(problems).What, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_without_permission_are_a_warning()
    {
        var (model, problems) = Load(Gateway.With("unit: 2", "unit: 2, points: { setpoint: { write: { max: 40 } } }"));
        Assert.NotNull(model);
        var problem = problems.Single(p => p.What.Contains("writing to this device is not allowed", StringComparison.Ordinal));
        Assert.Equal((ProblemSeverity.Warning, 7), (problem.Severity, problem.Line));
        Assert.DoesNotContain(model.Devices[1].Writables, w => w.Allowed);
    }

    [Fact]
    public void A_counter_is_never_written()
    {
        var counter = "id: total, at: 30, type: uint32, unit: kW.h, role: electricity.energy.active.import, counter: { rolloverAt: none, resets: user }, access: read-write, write: { min: 0, max: 1 }, source: [manual]";
        Refuses(Load(profile: Profile.With("selfTest:", $"  - {{ {counter} }}\nselfTest:")), "test-drive.yaml", 20, "'total' is a counter, and totals are never written", "access: read");
    }

    private static void Refuses((Core.Site.SiteModel? Model, IReadOnlyList<Problem> Problems) loaded, string file, int line, string what, string cure)
    {
        var said = string.Join("\n", loaded.Problems);
        Assert.True(loaded.Model is null, said);
        var problem = loaded.Problems.FirstOrDefault(p => p.What.Contains(what, StringComparison.Ordinal));
        Assert.True(problem is not null, $"nobody says \"{what}\":\n{said}");
        Assert.True(problem.Cure.Contains(cure, StringComparison.Ordinal), $"the cure is: {problem.Cure}");
        Assert.True(problem.Line == line && problem.File == file, said);
    }
}
