using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Boards;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;
using static EdgeGateway.Core.Configuration.Scalars;

namespace EdgeGateway.Core.Site;

/// <summary>The grammar of <c>gateway.yaml</c>: every key, once.</summary>
public static class GatewayShape
{
    public const string SchemaName = "edgegateway/gateway/1";

    private static readonly ScalarShape Off = Choice("off");

    public static readonly ObjectShape Site = new(
        "the site",
        new("id", Id, "Identifier of the site, part of every topic.") { Required = true },
        new("name", Text, "Name for people; the id when absent."),
        new("language", Choice([.. AlarmMessages.Languages]), "Language in which alarms are explained; commands have --language.") { Default = "en", AlsoCalled = ["lang", "locale"] },
        new("timezone", Text, "Zone in which days begin, an IANA name such as Asia/Shanghai.") { Required = true, AlsoCalled = ["time zone", "tz"] },
        new("region", Text, "Grid region of the emission factors, such as CN-SX.") { Required = true });

    public static readonly ObjectShape Gateway = new(
        "the gateway",
        new("id", Id, "Identifier of this gateway, part of every record.") { Required = true },
        new("board", Choice([.. BoardLoader.BuiltIn.Keys.Order(StringComparer.Ordinal)]), "The computer this runs on: check then knows its GPIO lines and UARTs, and finds those used twice, reserved or taken."),
        new("with", new ListShape(new EitherShape(Text, new MapShape(Text, Text))), "What takes lines of the board: lines of config.txt as they stand there (dtoverlay=uart3), and lines that something else uses (GPIO6: power-loss signal of the UPS)."),
        new("power", Power, "Mean power of the gateway itself with what it feeds (modem, converters), by a plug meter or its data sheet: statements then show its own energy and CO2 beside the site's.") { AlsoCalled = ["ownPower", "consumption"] },
        new("statusEvery", Duration, "Prints a line STATUS {...} with depth, dropped, degraded and delivered this often, for test rigs; none when absent."),
        new("sampleMessages", Choice("joined", "poll"), "What one message of samples holds: joined: what a commit brought, up to 500. poll: what one reply of one device brought, for centres that store it as one; a poll that takes two requests makes two.") { Default = "joined" });

    public static readonly ObjectShape Storage = new(
        "the storage",
        new("directory", Text, "Directory of the database and the control socket, relative to gateway.yaml.") { Default = "data", AlsoCalled = ["path", "dir"] },
        new("budget", Size, "Hard limit for all files together; at least 16MiB. When absent 60 % of the space that is free when the store is made, at least 64MiB, and the same from then on."),
        new("records", Integer(1000, int.MaxValue), "Most records that may wait for delivery; limited by the budget alone when absent."),
        new("thin", TrueOrFalse, "Whether samples make room early, from 85 % of the budget on while nothing is delivered.") { Default = "true" },
        new("sampleAge", Duration, "Samples that wait longer than this for delivery go, by the running time of the gateway; never when absent."),
        new("summaryAge", Duration, "Summaries that wait longer than this go; at least sampleAge. Never when absent."),
        new("sampleLog", Size, "Part of the budget for the log of samples; at most half. A quarter of the budget when absent. No reserve: when the budget is used up, the log shrinks to what a restart needs before any summary goes."),
        new("ledgerYears", Integer(1, 100), "Years for which the ledger is kept; then its oldest days are closed with a signed record and removed.") { Default = "10" },
        new("commitWindow", Duration, "Longest time between reading a value and its commit: what a power cut may cost.") { Default = "1s" },
        new("checkpoint", Duration, "Time between two checkpoints of the state; longer, up to 1h, where what the detector for any gauge has learnt makes them large.") { Default = "60s" });

    public static readonly ObjectShape Factors = new(
        "the factors",
        new("file", Text, "The site's own factor set, relative to gateway.yaml; it takes the place of the one that comes with the program.") { Required = true, AlsoCalled = ["path", "set"] },
        new("key", Text, "Public key (PEM) whose signature the set must bear, relative to gateway.yaml. Without it no signature is asked for.") { AlsoCalled = ["publicKey", "keyFile"] },
        new("signature", Text, "The signature of the set, DER, relative to gateway.yaml; the name of the set with .sig when absent."));

    public static readonly ObjectShape Health = new(
        "the health endpoint",
        new Key("listen", Text, "Loopback address and port, or off.") { Default = "127.0.0.1:8080" });

    public static readonly ObjectShape Otlp = new(
        "otlp",
        new("endpoint", Text, "Where the collector listens: https://host:4318, for grpc https://host:4317. /v1/metrics and /v1/traces are added to what is written here.") { Required = true, AlsoCalled = ["url", "server", "collector"] },
        new("protocol", Choice([.. OtlpModel.Protocols]), "How it is spoken to.") { Default = OtlpModel.Protocols[0] },
        new("interval", Duration, "Time between two exports of the metrics, 1s to 1h.") { Default = "1m" },
        new("caFile", Text, "Certificates of authorities (PEM) instead of the system's, relative to gateway.yaml.") { AlsoCalled = ["ca"] },
        new("allowPlaintext", TrueOrFalse, "Allows http:// to collectors beyond this machine.") { Default = "false" });

    public static readonly ObjectShape Telemetry = new(
        "telemetry",
        new Key("otlp", Otlp, "Sends metrics, and the traces of edgegateway follow, to a collector of OpenTelemetry. See docs/observability.md."));

    public static readonly ObjectShape Clock = new(
        "the clock",
        new Key("hold", Duration, "How long after a start readings wait for their dates when the computer does not know the time; then they get provisional dates and say so. At most 1d.") { Default = "15m" });

