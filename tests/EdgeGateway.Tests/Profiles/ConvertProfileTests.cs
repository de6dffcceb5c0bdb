using EdgeGateway.Commands.Profiles;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Tests.Profiles;

/// <summary>Register lists of other programs become drafts: what they say is taken over, what they do not say is a blank, and nothing else is wrong.</summary>
public class ConvertProfileTests
{
    private const string EdgeX = """
        name: "Network-Power-Meter"
        manufacturer: "Acme"
        model: "PM1"
        description: "Power meter"
        deviceResources:
          - name: "voltage_l1_n"
            isHidden: false
            description: "Voltage"
            attributes: { primaryTable: "HOLDING_REGISTERS", startingAddress: "4", rawType: "Uint16" }
            properties: { valueType: "Float32", readWrite: "R", units: "V", scale: "0.1" }
          - name: "ActiveEnergy"
            attributes: { primaryTable: "HOLDING_REGISTERS", startingAddress: 9, rawType: "Int32", isWordSwap: true }
            properties: { valueType: "Int32", readWrite: "R", units: "kWh" }
          - name: "Alarm"
            attributes: { primaryTable: "COILS", startingAddress: 2 }
            properties: { valueType: "Bool", readWrite: "R" }

        """;

    private const string Wiren = """
        {
          // comments stand in these files
          "title": "Meter X", "device_type": "x",
          "device": {
            "name": "X", "max_read_registers": 60,
            "channels": [
              { "name": "Voltage L1 N", "reg_type": "input", "address": "0x0010", "type": "voltage", "format": "u32", "scale": 0.01, "units": "V", "word_order": "little_endian", "error_value": "0xFFFFFFFF" },
              { "name": "Status bits", "reg_type": "holding", "address": "5:3:2", "type": "value" },
              { "name": "Relay", "reg_type": "coil", "address": 1, "type": "switch" },
            ]
          }
        }
        """;

    private const string SunSpec = """
        { "id": 64999, "group": { "name": "thing", "label": "Thing", "points": [
          { "name": "ID", "type": "uint16", "size": 1, "value": 64999 },
          { "name": "L", "type": "uint16", "size": 1 },
          { "name": "A", "type": "int16", "size": 1, "sf": "A_SF", "units": "A", "label": "Amps" },
          { "name": "PPVphAB", "type": "float32", "size": 2, "units": "V" },
          { "name": "A_SF", "type": "sunssf", "size": 1 },
          { "name": "Evt", "type": "bitfield32", "size": 2, "symbols": [ { "name": "GROUND_FAULT", "value": 0 } ] },
          { "name": "Mn", "type": "string", "size": 4 }
        ] } }
        """;

    private const string Telegraf = """
        [[inputs.modbus]]
          name = "Device" # a comment
          slave_id = 1
          holding_registers = [
            { name = "current_l1", byte_order = "CDAB", data_type = "FLOAT32-IEEE", scale=1.0, address = [6,7]},
            { name = "battery", byte_order = "AB",   data_type = "FIXED", scale=0.1, address = [0] },
          ]
          coils = [ { name = "motor1_run", address = [0] } ]

        [[inputs.modbus.request]]
          register = "input"
          byte_order = "DCBA"
          fields = [
            { address=100, type="UINT32", name="frequency", scale=0.01, omit=false },
            { address=102, type="INT16", name="unused", omit=true },
          ]
        """;

    [Fact]
    public void An_EdgeX_profile_is_taken_over()
    {
        var draft = Convert("edgex.yaml", EdgeX);
        Assert.Equal(("Acme", "PM1", "Power meter"), (draft.Vendor, draft.Model, draft.Title));
        Assert.Equal(
            [("voltage_l1_n", "4", "holding", "uint16", "0.1", "V", "electricity.voltage.l1_n"), ("activeenergy", "9", "holding", "int32", null, "kW.h", null), ("alarm", "2", "coil", "bit", null, "1", null)],
            draft.Points.Select(p => (p.Id, p.At, p.Table, p.Type, p.Scale, p.Unit, p.Role)));
        Assert.Equal("low-first", draft.Points[1].WordOrder);
        OnlyBlanks(draft, "'role' of the point 'activeenergy'");
    }

