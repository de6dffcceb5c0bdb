using EdgeGateway.Core.Configuration;
using static EdgeGateway.Core.Configuration.Scalars;

namespace EdgeGateway.Core.Profiles;

/// <summary>The grammar of a device profile: every key, once.</summary>
public static class ProfileShape
{
    public const string SchemaName = "edgegateway/device-profile/1";

    private static readonly ScalarShape Table = Choice("holding", "input", "coil", "discrete");
    private static readonly ScalarShape Type = Choice([.. TypeWords.Numbers, "mod10", "datetime", "text"]).With(TypeWords.MeantType);
    private static readonly ScalarShape ProbeType = Choice(TypeWords.Numbers).With(TypeWords.MeantType);
    private static readonly ScalarShape WordOrder = Choice("high-first", "low-first").With(TypeWords.MeantOrder);
    private static readonly ScalarShape Bits = new(
        "a bit such as 3, or adjacent bits such as 4..7, 0 = least significant",
        s => TypeWords.TryBits(s.Text, out _, out _),
        json =>
        {
            json.WriteStartArray("type");
            json.WriteStringValue("string");
            json.WriteStringValue("integer");
            json.WriteEndArray();
            json.WriteString("pattern", @"^[0-9]+([.][.][0-9]+)?$");
        });

    private static readonly ScalarShape ByteOrder = Choice("big", "little");
    private static readonly ScalarShape PollClass = Choice("fast", "normal", "slow", "once");
    private static readonly ScalarShape AnyInteger = new ScalarShape(
        "a whole number, decimal or 0x hexadecimal",
        s => s.IsPlain && Quantities.TryInteger(s.Text, out var v) && v >= long.MinValue && v <= ulong.MaxValue,
        json => json.WriteString("type", "integer")).With(MeantInteger);

    public static readonly ObjectShape Cited = new(
        "a citation",
        new("id", PointId, "Name of the source under 'sources'.") { Required = true },
        new("line", Integer(1, 1_000_000), "Line in the file of the source."),
        new("page", Text, "Page of the document."),
        new("note", Text, "What the source says differently."));

    private static readonly ListShape Citations = new(new EitherShape(PointId, Cited), min: 1);

    /// <summary>A text in two languages.</summary>
    public static readonly ObjectShape Title = new(
        "the title",
        new("en", Text, "English.") { Required = true },
        new("zh", Text, "Chinese."));

    public static readonly ObjectShape Source = new(
        "a source",
        new("type", Choice("code", "document", "page"), "Program text, document, or page of a library.") { Required = true },
        new("ref", Text, "Title of the document with its number, or repository with path.") { Required = true },
        new("edition", Text, "Edition, revision or date of the document."),
        new("page", Text, "Page or pages of the document, or the section."),
        new("commit", Text, "Commit of the repository."),
        new("checked", TrueOrFalse, "Whether somebody read it in the original.") { Default = "false" },
        new("note", Text, "What to know about it."));

    public static readonly ObjectShape Functions = new(
        "the function codes",
        new("holding", Choice("3"), "Function code that reads holding registers."),
        new("input", Choice("4"), "Function code that reads input registers."),
        new("coil", Choice("1"), "Function code that reads coils."),
        new("discrete", Choice("2"), "Function code that reads discrete inputs."));

    public static readonly ObjectShape SunSpec = new(
        "sunspec",
        new("model", Integer(1, 65_534), "Number of the model: 103, 203, ... Points count from the register that holds it.") { Required = true },
        new("length", Integer(1, 65_000), "Registers of the model behind its number and its length (L); checked against the points, and shown by the simulator."));

    public static readonly ObjectShape Modbus = new(
        "transport.modbus",
        new("sunspec", SunSpec, "The registers are a SunSpec model, which is looked for in the device's list of models (behind 'SunS' at 40000, 0 or 50000); 'at' counts from the model's first register. Every reply is checked to be of that model."),
        new("functions", Functions, "Function codes; they follow from the table and are stated for the reader."),
        new("addressBase", Choice("pdu"), "Addresses are zero-based, as sent on the wire.") { Default = "pdu" },
        new("maxRegistersPerRead", Integer(1, 125), "Most registers the device answers in one request (MODBUS V1.1b3, 6.3: at most 125).") { Default = "125" },
        new("mayReadGaps", TrueOrFalse, "Whether addresses that no point names may be read to join two blocks.") { Default = "false" },
        new("minGapMs", Integer(0, 10_000), "Quiet time between two requests, in milliseconds.") { Default = "0" },
        new("oneClientOnly", TrueOrFalse, "Whether the device takes one TCP connection only: while the gateway runs, no other program can read it.") { Default = "false" },
        new("timeoutMs", Integer(10, 60_000), "Longest time to the answer, in milliseconds."));