    public static readonly ObjectShape Rs485 = new(
        "rs485",
        new("mode", Choice("adapter", "kernel"), "Who switches the direction of the line: the adapter by itself, or the kernel by RTS.") { Default = "kernel" },
        new("rtsOnSend", Choice("high", "low"), "Level of RTS while sending.") { Default = "high" },
        new("rtsAfterSend", Choice("high", "low"), "Level of RTS while not sending; the opposite of rtsOnSend when absent."),
        new("delayBefore", Duration, "Between switching to sending and the first bit; whole milliseconds, at most 100ms.") { Default = "0ms" },
        new("delayAfter", Duration, "Between the last bit and switching back; whole milliseconds, at most 100ms.") { Default = "0ms" },
        new("receiveDuringSend", TrueOrFalse, "Whether the own bytes are heard while sending; they are recognised and skipped.") { Default = "false" },
        new("terminate", TrueOrFalse, "Switches on the termination resistor of the UART, where it has one.") { Default = "false" });

    public static readonly ObjectShape TcpBus = BusOf(
        "modbus-tcp",
        "Modbus TCP: one connection, shared by the unit ids behind it.",
        [
            Host(),
            NetworkPort("TCP port."),
            new("pipelining", TrueOrFalse, "Whether several requests may share the connection, once the device has proved that it can. false: one after the other, and no read but those of points.") { Default = "true" },
        ]);

    public static readonly ObjectShape UdpBus = BusOf(
        "modbus-udp", "The frames of Modbus TCP in UDP datagrams.", [Host(), NetworkPort("UDP port.")]);

    public static readonly ObjectShape RtuBus = BusOf(
        "modbus-rtu", "Modbus RTU on a serial port.", SerialLine(Parity(), StopBits()));

    public static readonly ObjectShape AsciiBus = BusOf(
        "modbus-ascii",
        "Modbus ASCII on a serial port.",
        SerialLine(Parity(), new("dataBits", Integer(7, 8), "Data bits.") { Default = "7" }, StopBits()));

    public static readonly ObjectShape RtuOverTcpBus = BusOf(
        "modbus-rtu-over-tcp", "RTU frames in a TCP connection: a serial line behind a device server that passes bytes through.", DeviceServer());

    public static readonly ObjectShape AsciiOverTcpBus = BusOf(
        "modbus-ascii-over-tcp", "ASCII frames in a TCP connection: a serial line behind a device server that passes bytes through.", DeviceServer());

    public static readonly ObjectShape Meter = new(
        "a meter",
        new("unit", Integer(1, 247), "The device that shows it: its 'unit'.") { Required = true },
        new("address", Text, "Twelve digits, as on the name plate; best in quotes. 'edgegateway scan' asks a meter that is alone on its line.") { Required = true, AlsoCalled = ["meter", "number"] });

    public static readonly ObjectShape Dlt645Bus = BusOf(
        "dlt645", "DL/T 645-2007 meters on a serial port. It only reads.", [.. SerialLine("2400", Parity(), StopBits()), .. Meters()], "1s");

    public static readonly ObjectShape Dlt645OverTcpBus = BusOf(
        "dlt645-over-tcp", "DL/T 645-2007 meters behind a device server that passes bytes through. It only reads.", [.. DeviceServer(), .. Meters()], "1s");

    public static readonly ObjectShape Logger = new(
        "a logger",
        new("unit", Integer(1, 247), "The device that shows it: its 'unit'.") { Required = true },
        new("mn", Text, "Its MN, as it sends it; what sends here under another one is named by 'edgegateway status'.") { Required = true });

    public static readonly ObjectShape Hj212Bus = BusOf(
        "hj212",
        "An HJ 212-2017 data logger on a serial port, which sends by itself. It is acknowledged and never told to do anything.",
        [.. SerialLine(new Key("parity", Choice("none", "even", "odd"), "Parity.") { Default = "none" }, StopBits()), .. Loggers()],
        "45s");

    public static readonly ObjectShape Hj212OverTcpBus = BusOf(
        "hj212-over-tcp",
        "HJ 212-2017 data loggers over TCP, which send by themselves. They are acknowledged and never told to do anything.",
        [
            new("host", Text, "Name or address of the logger; with 'listen: true' the address of this computer to which loggers connect.") { Required = true, AlsoCalled = ["address", "ip"] },
            new("port", Integer(1, 65_535), "TCP port.") { Required = true },
            new("listen", TrueOrFalse, "true: loggers connect to this computer, as to a platform. HJ 212 has no encryption: only in a network of the plant's own.") { Default = "false", AlsoCalled = ["server"] },
            new("idleLimit", Duration, "With 'listen: true': a connection on which no packet came for so long is closed, 1m to 1d. Loggers send at least once an hour (RtdInterval).") { Default = "61m" },
            .. Loggers(),
        ],
        "45s");