    [Fact]
    public void A_wb_mqtt_serial_template_is_taken_over()
    {
        var draft = Convert("config-x.json", Wiren);
        Assert.Equal(60, draft.MaxRegisters);
        Assert.Equal(
            [("voltage_l1_n", "0x0010", "input", "uint32", "0.01", "low-first"), ("status_bits", "5", "holding", "uint16", null, null), ("relay", "1", "coil", "bit", null, null)],
            draft.Points.Select(p => (p.Id, p.At, p.Table, p.Type, p.Scale, p.WordOrder)));
        Assert.Equal(("0xFFFFFFFF", "3..4", "electricity.voltage.l1_n"), (draft.Points[0].Invalid, draft.Points[1].Bits, draft.Points[0].Role));
        OnlyBlanks(draft, "'role' of the point 'relay'");
    }

    [Fact]
    public void A_SunSpec_model_is_taken_over_with_its_scale_registers()
    {
        var draft = Convert("model_64999.json", SunSpec);
        Assert.Equal((64999, 10), (draft.SunSpecModel, draft.SunSpecLength));
        Assert.Equal(
            [("a", "2", "int16", "5", "electricity.current"), ("ppvphab", "3", "float32", null, "electricity.voltage.l1_l2"), ("evt", "6", "uint32", null, "device.fault"), ("mn", "8", "text", null, null)],
            draft.Points.Select(p => (p.Id, p.At, p.Type, p.ScaleAt, p.Role)));
        Assert.Equal([("0", "ground fault")], draft.Points[2].Flags);
        OnlyBlanks(draft, "'role' of the point 'mn'");
    }

    [Fact]
    public void Telegraf_register_tables_of_both_styles_are_taken_over()
    {
        var draft = Convert("telegraf.conf", Telegraf);
        Assert.Equal(
            [("current_l1", "6", "holding", "float32", "low-first", null), ("battery", "0", "holding", "int16", null, null), ("motor1_run", "0", "coil", "bit", null, null), ("frequency", "100", "input", "uint32", "low-first", "little")],
            draft.Points.Select(p => (p.Id, p.At, p.Table, p.Type, p.WordOrder, p.ByteOrder)));
        Assert.Equal(("0.1", "electricity.frequency"), (draft.Points[1].Scale, draft.Points[3].Role));
        OnlyBlanks(draft, "'unit' of the point 'current_l1'");
    }