    public static readonly ObjectShape Transport = new(
        "transport",
        new("modbus", Modbus, "How the device speaks Modbus.") { Required = true },
        new("local", TrueOrFalse, "true: the registers are blocks of inputs of the gateway's own computer (a bus without a wire). Such a profile is never proposed for a device on a wire.") { Default = "false" },
        new("dlt645", TrueOrFalse, "true: the registers are quantities of a DL/T 645-2007 meter, as docs/dlt645.md shows them. Such a profile is never proposed for a Modbus device.") { Default = "false" },
        new("hj212", TrueOrFalse, "true: the registers are what an HJ 212 data logger sends, as docs/hj212.md shows it. Such a profile is never proposed for a Modbus device.") { Default = "false" });

    private static readonly ScalarShape PrintedBase = Integer(0, 465_536);

    public static readonly ObjectShape Addressing = new(
        "addressing",
        new("holding", PrintedBase, "Number that the manual prints for the holding register with the wire address 0: 40001, 400001, 1 or 0."),
        new("input", PrintedBase, "The same for input registers: 30001, 300001, 1 or 0."),
        new("coil", PrintedBase, "The same for coils: 1 or 0."),
        new("discrete", PrintedBase, "The same for discrete inputs: 10001, 100001, 1 or 0."));

    public static readonly ObjectShape Defaults = new(
        "the defaults",
        new("table", Table, "Table of points that name none."),
        new("wordOrder", WordOrder, "Which word of a value of several registers stands in the lower address.") { AlsoCalled = ["endian", "swap", "byteorder"] },
        new("byteOrder", ByteOrder, "Order of the bytes inside a register; Modbus says big.") { Default = "big" },
        new("access", Choice("read"), "Points are read.") { Default = "read" },
        new("poll", PollClass, "Poll class of points that name none.") { Default = "normal" });

    public static readonly ObjectShape Poll = new(
        "the poll classes",
        new("fast", Duration, "Period of the class fast.") { Default = "1s" },
        new("normal", Duration, "Period of the class normal.") { Default = "10s" },
        new("slow", Duration, "Period of the class slow.") { Default = "60s" },
        new("once", Choice("start"), "The class once is read when the device is first reached.") { Default = "start" });

    public static readonly ObjectShape Plausible = new(
        "plausible",
        new("min", Number, "Values below are not believed, in the point's unit."),
        new("max", Number, "Values above are not believed, in the point's unit."),
        new("maxRate", Number, "Largest believable change per second, in the point's unit."),
        new("why", Text, "Where the bounds come from."));

    public static readonly ObjectShape Alarm = new(
        "alarm",
        new("low", Number, "A warning begins below, in the point's unit."),
        new("high", Number, "A warning begins above, in the point's unit."),
        new("lowAlarm", Number, "The warning becomes an alarm below, in the point's unit."),
        new("highAlarm", Number, "The warning becomes an alarm above, in the point's unit."),
        new("hysteresis", Number, "The value must come back by this much before the finding ends, in the point's unit."),
        new("holdFor", Duration, "The value must stay outside this long before the finding begins, and inside before it ends."),
        new("note", Text, "Where the limits come from."));

    public static readonly ObjectShape Anomaly = new(
        "anomaly",
        new("method", Choice("robust-z"), "Finds single values far from their neighbours (detector spike)."),
        new("sensitivity", Choice("low", "medium", "high"), "Robust standard deviations that make a spike: 6, 4, 3.") { Default = "medium" },
        new("stuckFor", Duration, "A value that does not change for this long is a finding (detector stuck)."),
        new("stuckTolerance", Number, "Change that still counts as none, in the point's unit; one step of the raw value when absent."),
        new("stuckIdle", Number, "Values of this size or less are not judged, in the point's unit: what is off stands still.") { Default = "0" },
        new("novelty", Choice("on", "off"), "Whether the detector for any gauge watches the point; by its rule when absent."),
        new("falseAlarmsPerDay", Number, "False alarms a day that are acceptable of that detector on this point alone; it shares those of its device when absent."));