    public static readonly ObjectShape GpioInput = InputOf(
        "a gpio input",
        new("use", Choice("counter", "contact", "state", "quadrature", "output"), "counter: pulses and their rate. contact: state, time closed, closings. state: the level when it is polled, for chips without edges. quadrature: position and speed of two lines. output: a line that may be written.") { Required = true, AlsoCalled = ["mode", "function"] },
        new("line", Text, "Name of the line, as the board gives it; it is looked for on all chips.") { AlsoCalled = ["name", "gpio", "pin"] },
        new("chip", Text, "The chip, by label or path, where the name is not enough or the line is given by 'offset'."),
        new("offset", Integer(0, 65_535), "Number of the line on its chip, in place of 'line'.") { AlsoCalled = ["number", "index"] },
        new("lineB", Text, "Name of line B of quadrature, on the same chip."),
        new("offsetB", Integer(0, 65_535), "Number of line B of quadrature, in place of 'lineB'."),
        new("activeLow", TrueOrFalse, "Whether a low level is the active one: a contact to ground, most optocouplers.") { Default = "false", AlsoCalled = ["inverted", "invert"] },
        new("bias", Choice("as-is", "disabled", "pull-up", "pull-down"), "The chip's own resistor on the line. One that a chip does not have is ignored by the kernel: measure it once.") { Default = "as-is", AlsoCalled = ["pull"] },
        new("debounce", Duration, "How long a level must hold before the kernel takes it; with 8ms shorter than minimumPulse.") { Default = "0" },
        new("edge", Choice("rising", "falling"), "Edge of a pulse that counts: the line becomes active, or inactive.") { Default = "rising" },
        new("minimumPulse", Duration, "The shortest time that the signal is high or low, by the data sheet of what sends it: 30ms for S0. A counter and quadrature need it.") { AlsoCalled = ["pulseWidth", "pulseLength"] },
        new("minimumInterval", Duration, "Edges sooner than this after the last pulse are bounce, and counted apart; minimumPulse when absent."),
        new("fastest", Number, "Most pulses (steps of quadrature) in a second; what minimumPulse allows when absent.") { AlsoCalled = ["maxRate", "maxFrequency"] },
        new("silence", Duration, "After this long without a pulse the rate is zero; before that it falls by itself.") { Default = "1m" },
        new("drive", Choice("push-pull", "open-drain", "open-source"), "How an output drives its line.") { Default = "push-pull" },
        new("safe", Choice("on", "off"), "State of an output at the start, and when the gateway stops. An output needs it."));

    public static readonly ObjectShape GpioBus = LocalBusOf(
        "gpio",
        "GPIO lines of this computer, by the kernel's character device (Linux 5.10 and newer).",
        new Key("inputs", new ListShape(GpioInput, min: 1), "The lines and what they are used for.") { Required = true, AlsoCalled = ["lines", "pins"] });

    public static readonly ObjectShape SensorCapture = new(
        "a capture",
        new("trigger", Text, "Name of the kernel's trigger, as its file 'name' says: see docs/sensors.md for making one.") { Required = true },
        new("mains", Choice("50Hz", "60Hz"), "Frequency of the mains: samples are averaged over its whole periods.") { Default = "50Hz" });

    public static readonly ObjectShape SensorInput = InputOf(
        "an input of a sensors bus",
        new("device", Text, "The sensor: its label, its address (i2c 1-0048, w1 28-0316a2794f5e), its node of the device tree or its chip; never the kernel's number, which changes. 'edgegateway scan --sensors' lists what is there.") { Required = true, AlsoCalled = ["sensor", "chip", "address"] },
        new("channel", Text, "The kernel's name of the channel (in_voltage0, temp1, temperature), or its label.") { Required = true },
        new("measures", Choice([.. SensorMeasure.All.Select(m => m.Word)]), "What is shown, each in its unit: see docs/sensors.md.") { Required = true, AlsoCalled = ["quantity", "kind"] },
        new("shunt", Number, "Ohms of the resistor across which the channel measures the voltage of a current loop; then the current is shown.") { AlsoCalled = ["ohms", "resistor"] },
        new("capture", SensorCapture, "The kernel takes samples by itself, by a timer, and a reading is their mean since the last one: for loops with hum. Needs a driver with a buffer, and root or a udev rule."));

    public static readonly ObjectShape SensorsBus = LocalBusOf(
        "sensors",
        "Sensors behind drivers of the kernel: IIO, hwmon, 1-Wire thermometers.",
        new Key("inputs", new ListShape(SensorInput, min: 1), "The channels that are read.") { Required = true });

    public static readonly ObjectShape BoxBus = LocalBusOf(
        "box",
        "The health of the computer that the gateway runs on: temperature, supply, disk, memory, clock, card wear.",
        new("temperature", Text, "The sensor of the processor's temperature, by the type of a thermal zone or the name of a hwmon device; found when absent."),
        new("disk", Text, "A directory on the file system whose space is told; that of the store when absent."),
        new("root", Text, "Where /proc and /sys of the computer begin: /host when a container has them there.") { Default = "/" });

    public static readonly VariantShape Bus = new(
        "a bus",
        "type",
        ("modbus-tcp", TcpBus),
        ("modbus-rtu", RtuBus),
        ("modbus-rtu-over-tcp", RtuOverTcpBus),
        ("modbus-ascii", AsciiBus),
        ("modbus-ascii-over-tcp", AsciiOverTcpBus),
        ("modbus-udp", UdpBus),
        ("dlt645", Dlt645Bus),
        ("dlt645-over-tcp", Dlt645OverTcpBus),
        ("hj212", Hj212Bus),
        ("hj212-over-tcp", Hj212OverTcpBus),
        ("gpio", GpioBus),
        ("sensors", SensorsBus),
        ("box", BoxBus));

    public static readonly ObjectShape Metering = new(
        "metering",
        new("role", Choice("incomer", "submeter", "generator", "transfer"), "What the meter's energy means: drawn from the grid, a part behind another meter, own generation, or a tie that passes it from its parent to another meter.") { Required = true },
        new("parent", new EitherShape(Null, Id), "Device id of the meter in front of it; null or absent for a root."),
        new("to", Id, "Only of a transfer: device id of the meter behind which the energy arrives. What flows back is read from the register of sold energy."),
        new("countsTowardSite", TrueOrFalse, "Whether its energy is added to the site's total; true for an incomer without a parent when absent."),
        new("direction", Choice("import", "reversed"), "reversed when it is wired so that the import registers hold export.") { Default = "import" });

    public static readonly ObjectShape MeasuredCarbon = new(
        "measured",
        new("carbonPercent", Number, "Carbon in the fuel as received, percent by mass.") { Required = true },
        new("oxidationPercent", Number, "Share of it that burns, percent.") { Required = true },
        new("uncertaintyPercent", Number, "Half width at 95 % of the carbon, percent; absent when not known."),
        new("source", Text, "The analysis: who, when.") { Required = true });