    [Theory]
    [InlineData("x.json", "{ \"a\": 1 }", "none of the formats")]
    [InlineData("x.json", "{ \"channels\": [", "is not JSON")]
    [InlineData("x.json", "{ \"channels\": [] }", "has not the shape of such a file")]
    [InlineData("x.conf", "[[inputs.modbus]]\nname = \"a", "x.conf:2: a text is not closed")]
    [InlineData("x.yaml", "deviceResources: []", "has no deviceResources")]
    public void What_is_not_understood_says_why(string file, string text, string said) =>
        Assert.Contains(said, Assert.Throws<FormatException>(() => Convert(file, text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{ \"id\": 1, \"group\": { \"points\": [ { \"type\": \"int16\" } ] } }", "point 1: 'name' is missing")]
    [InlineData("{ \"id\": 1, \"group\": { \"points\": [ { \"name\": \"A\" } ] } }", "point 1: 'type' of 'A' is missing")]
    [InlineData("{ \"id\": 1, \"group\": { \"points\": [ { \"name\": \"A\", \"type\": \"int16\" }, { \"name\": \"A\", \"type\": \"int16\" } ] } }", "point 2: there is a 'A' already")]
    [InlineData("{ \"id\": 1, \"group\": { \"points\": [ { \"name\": \"A\", \"type\": \"int16\", \"sf\": 2000000000 } ] } }", "'A': its scale factor is the power of ten 2000000000")]
    [InlineData("{ \"id\": 1, \"group\": { \"points\": [ { \"name\": \"A\", \"type\": \"int16\", \"sf\": -2147483648 } ] } }", "'A': its scale factor is the power of ten -2147483648")]
    [InlineData("{ \"id\": 1, \"group\": { \"points\": [ { \"name\": \"A\", \"type\": \"int16\", \"sf\": \"A_SF\" } ] } }", "'A': its scale factor 'A_SF' is none of the points")]
    [InlineData("{ \"id\": 1, \"group\": { \"points\": [ { \"name\": \"A\", \"type\": \"string\", \"size\": 2000000000 } ] } }", "point 1: 'size' of 'A', a string, is '2000000000'")]
    [InlineData("{ \"id\": 1, \"group\": { \"points\": [ { \"name\": \"A\", \"type\": \"string\", \"size\": 60000 }, { \"name\": \"B\", \"type\": \"string\", \"size\": 60000 } ] } }", "point 2, 'B': the points until here take 120000 registers")]
    [InlineData("{ \"id\": \"x\", \"group\": { \"points\": [] } }", "'id' is missing, or is no number")]
    [InlineData("{ \"id\": 1e9, \"group\": { \"points\": [] } }", "'id' is no number of a model")]
    [InlineData("{ \"id\": 1, \"group\": { \"points\": { } } }", "'points' is missing, or is no array")]
    [InlineData("{ \"id\": 1, \"group\": [ ] }", "'group' is missing, or is no object")]
    [InlineData("[ { \"group\": 1 } ]", "'group' is missing, or is no object")]
    [InlineData("{ \"id\": 1,\n \"group\": { \"points\": [ }", "x.json:2: this is not JSON")]
    [InlineData("{ \"device\": [], \"channels\": [] }", "'device' is missing, or is no object")]
    [InlineData("{ \"device\": { \"channels\": [ { \"name\": \"A\", \"reg_type\": \"input\", \"address\": \"5:60:2000000000\" } ] } }", "channel 1, 'A': the address names 2000000000 bits")]
    [InlineData("{ \"device\": { \"channels\": [ { \"name\": \"A\", \"reg_type\": \"input\", \"address\": 5, \"scale\": 1e400 } ] } }", "channel 1, 'A': the scale is '1e400'")]
    [InlineData("deviceResources:\n  - { name: A, attributes: { startingAddress: 4 }, properties: { scale: a } }", "line 2, 'A': the scale is 'a'")]
    [InlineData("[[inputs.modbus]]\nholding_registers = [ { name = \"A\", address = [ \"six\" ] } ]", "entry 1 of holding_registers: 'address' lists 'six'")]
    [InlineData("[[inputs.modbus]]\nholding_registers = [ { name = \"A\", address = [6], scale = [1] } ]", "entry 1 of holding_registers: 'scale' is")]
    [InlineData("[[inputs.modbus.request]]\nregister = \"holdings\"\nfields = [ { name = \"A\", address = 6 } ]", "a request reads the register 'holdings'")]
    [InlineData("[[inputs.modbus]]\nname = \"a\\qb\"", "x.json:2: '\\q' in a text is not understood")]
    public void What_is_malformed_is_named_with_its_place(string text, string said)
    {
        var message = Assert.Throws<FormatException>(() => Convert("x.json", text)).Message;
        Assert.StartsWith("x.json", message, StringComparison.Ordinal);
        Assert.Contains(said, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Brackets_without_end_are_refused_and_not_followed()
    {
        foreach (var text in new[] { $"[[inputs.modbus]]\na = {new string('[', 100_000)}", $"{{ \"group\": {new string('[', 100_000)}", $"deviceResources: {new string('[', 100_000)}" })
        {
            Assert.Throws<FormatException>(() => Convert("x.json", text));
        }
    }

    // What somebody cut, or changed by mistake: a draft that can be read again, or words, and nothing else.
    [Theory]
    [InlineData(EdgeX)]
    [InlineData(Wiren)]
    [InlineData(SunSpec)]
    [InlineData(Telegraf)]
    public void A_damaged_file_makes_a_draft_or_an_error_and_never_a_crash(string text)
    {
        string[] strange = ["", "null", "-1", "99999999999999999999", "1e400", "\"a\\nb: [\"", "{}", "[]", "\"<\"", "true", "\u0000", "\uD800", "\"\\uD800\"", "#", "-"];
        var random = new Random(7);
        for (var i = 0; i < 3000; i++)
        {
            var (from, length) = (random.Next(text.Length), random.Next(1, 12));
            var damaged = (i % 3) switch
            {
                0 => text[..from],
                1 => text.Remove(from, Math.Min(length, text.Length - from)),
                _ => Replaced(text, from, strange[random.Next(strange.Length)]),
            };
            try
            {
                var draft = Convert("x", damaged);
                draft.Id ??= "draft";
                draft.Kind ??= "energy-meter";
                Assert.DoesNotContain(Load(draft).Problems, p => p.What.Contains("the YAML is broken", StringComparison.Ordinal));
            }
            catch (FormatException e)
            {
                Assert.StartsWith("x", e.Message, StringComparison.Ordinal);
            }
        }

        // The value at a place, whatever it is: up to what ends it.
        static string Replaced(string text, int from, string by)
        {
            var start = text.IndexOfAny([':', '='], from);
            var end = start < 0 ? -1 : text.IndexOfAny([',', '}', '\n'], start);
            return end < 0 ? text[..from] + by + text[from..] : text[..(start + 1)] + " " + by + text[end..];
        }
    }

    [Theory]
    [InlineData("1e-20", "0.00000000000000000001")]
    [InlineData("0.10", "0.1")]
    [InlineData("1.0", null)]
    [InlineData("1000", "1000")]
    public void A_scale_is_taken_over_exactly(string written, string? scale) => Assert.Equal(scale, ImportWords.Scale(written));

    [Fact]
    public void Points_of_one_name_get_ids_of_their_own()
    {
        var draft = new ProfileDraft();
        draft.Points.AddRange(new[] { "a_2", "a", "a", "a" }.Select(id => new DraftPoint { Id = id }));
        draft.Number();
        Assert.Equal(["a_2", "a", "a_3", "a_4"], draft.Points.Select(p => p.Id));
    }

    [Fact]
    public void A_draft_with_everything_filled_in_is_a_profile()
    {
        var draft = new ProfileDraft
        {
            Id = "maker-m1", Kind = "energy-meter", Vendor = "Maker", Model = "M1", Title = "Meter: M1", SourceRef = "M1 registers", Edition = "2024", Page = "3", DefaultTable = "input", DefaultWordOrder = "high-first",
        };
        draft.PrintedBase["input"] = 30001;
        draft.Points.Add(new DraftPoint { Id = "frequency", At = "70", Printed = "30071", Type = "float32", Unit = "Hz", Role = "electricity.frequency", Words = ["0x4248", "0"], Value = "50" });
        draft.Points.Add(new DraftPoint { Id = "energy", At = "72", Type = "float32", Unit = "kW.h", Role = "electricity.energy.active.import", Rollover = "none", Resets = "replace-only" });
        var (profile, problems) = Load(draft);
        Assert.Empty(problems);
        Assert.Equal(["frequency", "energy"], profile!.Points.Select(p => p.Id));
    }

    private static ProfileDraft Convert(string file, string text) => ConvertProfile.Convert(new(file, text), null);

    private static void OnlyBlanks(ProfileDraft draft, string one)
    {
        draft.Id ??= "draft";
        draft.Kind ??= "energy-meter";
        var problems = Load(draft).Problems;
        Assert.Contains(problems, p => p.What.Contains(one, StringComparison.Ordinal));
        Assert.All(problems, p => Assert.StartsWith("fill in: ", p.What, StringComparison.Ordinal));
    }

    private static (DeviceProfile? Profile, IReadOnlyList<Problem> Problems) Load(ProfileDraft draft) => ProfileLoader.Load(new("draft.yaml", draft.Write()));
}