    public static readonly ObjectShape Rate = new(
        "maxRate",
        new("value", Number, "The number.") { Required = true },
        new("unit", Text, "A rate of the point's unit: kW for kW.h, t/h for t.") { Required = true });

    public static readonly ObjectShape Counter = new(
        "counter",
        new("monotonic", Choice("true"), "A counter never falls; a total that may fall is a gauge.") { Default = "true" },
        new("rolloverAt", new EitherShape(Choice("none", "width"), Number), "First value that is never shown, in the point's unit; 'width' when it follows from the type; 'none' when it does not roll over in its life.") { Required = true },
        new("resets", Choice("replace-only", "user"), "Whether people can set it to zero, or only a new device starts at zero.") { Required = true },
        new("maxRate", Rate, "Largest believable growth."));

    public static readonly ObjectShape Carbon = new(
        "carbon",
        new("role", Choice("electricity_purchased", "electricity_sold"), "How the growth enters the carbon account; never a factor.") { Required = true },
        new("scope", Choice("1", "2", "none"), "Scope of the GHG Protocol.") { Required = true },
        new("use", Choice("delta"), "The growth of the counter is what counts.") { Default = "delta" });

    public static readonly ObjectShape ScaleRegister = new(
        "a scale register",
        new("at", Integer(0, 65_535), "Zero-based address of the register.") { Required = true },
        new("table", Table, "Its table; it must be the point's, because one request brings both."));

    public static readonly ObjectShape ReadBack = new(
        "readBack",
        new("after", Duration, "Time from the reply to the write until the value is read back; at most 5s.") { Default = "0" },
        new("tolerance", Number, "How far what is read back may be from what was written, in the point's unit; half a step of the register when absent."),
        new("point", PointId, "The point that shows the effect; the point itself when absent."));

    public static readonly ObjectShape Write = new(
        "write",
        new("min", Number, "Smallest value that may be written, in the point's unit."),
        new("max", Number, "Largest value that may be written, in the point's unit."),
        new("step", Number, "Values stand this far apart, counted from min; as fine as the register when absent."),
        new("values", new ListShape(Text, min: 1), "The only values that may be written: numbers in the point's unit or names of the enum."),
        new("function", Choice("single", "multiple"), "Function 05 or 06 for one coil or register, or 15 or 16; single when it fits and nothing is written."),
        new("readBack", ReadBack, "How the effect is read back."),
        new("safe", Text, "The value to which a write for a time falls back: a number in the point's unit or a name of the enum."));

    public static readonly ObjectShape Flag = new(
        "a flag",
        new("name", Text, "Name of the bit.") { Required = true },
        new("severity", Choice("warning", "alarm"), "The bit is a finding of this severity while it holds (detector flag)."),
        new("when", Choice("0", "1"), "What the bit holds while the condition is there; 0 for contacts that open.") { Default = "1" },
        new("holdFor", Duration, "The bit must hold this long before the finding begins, and be gone as long before it ends.") { Default = "0" },
        new("title", Title, "The finding in words; the name when absent."));

    public static readonly ObjectShape Disagreement = new(
        "a disagreement",
        new("at", new EitherShape(Integer(0, 65_535), new ListShape(Integer(0, 65_535), min: 1)), "Wire address or addresses of the facts that the profile does not follow; for SunSpec counted from the model's first register.") { Required = true },
        new("table", Table, "Their table; the defaults' when absent."),
        new("because", Text, "Why the profile says something else, or leaves the register out.") { Required = true },
        new("source", Citations, "The source that decides.") { Required = true });