    public static readonly ObjectShape Instrument = new(
        "an instrument",
        new("name", Text, "Name of the certificate or contract, in the notes of entries.") { Required = true },
        new("kWh", Number, "Energy it stands for, kWh.") { Required = true },
        new("kgPerKWh", Number, "Its factor, kg CO2/kWh; 0 for green power.") { Default = "0" },
        new("uncertaintyPercent", Number, "Half width at 95 % of the factor, percent.") { Default = "0" },
        new("from", Accounting.FactorSetShape.Time, "First instant for which it may be used.") { Required = true },
        new("to", Accounting.FactorSetShape.Time, "End of that time, exclusive.") { Required = true });

    public static readonly ObjectShape Adapt = new(
        "adapt",
        new("mass", Text, "Counter of the CO2 measured in the stack, kg or t: point, or device.point.") { Required = true },
        new("least", Number, "Smallest factor the fuel can have, kg CO2 for one unit of the activity (t, or m3 of a gas).") { Required = true },
        new("most", Number, "Largest factor the fuel can have.") { Required = true },
        new("massUncertaintyPercent", Number, "Half width at 95 % of the mass of an hour, percent.") { Required = true },
        new("systematicPercent", Number, "The part of it that hours do not average out, percent.") { Default = "0" },
        new("driftPercentPerDay", Number, "How far the factor may wander in a day, percent.") { Default = "0.5" },
        new("priorUncertaintyPercent", Number, "Half width at 95 % of the official factor at the beginning, percent.") { Default = "5" });

    public static readonly VariantShape Carbon = new(
        "a carbon account",
        "method",
        ("fuel-combustion", CarbonOf(
            "fuel-combustion",
            "CO2 of burnt fuel, scope 1.",
            Activity("The counter of the fuel: kg, t, or m3 of a gas."),
            new("fuel", Text, "Fuel in the factor set, such as cn-natural-gas; 'edgegateway factors list --of fuel.' shows them. Absent with 'measured'."),
            new("volumeAt", Choice("0C", "20C"), "Temperature to which the meter refers the volume of a gas, at 101325 Pa."),
            new("measured", MeasuredCarbon, "Carbon of a solid or liquid fuel by analysis, instead of 'fuel'."),
            new("biogenicPercent", Number, "Share of the carbon that is from biomass, percent: its CO2 is reported apart, in no scope."),
            new("adapt", Adapt, "A second figure beside the official one: a factor that follows the stack, until a person approves it."))),
        ("electricity-market", CarbonOf(
            "electricity-market",
            "Electricity bought, market based, scope 2: beside the location-based entries, never netted with them.",
            Activity("The counter of the energy bought; it may be one that the profile accounts."),
            new("instruments", new ListShape(Instrument), "Certificates and contracts, best quality first; each up to its energy, the rest at the residual mix."),
            new("rest", Choice("residual", "average"), "Factor of what no instrument covers: the residual mix of the region, or where none is published the average of the grid.") { Default = "residual" })),
        ("heat-purchased", CarbonOf("heat-purchased", "Heat bought, scope 2.", Activity("The counter of the heat: GJ, kW.h, MW.h."))),
        ("mine-methane", CarbonOf(
            "mine-methane",
            "Methane that leaves through a shaft or a vent, scope 1.",
            new("flow", Text, "Gauge of the flow of air or gas: point, or device.point.") { Required = true },
            new("methane", Text, "Gauge of the methane in it, by volume: point, or device.point.") { Required = true },
            new("temperature", Text, "Gauge of its temperature; absent when the flow is referred to 20 Celsius and 101325 Pa."),
            new("pressure", Text, "Gauge of its absolute pressure; with 'temperature'."),
            GwpSet(),
            Gas())),
        ("mine-drainage", CarbonOf(
            "mine-drainage",
            "Methane of a drainage system that is not destroyed, and as entries of methane-destruction the CO2 of what is; scope 1.",
            new("flow", Text, "Gauge of the flow of drained gas: point, or device.point.") { Required = true },
            new("methane", Text, "Gauge of the methane in it, by volume.") { Required = true },
            new("flared", Text, "Gauge of the flow of the same gas to the flare, in the same state."),
            new("used", Text, "Gauge of the flow of the same gas to engines or boilers, in the same state."),
            new("flarePercent", Number, "Share of it that the flare burns, percent (IPCC 2006).") { Default = "98" },
            new("usePercent", Number, "Share of it that engines or boilers burn, percent; the default is not verified.") { Default = "99" },
            new("temperature", Text, "Gauge of its temperature; absent when the flows are referred to 20 Celsius and 101325 Pa."),
            new("pressure", Text, "Gauge of its absolute pressure; with 'temperature'."),
            GwpSet(),
            Gas())),
        ("post-mining-methane", CarbonOf(
            "post-mining-methane",
            "Methane that mined coal still gives off, scope 1.",
            Activity("The counter of the coal: kg, t."),
            new("factor", Text, "Factor in the set without 'methane.', such as underground-post-mining.average.") { Required = true },
            GwpSet(),
            Gas())),
        ("sf6-leak", CarbonOf(
            "sf6-leak",
            "SF6 that a compartment of switchgear loses, scope 1.",
            new("density", Text, "Gauge of the gas density: point, or device.point."),
            new("pressure", Text, "Instead of it, gauge of the pressure."),
            new("temperature", Text, "With 'pressure', gauge of the temperature of the gas."),
            new("atmosphere", Number, "Atmospheric pressure of the site in kPa, for a gauge that shows pressure above it; absent when it shows absolute pressure."),
            new("volume", Number, "Volume of the compartment in m3.") { Required = true },
            new("hour", Integer(0, 23), "Hour of the day, UTC, in which the daily reading is taken: best one without sun and with little change of load.") { Default = "21" },
            GwpSet())),
        ("sf6-balance", CarbonOf(
            "sf6-balance",
            "SF6 that a site has lost in a year by its mass balance, scope 1: one entry for the year, made when it is over.",
            new("year", Integer(1990, 2200), "The year, by the time of the site.") { Required = true },
            new("begin", Number, "SF6 in store at its beginning, not in equipment, kg.") { Required = true },
            new("end", Number, "SF6 in store at its end, kg.") { Required = true },
            new("acquired", Number, "Bought or received back, kg.") { Default = "0" },
            new("disbursed", Number, "Sold, returned or sent away, kg.") { Default = "0" },
            new("capacityGrowth", Number, "Net growth of the nameplate capacity of the equipment, kg; below zero when more was retired than installed.") { Default = "0" },
            GwpSet())),
        ("co2-injected", CarbonOf(
            "co2-injected",
            "CO2 that is captured and stored: a removal, never netted.",
            Activity("The counter of the stream: kg, t."),
            new("purityPercent", Number, "CO2 in it, percent by mass.") { Default = "100" })),
        ("co2-leaked", CarbonOf("co2-leaked", "CO2 that escapes from capture or storage, scope 1.", Activity("The counter of the CO2: kg, t."))),
        ("gateway-power", CarbonOf(
            "gateway-power",
            "The gateway's own electricity by a sensor of its supply: beside the totals of the site, never in them.",
            new Key("power", Text, "Gauge of the power that the gateway takes: point, or device.point.") { Required = true })),
        ("sink-absorption", CarbonOf("sink-absorption", "CO2 that a sink takes up: a removal, never netted.", Activity("The counter of the CO2: kg, t."))));

