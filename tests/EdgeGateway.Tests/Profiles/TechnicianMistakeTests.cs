using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Tests.Profiles;

/// <summary>The mistakes that people make in YAML: each gets its place, what is wrong, and how to mend it.</summary>
public class TechnicianMistakeTests
{
    private const string Good = """
        schema: edgegateway/device-profile/1
        id: test-meter
        kind: energy-meter
        vendor: Maker
        models: [M1]
        revision: 1
        title: { en: Meter }
        sources:
          manual: { type: document, ref: M1 manual }
        transport:
          modbus:
            maxRegistersPerRead: 64
        addressing: { holding: 1 }
        defaults: { table: holding, wordOrder: high-first }
        identify:
          - { point: frequency, min: 45, max: 65 }
        points:
          - id: frequency
            at: 0x0A
            printed: 11
            type: uint16
            scale: 0.01
            unit: Hz
            role: electricity.frequency
            source: [manual]
        selfTest:
          - { point: frequency, words: [5000], value: 50 }

        """;

    public static TheoryData<string, string, string, int, string, string> Mistakes => new()
    {
        { "a tab", "    at: 0x0A", "\tat: 0x0A", 19, "a tab is used for indentation", "Indent with spaces, two for each level" },
        { "a tab further in", "    type: uint16", "  \ttype: uint16", 21, "a tab is used for indentation", "Indent with spaces" },
        { "a key one column to the left", "    type: uint16", "   type: uint16", 21, "the YAML is broken here", "keys of one block begin in the same column" },
        { "a key one column to the right", "    type: uint16", "     type: uint16", 21, "the YAML is broken here", "keys of one block begin in the same column" },
        { "a list item too far left", "  - id: frequency", "- id: frequency", 19, "the YAML is broken here", "Look at the indentation" },
        { "no space behind the colon", "    unit: Hz", "    unit:Hz", 23, "there is no space behind the colon of 'unit:'", "a key is followed by ': '" },
        { "a colon in a text", "ref: M1 manual", "ref: M1: manual", 9, "the YAML is broken here", "a text that holds ': ' or ' #' needs quotes" },
        { "a quote that is not closed", "vendor: Maker", "vendor: \"Maker", 4, "the YAML is broken here", "quotes come in pairs" },
        { "a unit as people write it", "unit: Hz", "unit: hz", 23, "the unit 'hz' is not in the table", "Did you mean 'Hz'?" },
        { "a unit of something else", "unit: Hz", "unit: kW.h", 23, "the role electricity.frequency cannot have the unit 'kW.h' (kilowatt hour)", "units of this role: Hz, kHz" },
        { "a role of another collection", "role: electricity.frequency", "role: frequency", 24, "the role 'frequency' is not in the list", "Did you mean 'electricity.frequency'?" },
        { "a role with a slip of the pen", "role: electricity.frequency", "role: electricity.freqency", 24, "the role 'electricity.freqency' is not in the list", "Did you mean 'electricity.frequency'?" },
        { "a key twice", "    type: uint16", "    type: uint16\n    at: 12", 22, "the key 'at' stands here for the second time (first in line 19)", "Keep one of the two" },
        { "hexadecimal without 0x", "at: 0x0A", "at: 0A", 19, "'at' is '0A'", "A hexadecimal number begins with 0x: write 0x0A." },
        { "hexadecimal with an h", "at: 0x0A", "at: 000Ah", 19, "'at' is '000Ah'", "write 0x000A." },
        { "hexadecimal with a capital X", "at: 0x0A", "at: 0X0A", 19, "'at' is '0X0A'", "write 0x0A." },
        { "a number in quotes", "at: 0x0A", "at: \"10\"", 19, "'at' is '10'", "In quotes it is a text: write 10 without quotes." },
        { "a mark between the digits", "at: 0x0A", "at: 1,000", 19, "'at' is '1,000'", "Write the digits without marks between them: 1000." },
        { "an address counted from one", "at: 0x0A", "at: 11", 20, "'frequency' is printed as 11, which is the wire address 10", "Write 'at: 10', or correct 'printed'; a difference of 1 is the usual slip" },
        { "a printed number as address", "at: 0x0A\n    printed: 11", "at: 40011", 19, "the address 40011 of 'frequency' looks like a number printed in a manual", "Subtract 30001 or 40001" },
        { "a decimal comma", "scale: 0.01", "scale: 0,01", 22, "'scale' is '0,01'", "Decimals stand behind a point: 0.01." },
        { "yes for true", "maxRegistersPerRead: 64", "mayReadGaps: yes", 12, "'mayReadGaps' is 'yes'", "Write true or false" },
        { "a text where a list belongs", "source: [manual]", "source: manual", 25, "'source' is 'manual'", "a list" },
        { "a key of another program", "at: 0x0A", "address: 0x0A", 19, "unknown key 'address' in a point", "Did you mean 'at'?" },
        { "a value forgotten", "    type: uint16", "    type:", 21, "'type' is empty", "one of bit, uint16" },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public void Each_mistake_says_where_it_is_and_how_to_mend_it(string mistake, string passage, string becomes, int line, string said, string cure)
    {
        Assert.Contains(passage, Good, StringComparison.Ordinal);
        var at = Good.IndexOf(passage, StringComparison.Ordinal);
        var problems = ProfileLoader.Load(new("test-meter.yaml", Good[..at] + becomes + Good[(at + passage.Length)..])).Problems;
        Assert.True(
            problems.Any(p => p.Line == line && p.What.Contains(said, StringComparison.Ordinal) && p.Cure.Contains(cure, StringComparison.Ordinal)),
            $"{mistake}, said: {string.Join("\n", problems)}");
        Assert.All(problems, p => Assert.NotEqual("", p.Cure));
    }

    [Fact]
    public void Without_a_mistake_nothing_is_said() => Assert.Empty(ProfileLoader.Load(new("test-meter.yaml", Good)).Problems);
}