    public static readonly ObjectShape Point = new(
        "a point",
        new("id", PointId, "Name of the point within the device.") { Required = true, AlsoCalled = ["name"] },
        new("at", Integer(0, 65_535), "Zero-based address as sent on the wire, decimal or hexadecimal.") { Required = true, Inherited = true, AlsoCalled = ["address", "adress", "addr", "register", "offset0"] },
        new("printed", Text, "The number as the manual prints it; with 'addressing' it is checked against 'at'."),
        new("addressConfirmed", TrueOrFalse, "States that an address of 30001-39999 or 40001-49999 is a wire address and not a printed number.") { Default = "false" },
        new("title", Title, "Name for people; the role's in both languages when absent."),
        new("table", Table, "Register table."),
        new("type", Type, "Type of the raw value.") { Required = true, Inherited = true, AlsoCalled = ["format", "datatype"] },
        new("bit", Integer(0, 15), "Bit of the register, 0 = least significant; for type bit."),
        new("bits", Bits, "Adjacent bits of an unsigned integer that are the point: 4..7 is a number from 0 to 15."),
        new("length", Integer(1, 125), "Number of registers of a text, or of a mod10 (2, 3 or 4).") { AlsoCalled = ["count", "quantity", "size", "registers"] },
        new("wordOrder", WordOrder, "Order of the words, where it differs from the defaults; texts and dates stand in address order unless they say otherwise."),
        new("byteOrder", ByteOrder, "Order of the bytes, where it differs from the defaults."),
        new("encoding", Choice("ascii", "utf-8"), "Coding of a text.") { Default = "ascii", AlsoCalled = ["charset"] },
        new("form", Choice("iec", "powerlogic-4", "powerlogic-3", "bytes-3", "bcd-3", "parts-6"), "How a datetime stands in its registers; see the table of forms."),
        new("clock", Choice("utc", "local"), "Whether a datetime, or seconds since 1970, is in UTC or follows a clock that shows local time."),
        new("access", Choice("read", "read-write", "write-only"), "Whether the point is read, may also be written within 'write', or can only be written."),
        new("write", Write, "What may be written; a site must allow it too.") { AlsoCalled = ["writable", "limits"] },
        new("scale", Number, "Factor from the raw value to the unit.") { Default = "1", AlsoCalled = ["factor", "multiplier", "divider"] },
        new("scaleAt", new EitherShape(Integer(0, 65_535), ScaleRegister), "Address of a register with the power of ten (-10 to 10, SunSpec sunssf) by which the raw value is multiplied; several points may share it.") { AlsoCalled = ["scaleFactor", "sf", "exponent", "scaleRegister"] },
        new("offset", Number, "Added after scaling, in the unit.") { Default = "0" },
        new("why", Text, "Why a float carries a power-of-ten scale."),
        new("unit", Text, "UCUM code from the unit table; \"1\" for a plain number.") { Default = "1" },
        new("role", Text, "What the point means, from the role list, without the suffix that perPhase adds.") { Required = true, Inherited = true },
        new("sign", Choice("import-positive", "export-positive"), "Which direction of power the device shows as positive; export-positive is turned round.") { Default = "import-positive" },
        new("perPhase", new ListShape(Text, min: 1), "Parts to which the entry is expanded, such as [l1, l2, l3]: id and role get them as suffix.") { AlsoCalled = ["phases"] },
        new("stride", Integer(1, 65_535), "Addresses from one part to the next."),
        new("poll", PollClass, "Poll class."),
        new("applies", new ListShape(Choice("ct", "pt", "pulses")), "Constants of the site that make the value: transformer ratios that multiply it, for meters that report secondary values; the pulses for one unit that divide it, for pulse meters."),
        new("invalid", new EitherShape(AnyInteger, new ListShape(AnyInteger, min: 1), Null), "Raw values by which the device says 'not available'; null for none where the profile that is extended has some."),
        new("enum", new MapShape(AnyInteger, Text, min: 1), "Names of the raw values of a state.") { AlsoCalled = ["symbols", "values"] },
        new("flags", new MapShape(Integer(0, 63), new EitherShape(Text, Flag), min: 1), "Names of the bits of a status word, by bit number, 0 = least significant; a block makes the bit a finding.") { AlsoCalled = ["bitNames"] },
        new("plausible", Plausible, "What can be believed."),
        new("alarm", Alarm, "Limits that make a finding (detector limit); the site may override them."),
        new("anomaly", Anomaly, "What else makes a finding."),
        new("priority", Choice("low", "medium", "high", "critical"), "Priority of its alarms; a warning is one below. critical is for what endangers people and is never put under another alarm.") { Default = "high" },
        new("counter", Counter, "What is known about a counter."),
        new("carbon", Carbon, "How the point enters the carbon account."),
        new("source", Citations, "Where the register is stated.") { Required = true, Inherited = true, AlsoCalled = ["sources"] },
        new("note", Text, "What to know about the point."));