    public static readonly ObjectShape Plausible = new(
        "plausible",
        new("min", Number, "Values below are not believed, in the point's unit."),
        new("max", Number, "Values above are not believed, in the point's unit."),
        new("maxRate", Number, "Largest believable change per second, in the point's unit."));

    public static readonly ObjectShape Novelty = new(
        "novelty",
        new("falseAlarmsPerDay", Number, "False alarms a day that are acceptable of each device, of all its points together; 1000 at most.") { Default = "0.1" },
        new("memory", Choice("auto", "full", "lean"), "What a point may cost: full 8 KiB, lean 2.5 KiB. auto: full up to 500 points, lean above; of more than 2000 only those that are asked for.") { Default = "auto" });

    public static readonly ObjectShape DeviceNovelty = new(
        "novelty",
        new Key("falseAlarmsPerDay", Number, "False alarms a day that are acceptable of the device, of all its points together; the site's when absent.") { Required = true });

    public static readonly ObjectShape Limits = new(
        "limits",
        new("low", Number, "A warning begins below, in the point's unit."),
        new("high", Number, "A warning begins above, in the point's unit."),
        new("lowAlarm", Number, "The warning becomes an alarm below, in the point's unit."),
        new("highAlarm", Number, "The warning becomes an alarm above, in the point's unit."),
        new("hysteresis", Number, "The value must come back by this much before the finding ends, in the point's unit."),
        new("holdFor", Duration, "The value must stay outside this long before the finding begins, and inside before it ends."));

    public static readonly ObjectShape Spike = new(
        "spike",
        new("sensitivity", Choice("low", "medium", "high"), "Robust standard deviations that make a spike: 6, 4, 3.") { Default = "medium" },
        new("minimum", Number, "Smallest jump that is a spike, in the point's unit; 3 % of the plausible range when absent."),
        new("quietFor", Duration, "Further spikes within this time are not told.") { Default = "10m" });

    public static readonly ObjectShape Stuck = new(
        "stuck",
        new("after", Duration, "Time without change that makes a finding.") { Required = true },
        new("tolerance", Number, "Change that still counts as none, in the point's unit; one step of the raw value when absent."),
        new("idle", Number, "Values of this size or less are not judged, in the point's unit: what is off stands still.") { Default = "0" });

    public static readonly ObjectShape Slip = new(
        "slip",
        new("drive", Text, "The drive's speed or frequency: device.point, or a point of the same device.") { Required = true },
        new("ratio", Number, "Belt speed for one unit of the drive's value.") { Required = true },
        new("minimumSpeed", Number, "Below this belt speed by the drive nothing is judged, in the point's unit.") { Default = "0.1" },
        new("warnPercent", Number, "Slip that makes a warning.") { Default = "5" },
        new("warnFor", Duration, "It must last this long.") { Default = "5s" },
        new("alarmPercent", Number, "Slip that makes an alarm.") { Default = "10" },
        new("alarmFor", Duration, "It must last this long.") { Default = "2s" },
        new("hysteresisPercent", Number, "The slip must fall by this much before the finding ends.") { Default = "1" },
        new("clearFor", Duration, "It must stay there this long before the finding ends.") { Default = "5s" });

    public static readonly ObjectShape PointWrite = new(
        "write",
        new("allow", TrueOrFalse, "false keeps this point from being written although the device allows writes.") { Default = "true" },
        new("min", Number, "Smallest value, in the point's unit; not below the profile's."),
        new("max", Number, "Largest value, in the point's unit; not above the profile's."),
        new("values", new ListShape(Text, min: 1), "The only values; some of those the profile allows."),
        new("safe", Text, "The value to which a write for a time falls back; the profile's when absent."),
        new("expiresAfter", Duration, "Longest time a value may hold, and the time when none is asked for; for good when absent.") { AlsoCalled = ["expires", "for"] },
        new("atStop", Choice("safe"), "A clean stop of the gateway writes the safe value first, when a value holds for a time."));

