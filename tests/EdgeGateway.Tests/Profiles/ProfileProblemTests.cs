using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Tests.Configuration;

namespace EdgeGateway.Tests.Profiles;

/// <summary>What can be wrong in a device profile, each with its place, its sentence and its cure.</summary>
public class ProfileProblemTests
{
    private const string Frequency = "id: frequency, at: 10, type: uint16,";
    private const string Power = "id: active_power_total, at: 12, type: int32,";
    private const string EnergyCounter = "counter: { rolloverAt: width, resets: replace-only, maxRate: { value: 50, unit: kW } }";

    // passage, what it becomes, line, what is said, how to mend it
    public static TheoryData<string, string, int, string, string> Mistakes => new()
    {
        // Addresses and lengths
        { Frequency, "id: frequency, adress: 10, type: uint16,", 17, "unknown key 'adress' in a point", "Did you mean 'at'? Allowed here: id, at, printed" },
        { Frequency, "id: frequency, at: 65536, type: uint16,", 17, "'at' is '65536'", "from 0 to 65535" },
        { Power, "id: active_power_total, at: 65535, type: int32,", 19, "reaches to address 65536", "Correct 'at'" },
        { "maxRegistersPerRead: 64", "maxRegistersPerRead: 126", 11, "'maxRegistersPerRead' is '126'", "from 1 to 125" },
        { "maxRegistersPerRead: 64", "maxRegistersPerRead: 1", 18, "occupies 2 registers, the device answers 1 at most", "maxRegistersPerRead" },
        { "stride: 2, type: uint32", "stride: 1, type: float32", 18, "the stride of 'voltage' is 1, but a float32 occupies 2 registers", "at least 2" },
        { "stride: 2, type: uint32", "type: uint32", 18, "'stride' is missing", "Add 'stride:'" },
        { Frequency, "id: frequency, at: 10, stride: 2, type: uint16,", 17, "a stride but no 'perPhase'", "remove the stride" },
        { Power, "id: active_power_total, at: 11, type: int32,", 20, "", "" },
        { Power, "id: active_power_total, at: 19, type: int32,", 20, "'active_energy_import_total' at 20 overlaps 'active_power_total' at 19", "only bits of a word may share it" },
        { Power, "id: active_power_total, at: 5, type: int32,", 19, "'active_power_total' at 5 overlaps 'voltage_l3_n' at 4", "Correct 'at'" },
        { Power, "id: frequency, at: 12, type: int32,", 19, "the point 'frequency' exists twice (first in line 17)", "its own id" },

        // Types
        { Frequency, "id: frequency, at: 10, type: float48,", 17, "'type' is 'float48'", "float32" },
        { ", wordOrder: high-first", "", 18, "a uint32 needs a word order", "high-first" },
        { ", wordOrder: high-first", ", wordOrder: big", 12, "'wordOrder' is 'big'", "one of high-first, low-first" },
        { "table: holding, ", "", 17, "the register table is not stated", "table: holding" },
        { "table: holding, ", "table: coil, ", 17, "the coil table holds bits, not a uint16", "type: bit" },
        { Frequency, "id: frequency, at: 10, type: bit,", 17, "a bit of a register needs its number", "0 (least significant) to 15" },
        { Frequency, "id: frequency, at: 10, bit: 3, type: uint16,", 17, "'bit' belongs to 'type: bit'", "Remove it" },
        { "type: uint16, scale: 0.01", "type: uint16, scale: 0", 17, "scale must not be 0", "Correct the number" },
        { "type: int32, scale: 0.01", "type: float32, scale: 0.01", 19, "a float with the scale 0.01 is suspicious", "add 'why:'" },
        { "invalid: 0xFFFFFFFF", "invalid: 0x1FFFFFFFF", 18, "0x1FFFFFFFF does not fit a uint32 of 32 bits", "image of the register" },
        { "invalid: 0xFFFFFFFF", "invalid: [1, -1]", 18, "-1 does not fit a uint32", "image of the register" },
        { "plausible: { min: 45, max: 65 }, source", "plausible: { min: 45, max: 660 }, source", 17, "only expresses 0.00 to 655.35", "Correct type, scale or range" },
        { "plausible: { min: 45, max: 65 }, source", "plausible: { min: 65, max: 45 }, source", 17, "the plausible range from 65 to 45 is empty", "below the maximum" },
        { "unit: V, role: electricity.voltage, applies: [pt]", "unit: V, role: electricity.voltage, sign: export-positive", 18, "a uint32 has no sign to turn round", "Remove 'sign'" },

        // Lengths, bits and dates
        { Frequency, "id: frequency, at: 10, type: float32, length: 3,", 17, "a float32 occupies 2 registers, not 3", "only text and mod10 need it" },
        { "stride: 2, type: uint32", "stride: 1, type: float64", 18, "the stride of 'voltage' is 1, but a float64 occupies 4 registers", "at least 4" },
        { Frequency, "id: frequency, at: 10, type: text, length: 126,", 17, "'length' is '126'", "from 1 to 125" },
        { Frequency, "id: frequency, at: 65530, type: text, length: 10,", 17, "reaches to address 65539", "Correct 'at'" },
        { Frequency, "id: frequency, at: 40, type: text, length: 65,", 17, "occupies 65 registers, the device answers 64 at most", "maxRegistersPerRead" },
        { Frequency, "id: frequency, at: 10, type: text,", 17, "the length of the text is not stated", "two characters in each" },
        { Frequency, "id: frequency, at: 10, type: mod10,", 17, "the length of the mod10 is not stated", "2, 3 or 4 registers" },
        { Frequency, "id: frequency, at: 10, type: mod10, length: 5,", 17, "a mod10 of 5 registers does not exist", "Write 2, 3 or 4" },
        { Frequency, "id: frequency, at: 40, type: datetime, length: 4,", 17, "the form of the datetime is not stated", "one of iec, powerlogic-4" },
        { Frequency, "id: frequency, at: 40, type: datetime, form: iec,", 17, "the clock of the datetime is not stated", "clock: local" },
        { Frequency, "id: frequency, at: 40, type: datetime, form: iec, clock: utc, length: 4,", 17, "the length of a datetime follows from its form", "Remove 'length'" },
        { Frequency, "id: frequency, at: 40, type: datetime, form: iec, clock: utc,", 17, "a datetime has no 'scale'", "Remove 'scale'" },
        { Frequency, "id: frequency, at: 10, type: uint16, form: iec,", 17, "'form' belongs to a datetime", "Remove it" },
        { Frequency, "id: frequency, at: 10, type: uint16, clock: utc,", 17, "'clock' belongs to a datetime, or to seconds since 1970", "type and unit" },
        { Frequency, "id: frequency, at: 10, type: uint16, encoding: utf-8,", 17, "'encoding' belongs to a text", "Remove it" },
        { Frequency, "id: frequency, at: 10, type: uint16, bits: 4..17,", 17, "the bits 4..17 are outside a uint16 of 16 bits", "to 15" },
        { Frequency, "id: frequency, at: 10, type: uint16, bits: 7..4,", 17, "'bits' is '7..4'", "adjacent bits such as 4..7" },
        { Frequency, "id: frequency, at: 10, type: int16, bits: 4..7,", 17, "'bits' are a part of an unsigned integer, not of an int16", "uint32" },
        { Frequency, "id: frequency, at: 10, type: text, length: 4,", 17, "a text has no 'scale'", "Remove 'scale'" },
        { Frequency, "id: frequency, at: 10, type: text, length: 4,", 17, "a text has no 'unit'", "correct the type" },
        { Frequency, "id: frequency, at: 10, type: text, length: 4,", 17, "'frequency' is a text, and the role electricity.frequency is a number", "device.serial_number" },
        { "selfTest:", "  - { id: model, at: 40, type: text, length: 4, role: device.model, poll: slow, source: [manual] }\nselfTest:", 21, "texts are read once", "poll: once" },
        { "selfTest:", "  - { id: model, at: 40, type: text, length: 4, role: device.model, source: [manual] }\nselfTest:\n  - { point: model, words: [0x4142, 0, 0, 0], value: 5 }", 23, "the self-test of the text 'model' states no 'text'", "what the words read" },
        { "selfTest:", "  - { id: model, at: 40, type: text, length: 1, role: device.model, source: [manual] }\nselfTest:\n  - { point: model, words: [0x4142], text: BA }", 23, "the words read \"AB\"", "byte order" },

        // Types by the words of other tools
        { Frequency, "id: frequency, at: 10, type: double,", 17, "'type' is 'double'", "'double' is 'float64' here." },
        { Frequency, "id: frequency, at: 10, type: U16,", 17, "'type' is 'U16'", "'U16' is 'uint16' here." },
        { Frequency, "id: frequency, at: 10, type: long,", 17, "'type' is 'long'", "'long' is 'int32' here." },
        { Frequency, "id: frequency, at: 10, type: REAL,", 17, "'type' is 'REAL'", "'REAL' is 'float32' here." },
        { Frequency, "id: frequency, at: 10, type: word,", 17, "'type' is 'word'", "'word' is 'uint16' here." },
        { Frequency, "id: frequency, at: 10, type: DWORD,", 17, "'type' is 'DWORD'", "'DWORD' is 'uint32' here." },
        { Frequency, "id: frequency, at: 10, type: string,", 17, "'type' is 'string'", "'string' is 'text' here." },
        { Frequency, "id: frequency, at: 10, type: sunssf,", 17, "'type' is 'sunssf'", "'scaleAt'" },
        { Frequency, "id: frequency, at: 10, type: bcd,", 17, "'type' is 'bcd'", "bcd32 has 8" },
        { Frequency, "id: frequency, at: 10, type: CDAB,", 17, "'type' is 'CDAB'", "is an order and not a type: 'wordOrder: low-first'" },
        { ", wordOrder: high-first", ", wordOrder: ABCD", 12, "'wordOrder' is 'ABCD'", "'wordOrder: high-first' with 'byteOrder: big'" },
        { ", wordOrder: high-first", ", wordOrder: BADC", 12, "'wordOrder' is 'BADC'", "'wordOrder: high-first' with 'byteOrder: little'" },
        { ", wordOrder: high-first", ", wordOrder: DCBA", 12, "'wordOrder' is 'DCBA'", "'wordOrder: low-first' with 'byteOrder: little'" },
        { ", wordOrder: high-first", ", wordOrder: lsw-first", 12, "'wordOrder' is 'lsw-first'", "'low-first'" },

        // Scale registers
        { Frequency, "id: frequency, at: 10, type: uint16, scaleAt: { at: 11, table: input },", 17, "the scale register stands in the input table, the point in the holding table", "one table" },
        { Frequency, "id: frequency, at: 10, type: uint16, scaleAt: 10,", 17, "the scale register 10 is a register of the point itself", "scaleAt" },
        { Frequency, "id: frequency, at: 10, type: uint16, scaleAt: 65536,", 17, "'scaleAt' is '65536'", "from 0 to 65535" },
        { Frequency, "id: frequency, at: 10, type: uint16, scaleAt: 74,", 17, "span 65 registers, and one request brings 64 at most", "from one reply" },
        { Frequency, "id: frequency, at: 10, type: uint16, scaleAt: 13,", 17, "lies inside 'active_power_total'", "Correct 'scaleAt'" },
        { Frequency, "id: frequency, at: 10, type: uint16, scaleAt: 15,", 17, "lies the address 11, which no point names, and mayReadGaps is false", "mayReadGaps: true" },
        { Power, "id: active_power_total, at: 12, scaleAt: 14, type: float32, why: x,", 19, "a scale register belongs to whole integers, not to a float32", "correct the type" },
        { Frequency, "id: frequency, at: 10, type: uint16, bits: 0..3, scaleAt: 11,", 17, "not to a bit field", "Remove 'scaleAt'" },
        { "at: 20, type: uint32", "at: 20, scaleAt: 22, type: uint32", 20, "depends on its scale register", "the value from the manual" },
        { Frequency, "id: frequency, at: 10, type: uint16, scaleAt: 11,", 22, "'frequency' has a scale register, and the self-test does not say what it holds", "Add 'scale:'" },
        { "words: [5000], value: 50", "words: [5000], scale: -2, value: 50", 22, "'frequency' has no scale register", "Remove 'scale'" },

        // Names of states
        { "poll: fast, anomaly", "poll: fast, flags: { 0: alarm }, anomaly", 19, "'flags' names the bits of a status word", "remove 'flags'" },
        { "selfTest:", "  - { id: status, at: 40, type: uint16, role: device.status, enum: { 0x10000: off }, source: [manual] }\nselfTest:", 21, "0x10000 does not fit a uint16 of 16 bits", "image of the register" },
        { "selfTest:", "  - { id: status, at: 40, type: uint16, bits: 0..1, role: device.status, enum: { 4: off }, source: [manual] }\nselfTest:", 21, "4 does not fit a uint16 of 2 bits", "image of the register" },
        { "selfTest:", "  - { id: status, at: 40, type: uint16, role: device.status, flags: { 16: off }, source: [manual] }\nselfTest:", 21, "the flag 16 is outside the 16 bits of the point", "from 0" },
        { "selfTest:", "  - { id: status, at: 40, type: uint16, role: device.status, flags: { 1: off }, enum: { 0: on }, source: [manual] }\nselfTest:", 21, "either 'enum' (names of values) or 'flags'", "Keep one" },
        { "selfTest:", "  - { id: status, at: 40, type: uint16, bits: 0..3, role: device.status, source: [manual] }\n  - { id: fault, at: 40, type: uint16, bits: 3..5, role: device.fault, source: [manual] }\nselfTest:", 22, "overlaps 'status' at 40", "only bits of a word may share it" },
        { "at: 10, type: uint16, scale: 0.01, unit: Hz, role: electricity.frequency, plausible: { min: 45, max: 65 }", "at: 10, type: bcd16, scale: 0.01, unit: Hz, role: electricity.frequency, plausible: { min: 45, max: 100 }", 17, "only expresses 0.00 to 99.99", "Correct type, scale or range" },
        { "{ point: frequency, min: 45, max: 65 }", "{ at: 5, type: text, anyOf: { 7: M1 }, source: [manual] }", 15, "'type' is 'text'", "Write one of bit" },

        // Units and roles
        { "unit: kW.h", "unit: kWh", 20, "the unit 'kWh' is not in the table", "Did you mean 'kW.h'?" },
        { "unit: Hz", "unit: V", 17, "the role electricity.frequency cannot have the unit 'V' (volt)", "units of this role: Hz, kHz" },
        { "role: electricity.power.active", "role: active_power", 19, "the role 'active_power' is not in the list", "Did you mean 'electricity.power.active'?" },
        { "role: electricity.frequency", "role: electricity.frequncy", 17, "the role 'electricity.frequncy' is not in the list", "Did you mean 'electricity.frequency'?" },
        { "[l1_n, l2_n, l3_n]", "[l1_n, l2_n, l4_n]", 18, "has no part 'l4_n'", "Its parts are l1_n" },

        // Counters, carbon, detectors
        { EnergyCounter + ", ", "", 20, "is a counter, but 'counter' is missing", "rolloverAt" },
        { "poll: fast, anomaly", "poll: fast, counter: { rolloverAt: none, resets: user }, anomaly", 19, "is not a counter, but 'counter' is declared", "Remove 'counter'" },
        { "rolloverAt: width, ", "", 20, "'rolloverAt' is missing in counter", "Add 'rolloverAt:'" },
        { "rolloverAt: width", "rolloverAt: -5", 20, "rolls over at a positive value", "first value that is never shown" },
        { "maxRate: { value: 50, unit: kW }", "maxRate: { value: 50, unit: Hz }", 20, "'Hz' is not a rate of 'kW.h'", "a power for an energy" },
        { EnergyCounter, EnergyCounter.Replace("rolloverAt", "monotonic: false, rolloverAt", StringComparison.Ordinal), 20, "'monotonic' is 'false'", "true" },
        { "poll: fast, anomaly", "poll: fast, carbon: { role: electricity_purchased, scope: 2 }, anomaly", 19, "electricity_purchased needs a point with the role electricity.energy.active.import", "right register" },
        { "alarm: { low: 207, high: 253, holdFor: 10s }", "alarm: { low: 253, high: 207 }", 18, "the limit 'low' of 253 is not below 'high' of 207", "rise in the order" },
        { "alarm: { low: 207, high: 253, holdFor: 10s }", "alarm: { holdFor: 10s }", 18, "a limit needs 'low', 'high'", "at least one" },
        { "stuckFor: 10m", "stuckIdle: 1", 19, "belong to 'stuckFor', which is missing", "Add 'stuckFor:'" },
        { "poll: { fast: 1s", "poll: { fast: 10ms", 13, "the poll class fast has a period of 10 ms", "50ms or more" },

        // Sources, probes, self-tests
        { "plausible: { min: 45, max: 65 }, source: [manual]", "plausible: { min: 45, max: 65 }, source: []", 17, "'source' has 0 items", "a list" },
        { "plausible: { min: 45, max: 65 }, source: [manual]", "plausible: { min: 45, max: 65 }", 17, "'source' is missing in a point", "Add 'source:'" },
        { "plausible: { min: 45, max: 65 }, source: [manual]", "plausible: { min: 45, max: 65 }, source: [manuel]", 17, "the source 'manuel' is not declared", "Did you mean 'manual'?" },
        { "sources:\n  manual: { type: document, ref: Test manual }", "sources: {}", 8, "'sources' is empty", "a block whose keys" },
        { "{ point: frequency, min: 45, max: 65 }", "{ point: frequency }", 15, "needs 'anyOf' or a range", "which answers are right" },
        { "{ point: frequency, min: 45, max: 65 }", "{ point: frequnecy, min: 45 }", 15, "names the point 'frequnecy'", "Did you mean 'frequency'?" },
        { "{ point: frequency, min: 45, max: 65 }", "{ at: 5, type: uint16, anyOf: { 7: M1 } }", 15, "cites no source", "Add 'source:'" },
        { "value: 50 }", "value: 51 }", 22, "the self-test of frequency fails: the words mean 50 Hz, not 51 Hz", "Correct type" },
        { "words: [5000], value: 50", "words: [5000, 0], value: 50", 22, "has 2 words, a uint16 occupies 1", "as many words" },
        { "words: [5000], value: 50", "words: [5000], quality: invalid", 22, "the words mean 50, not 'not available'", "Correct the encoding" },
        { "words: [5000], value: 50", "words: [5000]", 22, "states either 'value' or 'quality'", "quality: invalid" },
        { "{ point: frequency, words", "{ point: frequencies, words", 22, "names the point 'frequencies'", "Did you mean 'frequency'?" },
        { "selfTest:\n  - { point: frequency, words: [5000], value: 50 }", "quirks: []", 1, "'selfTest' is missing", "Add 'selfTest:'" },

        // Keys of later versions are not silently ignored.
        { "selfTest:", "derived: []\nselfTest:", 21, "unknown key 'derived' in a device profile", "Allowed here" },
        { "selfTest:", "checks: []\nselfTest:", 21, "unknown key 'checks' in a device profile", "Allowed here" },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public void A_mistake_is_refused_with_its_place_and_its_cure(string passage, string becomes, int line, string what, string cure)
    {
        var (profile, problems) = Load(Texts.Profile.With(passage, becomes));
        if (what.Length == 0)
        {
            Assert.NotNull(profile); // Neighbours that touch do not overlap.
            return;
        }

        Assert.Null(profile);
        var said = string.Join("\n", problems);
        var problem = problems.FirstOrDefault(p => p.What.Contains(what, StringComparison.Ordinal));
        Assert.True(problem is not null, $"nobody says \"{what}\":\n{said}");
        Assert.True(problem.Cure.Contains(cure, StringComparison.Ordinal), $"the cure is: {problem.Cure}");
        Assert.True(problem.Line == line && problem.File == "test-meter.yaml", said);
    }

    [Fact]
    public void A_probe_does_not_compare_the_raw_value_of_a_point_that_has_a_scale_register()
    {
        var text = Texts.Profile
            .With(Frequency, "id: frequency, at: 10, type: uint16, scaleAt: 11,")
            .With("words: [5000], value: 50", "words: [5000], scale: 0, value: 50");
        Assert.Empty(Load(text).Problems);

        var (profile, problems) = Load(text.With("{ point: frequency, min: 45, max: 65 }", "{ point: frequency, anyOf: { 5000: M1 } }"));

        Assert.Null(profile);
        var problem = Assert.Single(problems);
        Assert.Contains("the point 'frequency' has a scale register, so 'anyOf' could match only while that holds 0", problem.What, StringComparison.Ordinal);
        Assert.Contains("'at' and 'type'", problem.Cure, StringComparison.Ordinal);
        Assert.Equal(15, problem.Line);
    }

    [Fact]
    public void An_address_that_looks_printed_is_a_warning_until_it_is_confirmed()
    {
        var suspicious = Texts.Profile.With(Frequency, "id: frequency, at: 40010, type: uint16,");
        var (profile, problems) = Load(suspicious);
        Assert.NotNull(profile);
        Assert.Contains("looks like a number printed in a manual", Assert.Single(problems).What, StringComparison.Ordinal);
        Assert.Equal(ProblemSeverity.Warning, problems[0].Severity);

        Assert.Empty(Load(suspicious.With("at: 40010,", "at: 40010, addressConfirmed: true,")).Problems);
    }

    [Fact]
    public void A_register_that_is_accounted_twice_is_refused()
    {
        var text = Texts.Profile.With("selfTest:", "  - { id: tariff, at: 30, type: uint32, unit: kW.h, role: electricity.energy.active.import.t1, counter: { rolloverAt: none, resets: user }, carbon: { role: electricity_purchased, scope: 2 }, source: [manual] }\nselfTest:");
        var (_, problems) = Load(text);
        Assert.Contains("two points enter the carbon account as electricity-purchased", Assert.Single(problems).What, StringComparison.Ordinal);
    }

    internal static (DeviceProfile? Profile, IReadOnlyList<Problem> Problems) Load(string text) => ProfileLoader.Load(new("test-meter.yaml", text));
}