    public static readonly ObjectShape Identify = new(
        "an identify probe",
        new("point", PointId, "Probe a point of the profile by range."),
        new("at", Integer(0, 65_535), "Probe a register: its address."),
        new("type", ProbeType, "Type of the register."),
        new("table", Table, "Table of the register."),
        new("wordOrder", WordOrder, "Order of the words."),
        new("anyOf", new MapShape(AnyInteger, Text, min: 1), "Right raw values and the model that each names."),
        new("min", Number, "Smallest right value."),
        new("max", Number, "Largest right value."),
        new("source", Citations, "Where the register is stated."));

    public static readonly ObjectShape SelfTest = new(
        "a self-test",
        new("point", PointId, "The point, phases expanded.") { Required = true },
        new("words", new ListShape(Integer(0, 65_535), min: 1, max: 125), "Register values in address order.") { Required = true },
        new("scale", Integer(-32_768, 32_767), "What the scale register holds, for points with scaleAt."),
        new("value", Number, "What they mean, in the point's unit."),
        new("text", new ScalarShape("a text", s => true, json => json.WriteString("type", "string")), "What the words of a text read."),
        new("quality", Choice("invalid", "not-a-number", "bad-digits", "bad-date", "bad-scale"), "Why they mean nothing."));

    /// <summary>What a profile or a site says of a rule: off, or numbers and points by key.</summary>
    public static readonly MapShape Rules = new(Id, new EitherShape(Choice("off"), new MapShape(PointId, Text)));

    public static readonly ObjectShape Root = new(
        "a device profile",
        new("schema", Choice(SchemaName), "Format and its major version.") { Required = true },
        new("extends", Id, "Id of the profile of which this one is a variant: it takes over everything that is not stated here.") { AlsoCalled = ["inherits", "base", "parent"] },
        new("remove", new ListShape(PointId, min: 1), "Points of the extended profile that this device does not have, by their 'id' there."),
        new("id", Id, "Identifier; the file is <kind>/<id>.yaml.") { Required = true },
        new("kind", Choice("energy-meter", "drive", "belt-scale", "gas-analyser", "gas-detector", "vibration", "remote-io", "environment", "transformer-monitor", "protection", "inverter", "conveyor-sensor", "gas-meter", "flow-meter", "weather", "computer", "generic"), "Kind of device, and the folder of the file.") { Required = true, Inherited = true },
        new("vendor", Text, "Maker.") { Required = true, Inherited = true },
        new("models", new ListShape(Text, min: 1), "Models that the profile describes.") { Required = true, AlsoCalled = ["model"] },
        new("revision", Integer(1, 10_000), "Grows with every change of the file.") { Required = true },
        new("title", Title, "Name for people.") { Required = true },
        new("wiring", Title, "What a technician connects and sets on the device: terminals, termination, address and baud rate."),
        new("sources", new MapShape(PointId, Source, min: 1), "Documents and program texts that points cite.") { Required = true, Inherited = true },
        new("transport", Transport, "How the device is reached.") { Required = true, Inherited = true },
        new("addressing", Addressing, "How the manual numbers registers, for the check of 'printed'."),
        new("defaults", Defaults, "What points inherit."),
        new("poll", Poll, "Periods of the poll classes."),
        new("identify", new ListShape(Identify, min: 1), "Probes that refuse the wrong device.") { Required = true, Inherited = true },
        new("points", new ListShape(Point, min: 1), "The quantities.") { Required = true, Inherited = true },
        new("selfTest", new ListShape(SelfTest, min: 1), "Raw words and what they mean; run whenever the profile is loaded.") { Required = true, Inherited = true, AlsoCalled = ["tests"] },
        new("disagreements", new ListShape(Disagreement, min: 1), "Collected facts about this device that the profile does not follow, each with the reason."),
        new("rules", Rules, "Rules of the trade that work differently on this device: off, or their numbers; they find their points by role. See docs/detectors.md."),
        new("quirks", new ListShape(Text), "What a technician should know.") { AlsoCalled = ["notes"] });
}