    public static readonly ObjectShape Point = new(
        "a point of the device",
        new("poll", new EitherShape(Off, Duration), "Period instead of the profile's, or off to leave the point out."),
        new("samples", TrueOrFalse, "Whether each sample is published; the device's setting when absent."),
        new("compliance", TrueOrFalse, "Whether its records must be accounted for; the device's setting when absent."),
        new("plausible", Plausible, "Bounds instead of the profile's."),
        new("limits", new EitherShape(Off, Limits), "Limits of the detector limit over those of the profile, or off."),
        new("flags", Off, "Off: the bits of the status word, which the profile declares as warnings and alarms, make no findings."),
        new("stuck", new EitherShape(Off, Duration, Stuck), "Time without change that makes a finding, or a block of settings, or off."),
        new("spike", new EitherShape(Off, Spike), "Settings of the detector spike, or off."),
        new("slip", Slip, "On a belt's speed: compares it with the drive (detector slip)."),
        new("priority", Choice("low", "medium", "high", "critical"), "Priority of its alarms where it differs from the profile's; a warning is one below."),
        new("novelty", Choice("on", "off"), "Whether the detector for any gauge watches the point; by its rule when absent."),
        new("write", PointWrite, "What may be written here, narrower than the profile says."));

    public static readonly ObjectShape Device = new(
        "a device",
        new("id", Id, "Identifier of the device, part of its topics.") { Required = true },
        new("name", Text, "Name for people; the id when absent."),
        new("profile", Text, "Id of the device profile.") { Required = true, AlsoCalled = ["type", "model"] },
        new("bus", Id, "Id of the bus.") { Required = true },
        new("unit", Integer(0, 255), "Modbus unit id: 1 to 247 on a line, 0 to 255 over TCP; on a bus of this computer's inputs the number that they name.") { Required = true, AlsoCalled = ["address", "slave", "unitId", "station"] },
        new("timeout", Duration, "Time limit of one request; the profile's, then the bus's when absent."),
        new("ct", Ratio, "Current transformer ratio, primary/secondary; used for points that the profile reports in secondary values.") { Default = "1" },
        new("pt", Ratio, "Voltage transformer ratio, primary/secondary.") { Default = "1", AlsoCalled = ["vt"] },
        new("pulsesPerUnit", Number, "Pulses for one unit of the profile's total, from the name plate: 1000 for 1000 imp/kWh, 100 for 10 litres a pulse in m3. Profiles of pulse meters need it.") { AlsoCalled = ["pulseConstant", "impulses", "pulsesPerKwh"] },
        new("area", Text, "Area of the site, for reports."),
        new("ratedPower", Power, "Rated power of what is metered; energy that grows 20 % faster is not believed."),
        new("region", Text, "Grid region where it differs from the site's."),
        new("metering", Metering, "Place in the metering tree; absent for devices that meter no energy."),
        new("novelty", new EitherShape(Off, DeviceNovelty), "Settings of the detector for any gauge on this device, or off."),
        new("carbon", new ListShape(Carbon, min: 1), "Carbon accounts beside the electricity that the profile accounts; each method once."),
        new("cems", CemsShape.Stack, "The stack that the device's analysers watch: hours of validity, flags, substitution and mass by the rules of a country. See docs/cems.md."),
        new("samples", Choice("none", "all"), "Whether each sample is published, or only summaries.") { Default = "none" },
        new("compliance", TrueOrFalse, "true for what must be accounted for (a CEMS, a custody meter): its records are never thinned and go last when space runs out.") { Default = "false" },
        new("allowWrites", TrueOrFalse, "Whether points that the profile declares writable may be written.") { Default = "false", AlsoCalled = ["writable", "writes"] },
        new("rules", Profiles.ProfileShape.Rules, "Rules of the trade that work differently here: off, or their numbers and points. See docs/detectors.md."),
        new("points", new MapShape(PointId, Point), "Settings of single points, by point id."));

    public static readonly ObjectShape MqttUplink = new(
        "an mqtt uplink",
        new("id", Id, "Identifier of the uplink.") { Required = true },
        new("type", Choice("mqtt"), "Versioned JSON over MQTT.") { Required = true },
        new("servers", new ListShape(Text, min: 1), "Servers in order of preference: mqtts://host:8883 or mqtt://host:1883; over WebSocket wss://host:443/path or ws://.") { Required = true, AlsoCalled = ["server", "host", "broker", "url"] },
        new("followServers", new ListShape(Text), "Hosts, as host or host:port, that a server may send the gateway to (MQTT 5 server reference); others are not followed."),
        new("returnToPreferredAfter", Duration, "On a server that is not the first: how long until those before it are tried again beside it; the change is made when one has accepted the gateway. 0s stays until the connection is lost.") { Default = "10m" },
        new("version", Choice("3.1.1", "5"), "MQTT version.") { Default = "5" },
        new("clientId", Text, "Client identifier; edgegateway-<gateway id> when absent."),
        new("username", Text, "User name.") { AlsoCalled = ["user"] },
        new("passwordFile", Text, "File that holds the password; secrets do not stand in this file.") { AlsoCalled = ["password"] },
        new("caFile", Text, "Certificates of authorities (PEM) instead of the system's.") { AlsoCalled = ["ca"] },
        new("certificateFile", Text, "Client certificate (PEM).") { AlsoCalled = ["cert", "certFile"] },
        new("keyFile", Text, "Private key of the client certificate (PEM).") { AlsoCalled = ["key"] },
        new("keepAlive", Duration, "Longest silence on the connection.") { Default = "30s" },
        new("reconnectMax", Duration, "Longest wait before a reconnect. It begins at 1s and doubles with each failure; refused credentials begin at 30s.") { Default = "1m" },
        new("qos", Choice("1", "2"), "Quality of service of rows. 2: a row comes once as long as the gateway runs and the broker keeps the session; at two more packets for each message.") { Default = "1" },
        new("format", Choice([.. FeedFormats.Words]), "feed: every stream in its numbered envelope. samples: only samples, as plain lists of one object for each poll.") { Default = "feed" },
        new("topicRoot", Text, "Root of the topic tree.") { Default = "edgegateway/v1", AlsoCalled = ["topic"] },
        new("allowPlaintext", TrueOrFalse, "Allows mqtt:// and ws:// to servers beyond this machine.") { Default = "false" },
        new("inOrder", TrueOrFalse, "true: strictly oldest first. false: live records first, history beside them.") { Default = "false" },
        new("backfillPerSecond", new EitherShape(Off, Size), "Pace of history beside live records, in bytes per second, or off: as fast as the link takes it. 20 times the live rate, between 64kB and 256kB, when absent."),
        new("compression", Choice("none", "gzip", "deflate"), "What the centre can unpack: larger messages leave compressed where that saves a tenth or more.") { Default = "none" });

    public static readonly ObjectShape Hj212Factor = new(
        "a factor",
        new("code", Id, "Code of the factor: a05001 for carbon dioxide.") { Required = true, AlsoCalled = ["factor", "polId"] },
        new("point", Text, "The point of its value: device.point.") { Required = true, AlsoCalled = ["value"] },
        new("corrected", Text, "The point of its value at reference oxygen, for ZsRtd, ZsMin, ZsAvg and ZsMax."),
        new("mass", Text, "The counter of its mass, whose growth is sent as Cou."),
        new("hour", Choice([.. Hj212FactorModel.HourWords]), "What hour data (2061) are made of: the windows of the point, or the hours of its stack by HJ 75 (device with 'cems', rules hj75), with the mass and what stands in for a missing one as Cou.") { Default = Hj212FactorModel.HourWords[0] });

    public static readonly ObjectShape Hj212Uplink = new(
        "an hj212 uplink",
        new("id", Id, "Identifier of the uplink.") { Required = true },
        new("type", Choice("hj212"), "HJ 212-2017 over TCP, to the platform of an authority.") { Required = true },
        new("host", Text, "Host of the platform.") { Required = true, AlsoCalled = ["server", "address", "ip"] },
        new("port", Integer(1, 65_535), "Its TCP port.") { Required = true },
        new("mn", Text, "MN, the number under which the platform knows this site: 24 hexadecimal digits, on older platforms others.") { Required = true, AlsoCalled = ["deviceNumber"] },
        new("passwordFile", Text, "File that holds the password (PW) of six characters; secrets do not stand in this file.") { Required = true, AlsoCalled = ["password", "pw"] },
        new("st", Choice("31", "32", "22", "51"), "ST, the system: 31 source of air pollution, 32 of water, 22 air quality, 51 flue process.") { Default = "31", AlsoCalled = ["system"] },
        new("factors", new ListShape(Hj212Factor, min: 1), "What is sent.") { Required = true },
        new("minute", new EitherShape(Off, Duration), "Width of the windows that leave as minute data (2051); one of 'windows'. The first one of a minute or more when absent."),
        new("realTime", new EitherShape(Off, Duration), "Least time between two real-time values (2011) of a factor, 30s to 1h; of points whose samples are published.") { Default = "30s" },
        new("answerTimeout", Duration, "How long the platform may take to acknowledge a packet (OverTime).") { Default = "10s", AlsoCalled = ["overTime"] },
        new("sendings", Integer(1, 10), "How often a packet is sent at most before the connection is made anew (ReCount).") { Default = "3", AlsoCalled = ["reCount"] },
        new("reconnectMin", Duration, "First wait before a reconnect, a quarter more or less so that a fleet does not come back at once; it doubles with each failure.") { Default = "10s" },
        new("reconnectMax", Duration, "Longest wait before a reconnect.") { Default = "1m" },
        new("commands", new ListShape(Choice("1000", "1011", "1061", "1062", "1063", "2011", "2012")), "Commands of the platform that are carried out: 1011 tells the time, 1061 and 1063 the intervals; 1000, 1062, 2011 and 2012 change how this uplink sends until the next start. Every other one is refused.") { Default = "[]" },
        new("allowPlaintext", TrueOrFalse, "HJ 212 knows no encryption: must be true for a platform beyond this machine, best behind a VPN.") { Default = "false" });

    public static readonly VariantShape Uplink = new("an uplink", "type", ("mqtt", MqttUplink), ("hj212", Hj212Uplink));

    public static readonly ObjectShape Root = new(
        "gateway.yaml",
        new("schema", Choice(SchemaName), "Format and its major version.") { Required = true },
        new("site", Site, "The site.") { Required = true },
        new("gateway", Gateway, "This gateway.") { Required = true },
        new("storage", Storage, "What the store may use."),
        new("windows", new ListShape(Duration, min: 1), "Widths of the aligned windows, ascending; each divides the next, the first divides 15m, the last is at most 1d.") { Default = "[1m, 15m, 1h, 1d]" },
        new("factors", Factors, "The site's own emission factors."),
        new("health", new EitherShape(Off, Health), "Health endpoint on loopback, with the metrics for Prometheus."),
        new("telemetry", Telemetry, "Where metrics and traces are sent, beside the health endpoint."),
        new("novelty", new EitherShape(Off, Novelty), "Settings of the detector for any gauge, or off."),
        new("clock", Clock, "What to do while the computer does not know the time."),
        new("buses", new ListShape(Bus, min: 1), "Lines and connections, each with one owner.") { Required = true },
        new("devices", new ListShape(Device, min: 1), "Devices.") { Required = true },
        new("uplinks", new ListShape(Uplink), "Ways to central platforms."));

    /// <summary>The keys of a carbon account: its own between those that every account has.</summary>
    private static ObjectShape CarbonOf(string method, string what, params ReadOnlySpan<Key> keys) => new(
        $"a {method} account",
        [
            new("method", Choice(method), what) { Required = true },
            .. keys,
            new("uncertaintyPercent", Number, "Half width at 95 % of the activity, percent: the meter, or flow and concentration together. Absent when not known; then the entries state none."),
            new("factorUncertaintyPercent", Number, "The same of the factors, where the factor set states none."),
            new("countsTowardSite", TrueOrFalse, "Whether its entries are in the site's totals; false for a meter behind another one that counts the same.") { Default = "true" },
        ]);

    private static Key Activity(string what) => new("activity", PointId, what) { Required = true };

    private static Key GwpSet() => new("gwp", Choice("AR4", "AR5", "AR6"), "GWP set of the factor set by which methane becomes CO2e.") { Required = true };

    private static Key Gas() => new("gas", Choice("CH4", "CH4_fossil"), "Which methane of the GWP set; AR4 has only CH4.") { Default = "CH4_fossil" };

    /// <summary>The keys of a bus: its own between those that every bus has.</summary>
    private static ObjectShape BusOf(string type, string what, Key[] keys, string timeout = "500ms") => new(
        $"a {type} bus",
        [
            new("id", Id, "Identifier of the bus.") { Required = true },
            new("type", Choice(type), what) { Required = true },
            .. keys,
            new("timeout", Duration, "Time limit of one request, for devices that have none of their own.") { Default = timeout },
        ]);

    /// <summary>The keys of a bus whose inputs belong to this computer: nothing is waited for on a wire.</summary>
    private static ObjectShape LocalBusOf(string type, string what, params Key[] keys) => new(
        $"a {type} bus",
        [
            new("id", Id, "Identifier of the bus.") { Required = true },
            new("type", Choice(type), what) { Required = true },
            .. keys,
        ]);

    /// <summary>The keys of an input of a local bus: its own after those that say where it is shown.</summary>
    private static ObjectShape InputOf(string title, params Key[] keys) => new(
        title,
        [
            new("unit", Integer(1, 255), "The device that shows it: its 'unit'.") { Required = true },
            new("input", Integer(1, LocalInput.Most), "Its place within the device: its block of registers begins at (input - 1) x 16.") { Default = "1" },
            .. keys,
        ]);

    /// <summary>The keys of a serial port, with those of its characters.</summary>
    private static Key[] SerialLine(params ReadOnlySpan<Key> character) => SerialLine("9600", character);

    private static Key[] SerialLine(string baud, params ReadOnlySpan<Key> character) =>
    [
        new("port", Text, "Path of the port, best a stable one below /dev/serial/by-id.") { Required = true, AlsoCalled = ["device", "path"] },
        new("baud", Integer(50, 4_000_000), "Bits per second; any rate that the adapter makes within 2 %.") { Default = baud, AlsoCalled = ["speed", "baudrate"] },
        .. character,
        new("silence", Duration, "Least silence between frames; 3.5 characters, above 19200 baud 1.75ms, when absent. More for devices that need it.") { AlsoCalled = ["gap", "interFrameDelay"] },
        Turnaround(),
        new("rs485", new EitherShape(Choice("adapter", "kernel"), Rs485), "Who switches the direction of an RS-485 line; adapter when absent, as nearly all USB adapters do."),
        new("lowLatency", TrueOrFalse, "Asks the driver to hand over bytes at once, where it knows how (FTDI: otherwise up to 16 ms later).") { Default = "true" },
    ];

    private static Key[] Meters() =>
    [
        new("meters", new ListShape(Meter, min: 1), "The meters on the line.") { Required = true },
        new("wakeUp", Integer(0, 4), "FE bytes before each question, which wake a meter up.") { Default = "4", AlsoCalled = ["preamble"] },
        new("strict", TrueOrFalse, "true: all answers that deviate from the standard are refused. false: only those that do not end with 16H; others are taken where their check sum is right. All are counted.") { Default = "false" },
        new("lenient", TrueOrFalse, "true: answers that do not end with 16H are taken too where their check sum is right. Only for meters that are known to leave it out.") { Default = "false" },
    ];

    private static Key[] Loggers() =>
    [
        new("loggers", new ListShape(Logger, min: 1), "The loggers that send here.") { Required = true },
        new("maxAge", Duration, "After this long without a new one a value is none any more: some of the logger's intervals of real-time data.") { Default = "2m" },
        new("maxLag", Duration, "How old DataTime may be, 10s to 1d. What the logger had stored for longer is counted as late and not shown; what its clock makes older is shown as uncertain.") { Default = "5m" },
        new("strict", TrueOrFalse, "true: packets that deviate from the standard are refused. false: they are taken where their check sum is right, and counted.") { Default = "false" },
    ];

    private static Key[] DeviceServer() =>
    [
        Host(),
        new("port", Integer(1, 65_535), "TCP port of the device server for this line.") { Required = true },
        new("silence", Duration, "Pause between an answer and the next request, for device servers that do not keep the silence on their line themselves.") { Default = "5ms" },
        Turnaround(),
    ];

    private static Key Host() => new("host", Text, "Name or address of the device or converter.") { Required = true, AlsoCalled = ["address", "ip"] };

    private static Key NetworkPort(string what) => new("port", Integer(1, 65_535), what) { Default = "502" };

    private static Key Parity() => new("parity", Choice("none", "even", "odd"), "Parity.") { Default = "even" };

    private static Key StopBits() => new("stopBits", Integer(1, 2), "Stop bits.") { Default = "1" };

    private static Key Turnaround() => new("turnaround", Duration, "How long all devices are left alone after a broadcast.") { Default = "100ms" };
}
