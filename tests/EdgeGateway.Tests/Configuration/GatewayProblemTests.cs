using EdgeGateway.Core;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Configuration;

/// <summary>What can be wrong in gateway.yaml, each with its place, its sentence and its cure.</summary>
public class GatewayProblemTests
{
    // passage, what it becomes, line of the problem, what is said, how to mend it
    public static TheoryData<string, string, int, string, string> Mistakes => new()
    {
        // Shape
        { "id: fan,", "id: fan, adress: 7,", 9, "unknown key 'adress' in a device", "Did you mean 'unit'? Allowed here: id, name, profile" },
        { "name: Shaft 3", "nam: Shaft 3", 2, "unknown key 'nam' in the site", "Did you mean 'name'?" },
        { "region: CN-SX", "regio: CN-SX", 2, "'region' is missing in the site", "Add 'region:'" },
        { "gateway: { id: gw-01 }", "gateway: gw-01", 3, "'gateway' is 'gw-01'", "Write a block with the keys id" },
        { "unit: 1, metering: { role: incomer }", "unit: one, metering: { role: incomer }", 8, "'unit' is 'one'", "a whole number from 0 to 255" },
        { "unit: 1, metering: { role: incomer }", "unit: \"1\", metering: { role: incomer }", 8, "'unit' is '1'", "a whole number from 0 to 255" },
        { "unit: 1, metering: { role: incomer }", "unit: 256, metering: { role: incomer }", 8, "'unit' is '256'", "from 0 to 255" },
        { "unit: 1, metering: { role: incomer }", "unit: , metering: { role: incomer }", 8, "'unit' is empty", "from 0 to 255" },
        { "port: 1502", "port: 70000", 5, "'port' is '70000'", "from 1 to 65535" },
        { "port: 1502", "port: 1502, timeout: 500", 5, "'timeout' is '500'", "a duration such as 500ms" },
        { "port: 1502", "port: 1502, timeout: 5ms", 5, "a timeout of 5 ms", "Write 10ms to 1m" },
        { "type: modbus-tcp", "type: modbus-tpc", 5, "'type' of a bus is 'modbus-tpc'", "Did you mean 'modbus-tcp'?" },
        { "type: modbus-tcp, ", "", 5, "'type' is missing in a bus", "modbus-tcp or modbus-rtu" },
        { "baud: 9600", "baud: 40", 6, "'baud' is '40'", "from 50 to 4000000" },
        { "baud: 9600", "baud: 9600, dataBits: 7", 6, "unknown key 'dataBits' in a modbus-rtu bus", "Allowed here" },
        { "baud: 9600", "baud: 9600, silence: 2s", 6, "a silence of 2 s is not possible", "Write 0 to 1s" },
        { "baud: 9600", "baud: 9600, turnaround: 1m", 6, "a turnaround of 60 s is not possible", "Write 0 to 10s" },
        { "baud: 9600", "baud: 9600, rs485: auto", 6, "'rs485' is 'auto'", "one of adapter, kernel, or a block" },
        { "baud: 9600", "baud: 9600, rs485: { delayBefore: 200ms }", 6, "a delay of 200 ms is not possible", "0ms to 100ms" },
        { "type: modbus-rtu, port: /dev/ttyUSB0, baud: 9600", "type: modbus-rtu-over-tcp, host: 10.0.0.9", 6, "'port' is missing in a modbus-rtu-over-tcp bus", "Add 'port:'" },
        { "baud: 9600", "baud: 9600, parity: yes", 6, "'parity' is 'yes'", "one of none, even, odd" },
        { "role: incomer }", "role: incomer, countsTowardSite: yes }", 8, "'countsTowardSite' is 'yes'", "true or false" },
        { "edgegateway/gateway/1", "edgegateway/gateway/2", 1, "'schema' is 'edgegateway/gateway/2'", "edgegateway/gateway/1" },
        { "id: shaft-3", "id: shaft/3", 2, "'id' is 'shaft/3'", "letters, digits" },
        { "unit: 1, metering: { role: incomer }", "unit: 1, ratedPower: 400, metering: { role: incomer }", 8, "'ratedPower' is '400'", "400 kW" },
        { "unit: 1, metering: { role: incomer }", "unit: 1, ct: 200/0, metering: { role: incomer }", 8, "'ct' is '200/0'", "200/5" },
        { "servers: [\"mqtt://127.0.0.1:1883\"]", "servers: []", 11, "'servers' has 0 items, at least 1 is needed", "a list" },
        { "id: centre,", "id: centre, password: secret,", 11, "unknown key 'password'", "Did you mean 'passwordFile'?" },

        // YAML
        { "gateway: { id: gw-01 }", "gateway: { id: gw-01", 3, "the YAML is broken here", "brackets" },
        { "gateway: { id: gw-01 }", "gateway:\n\tid: gw-01", 4, "a tab is used for indentation", "Indent with spaces" },
        { "gateway: { id: gw-01 }", "gateway: { id: gw-01 }\ngateway: { id: gw-02 }", 4, "'gateway' stands here for the second time (first in line 3)", "Keep one" },
        { "gateway: { id: gw-01 }", "gateway: &g { id: gw-01 }", 3, "YAML anchor", "Remove the anchor" },
        { "gateway: { id: gw-01 }", "gateway: *g", 3, "YAML alias", "Write the value out" },
        { "gateway: { id: gw-01 }", "gateway: !x { id: gw-01 }", 3, "YAML tag", "Remove the tag" },

        // Meaning
        { "timezone: Asia/Shanghai", "timezone: Asia/Shanghei", 2, "the time zone 'Asia/Shanghei' is unknown", "Did you mean 'Asia/Shanghai'?" },
        { "region: CN-SX", "region: CN-XX", 2, "no emission factors for the region 'CN-XX'", "Known regions: CN-NM, CN-SX" },
        { "id: line-1, type: modbus-rtu, port: /dev/ttyUSB0, baud: 9600", "id: lv-room, type: modbus-tcp, host: 10.0.0.5", 6, "the bus id 'lv-room' is used twice (first in line 5)", "its own id" },
        { "type: modbus-rtu, port: /dev/ttyUSB0, baud: 9600", "type: modbus-tcp, host: LOCALHOST, port: 1502", 6, "the endpoint LOCALHOST:1502 belongs to the bus 'lv-room' already", "on one bus" },
        { "type: modbus-rtu, port: /dev/ttyUSB0, baud: 9600", "type: modbus-ascii-over-tcp, host: localhost, port: 1502", 6, "the endpoint localhost:1502 belongs to the bus 'lv-room' already", "on one bus" },
        { "id: lv-room, type: modbus-tcp, host: 127.0.0.1, port: 1502", "id: lv-room, type: modbus-ascii, port: /dev/ttyUSB0", 6, "the port /dev/ttyUSB0 belongs to the bus 'lv-room' already", "a line has one owner" },
        { "id: lv-room, type: modbus-tcp, host: 127.0.0.1, port: 1502", "id: lv-room, type: modbus-rtu, port: /dev/ttyUSB0", 6, "the port /dev/ttyUSB0 belongs to the bus 'lv-room' already", "a line has one owner" },
        { "id: fan,", "id: incomer,", 9, "the device id 'incomer' is used twice (first in line 8)", "its own id" },
        { "bus: line-1, unit: 1", "bus: lv-room, unit: 1", 9, "the unit id 1 on the bus 'lv-room' belongs to the device 'incomer' already", "answer at the same time" },
        { "bus: line-1, unit: 1", "bus: line-1, unit: 248", 9, "the unit id 248 is not possible on a line", "1 to 247" },
        { "bus: line-1, unit: 1", "bus: line-1, unit: 0", 9, "the unit id 0 is not possible on a line", "broadcast" },
        { "bus: line-1, unit: 1", "bus: line-2, unit: 1", 9, "there is no bus 'line-2'", "Did you mean 'line-1'?" },
        { "id: fan, profile: test-meter", "id: fan, profile: test-metre", 9, "there is no device profile 'test-metre'", "Did you mean 'test-meter'?" },
        { "parent: incomer", "parent: incommer", 9, "the parent meter 'incommer' of 'fan' does not exist", "Did you mean 'incomer'?" },
        { "metering: { role: incomer }", "area: x", 9, "the parent 'incomer' of 'fan' is not a meter of the tree", "Add 'metering:'" },
        { "role: incomer }", "role: incomer, parent: fan }", 9, "the meters form a circle: fan -> incomer -> fan", "remove its 'parent'" },
        { "role: incomer }", "role: incomer, parent: incomer }", 8, "the meters form a circle: incomer -> incomer", "remove its 'parent'" },
        { "parent: incomer }", "parent: incomer, countsTowardSite: true }", 9, "'fan' and 'incomer' in front of it both count toward the site", "countsTowardSite: false" },
        { "role: submeter, parent: incomer }", "role: transfer, parent: incomer }", 9, "the transfer 'fan' needs the two meters", "'parent' (from which it takes) and 'to'" },
        { "role: submeter, parent: incomer }", "role: transfer, parent: incomer, to: incommer }", 9, "the meter 'incommer' behind which 'fan' brings energy does not exist", "Did you mean 'incomer'?" },
        { "role: submeter, parent: incomer }", "role: transfer, parent: incomer, to: incomer }", 9, "'fan' cannot bring energy behind 'incomer'", "another meter of the tree than its parent" },
        { "role: submeter, parent: incomer }", "role: submeter, parent: incomer, to: incomer }", 9, "'fan' is no transfer", "Remove 'to'" },
        { "role: submeter, parent: incomer }", "role: transfer, parent: incomer, to: incomer, countsTowardSite: true }", 9, "the transfer 'fan' counts toward the site", "Remove 'countsTowardSite'" },
        { "uplinks:", "windows: [1m, 90s]\nuplinks:", 10, "the window 90s is not a whole number of the windows before it", "multiple of" },
        { "uplinks:", "windows: [15m, 1m]\nuplinks:", 10, "not wider than the one before", "ascending" },
        { "uplinks:", "windows: [7s]\nuplinks:", 10, "the first window, 7s, does not divide 15m", "1m" },
        { "uplinks:", "windows: [1m, 2d]\nuplinks:", 10, "a window of 2d is not possible", "1s to 1d" },
        { "uplinks:", "windows: [1m, 7m]\nuplinks:", 10, "a day is not a whole number of windows of 7m", "24 hours" },
        { "uplinks:", "storage: { budget: 15MiB }\nuplinks:", 10, "the storage budget of 15728640 bytes is too small", "16MiB or more" },
        { "uplinks:", "storage: { budget: 32MiB, sampleLog: 30MiB }\nuplinks:", 10, "the sample log of 31457280 bytes does not fit", "half of the budget" },
        { "uplinks:", "storage: { commitWindow: 2m }\nuplinks:", 10, "a commit window of 120 s", "10ms to 1m" },
        { "uplinks:", "storage: { checkpoint: 100ms }\nuplinks:", 10, "a checkpoint every 0.1 s", "at least the commit window" },
        { "uplinks:", "health: { listen: \"0.0.0.0:8080\" }\nuplinks:", 10, "'0.0.0.0:8080' is not a loopback address", "127.0.0.1:8080" },
        { "uplinks:", "telemetry: { otlp: { interval: 1m } }\nuplinks:", 10, "'endpoint' is missing in otlp", "Add 'endpoint:'" },
        { "uplinks:", "telemetry: { otlp: { endpoint: collector:4317 } }\nuplinks:", 10, "'collector:4317' is not the address of a collector", "https://host:4318" },
        { "uplinks:", "telemetry: { otlp: { endpoint: \"http://collector.example:4318\" } }\nuplinks:", 10, "metrics unencrypted beyond this machine", "allowPlaintext: true" },
        { "uplinks:", "telemetry: { otlp: { endpoint: \"https://me:secret@collector.example\" } }\nuplinks:", 10, "holds a user name or password", "Secrets do not stand in this file" },
        { "uplinks:", "telemetry: { otlp: { endpoint: \"http://127.0.0.1:4318\", interval: 500ms } }\nuplinks:", 10, "metrics cannot be exported every 0.5 s", "1s to 1h" },
        { "uplinks:", "telemetry: { otlp: { endpoint: \"http://127.0.0.1:4318\", caFile: ca.pem } }\nuplinks:", 10, "shows no certificate that 'caFile' could be asked about", "https://" },
        { "uplinks:", "telemetry: { otlp: { endpoint: \"http://127.0.0.1:4318\", protocol: json } }\nuplinks:", 10, "'protocol' is 'json'", "http/protobuf" },
        { "mqtt://127.0.0.1:1883", "mqtt://broker.example:1883", 11, "unencrypted beyond this machine", "allowPlaintext: true" },
        { "mqtt://127.0.0.1:1883", "http://127.0.0.1", 11, "is not the address of an MQTT server", "mqtts://host:8883" },
        { "mqtt://127.0.0.1:1883", "mqtts://me:secret@broker.example", 11, "holds a user name or password", "passwordFile" },
        { "id: centre,", "id: centre, keyFile: key.pem,", 11, "a client certificate needs its key", "both" },
        { "id: centre,", "id: centre, passwordFile: p,", 11, "a password but no user name", "username" },
        { "id: centre,", "id: centre, topicRoot: a/#,", 11, "'a/#' cannot be the root of topics", "without '+'" },
        { "id: centre,", "id: centre, keepAlive: 20h,", 11, "a keep-alive of 72000 s", "18h" },
        { "id: centre,", "id: centre, reconnectMax: 500ms,", 11, "a wait of 0.5 s at most before a reconnect", "1s to 1h" },
        { "id: centre,", "id: centre, qos: 0,", 11, "'0'", "1" },
        { "id: centre,", "id: centre, returnToPreferredAfter: soon,", 11, "'soon'", "15m" },
        { "parent: incomer }", "parent: incomer }, points: { active_power_totl: { poll: 1s } }", 9, "has no point 'active_power_totl'", "Did you mean 'active_power_total'?" },
        { "parent: incomer }", "parent: incomer }, points: { frequency: { poll: 10ms } }", 9, "a poll period of 10 ms is not possible", "50ms to 1d" },
        { "parent: incomer }", "parent: incomer }, points: { frequency: { limits: { holdFor: 1s } } }", 9, "a limit needs 'low', 'high'", "in the point's unit" },
        { "parent: incomer }", "parent: incomer }, points: { voltage_l1_n: { limits: { low: 260 } } }", 9, "the limit 'low' of 260 is not below 'high' of 253", "from the profile" },
        { "parent: incomer }", "parent: incomer }, points: { frequency: { slip: { drive: incomer.frequency, ratio: 1 } } }", 9, "'slip' watches the speed of a belt, 'frequency' is in Hz", "the belt's speed" },
        { "parent: incomer }", "parent: incomer }, points: { frequency: { slip: { drive: incommer.frequency, ratio: 1 } } }", 9, "there is no device 'incommer'", "Did you mean 'incomer'?" },
        { "parent: incomer }", "parent: incomer }, points: { frequency: { slip: { drive: frequence, ratio: 1 } } }", 9, "the device 'fan' has no point 'frequence'", "Did you mean 'frequency'?" },
        { "id: centre,", "id: centre, backfillPerSecond: 10B,", 11, "a pace of 10 bytes per second", "1kB or more" },
        { "parent: incomer }", "parent: incomer }, points: { frequency: { plausible: { min: 70 } } }", 9, "the plausible range of 'frequency' from 70 to 65 is empty", "minimum below" },
        { "parent: incomer }", "parent: incomer }, points: { active_energy_import_total: { poll: off } }", 9, "is the register that is accounted", "Remove 'poll: off'" },
        { "parent: incomer }", "parent: incomer }, points: { voltage_l1_n: { poll: 50ms }, active_power_total: { poll: 50ms } }", 6, "the bus 'line-1' would be busy for", "times as long would do" },
    };

    [Theory, MemberData(nameof(Mistakes))]
    public void A_mistake_is_refused_with_its_place_and_its_cure(string passage, string becomes, int line, string what, string cure)
    {
        var (model, problems) = Texts.Load(Texts.Gateway.With(passage, becomes), regions: new HashSet<string> { "CN-SX", "CN-NM" });

        Assert.Null(model);
        var said = string.Join("\n", problems);
        var problem = problems.FirstOrDefault(p => p.What.Contains(what, StringComparison.Ordinal));
        Assert.True(problem is not null, $"nobody says \"{what}\":\n{said}");
        Assert.True(problem.Cure.Contains(cure, StringComparison.Ordinal), $"the cure is: {problem.Cure}");
        Assert.True(problem.Line == line && problem.File == "gateway.yaml", said);
        Assert.Equal(ProblemSeverity.Error, problem.Severity);
    }

    [Theory]
    [InlineData("site:\n  id: shaft-3\n name: Shaft 3\n", 3)]
    [InlineData("site:\n  id: shaft-3\n    name: Shaft 3\n", 3)]
    [InlineData("buses:\n  - id: a\n   type: modbus-tcp\n", 3)]
    [InlineData("site:\n  id: shaft-3: x\n", 2)]
    public void Wrong_indentation_is_shown_where_it_is(string text, int line)
    {
        var problem = Assert.Single(Texts.Load(text).Problems);
        Assert.True(problem.Line == line, problem.ToString());
        Assert.Contains("indentation", problem.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_are_told_at_once_in_the_order_of_the_file()
    {
        var text = Texts.Gateway
            .With("timezone: Asia/Shanghai", "timezone: Mars/Olympus")
            .With("port: 1502", "port: 0")
            .With("bus: line-1", "bus: line-9")
            .With("id: centre,", "id: centre, colour: blue,");
        var (model, problems) = Texts.Load(text);
        Assert.Null(model);
        Assert.Equal([2, 5, 9, 11], problems.Select(p => p.Line));
    }

    [Fact]
    public void A_problem_in_a_profile_is_told_with_the_name_of_its_file()
    {
        var (model, problems) = Texts.Load(Texts.Gateway, Texts.Profile.With("unit: Hz", "unit: Hertz"));
        Assert.Null(model);
        Assert.Equal("test-meter.yaml", Assert.Single(problems).File);
    }

    [Fact]
    public void A_device_whose_quiet_times_leave_no_time_for_its_polls_is_refused_where_its_bus_stands()
    {
        var (model, problems) = Texts.Load(Texts.Gateway, Texts.Profile.With("maxRegistersPerRead: 64", "maxRegistersPerRead: 64, minGapMs: 1500"));
        Assert.Null(model);
        Assert.Equal([5, 6], problems.Where(p => p.Severity == ProblemSeverity.Error).Select(p => p.Line));
        Assert.Contains("the device 'incomer' would need", problems[0].What, StringComparison.Ordinal);
        Assert.Contains("1500 ms between two requests", problems[0].What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quiet_time_of_one_device_is_no_time_of_its_bus()
    {
        var others = string.Concat(Enumerable.Range(2, 9).Select(unit => $"  - {{ id: fan-{unit}, profile: test-meter, bus: line-1, unit: {unit} }}\n"));
        var text = Texts.Gateway.With("baud: 9600", "baud: 115200").With("uplinks:", others + "uplinks:");
        var (model, problems) = Texts.Load(text, Texts.Profile.With("maxRegistersPerRead: 64", "maxRegistersPerRead: 64, minGapMs: 200"));
        Assert.True(model is not null, string.Join("\n", problems));
        Assert.DoesNotContain(problems, p => p.What.Contains("busy", StringComparison.Ordinal));
    }

    [Fact]
    public void The_printed_share_of_a_bus_leaves_quiet_times_out_too()
    {
        // 20 devices behind one address with 100 ms each, every second: charged to the bus they would fill it twice. 12 on a line of 9600 baud likewise.
        var others = string.Concat(Enumerable.Range(2, 19).Select(unit => $"  - {{ id: fan-{unit}, profile: test-meter, bus: lv-room, unit: {unit} }}\n"))
            + string.Concat(Enumerable.Range(2, 11).Select(unit => $"  - {{ id: pump-{unit}, profile: test-meter, bus: line-1, unit: {unit} }}\n"));
        var quiet = Texts.Profile.With("maxRegistersPerRead: 64", "maxRegistersPerRead: 64, minGapMs: 100");
        var (model, problems) = Texts.Load(Texts.Gateway.With("uplinks:", others + "uplinks:"), quiet);
        Assert.True(model is not null, string.Join("\n", problems));
        foreach (var bus in model.Buses)
        {
            var load = Core.Polling.BusLoad.Predict(bus, model.Devices.Where(d => d.BusId == bus.Id), model.Points);
            Assert.InRange(load.Utilisation, 0.01, 1);
            Assert.All(load.Devices, d => Assert.True(d.OwnUtilisation > d.Utilisation && d.RoundTime > d.BusTime));
            Assert.True(load.RoundTime < new TimeSpan(load.Devices.Sum(d => d.RoundTime.Ticks)) / 2, $"{load.RoundTime}");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("# only a remark\n")]
    [InlineData("---\n")]
    [InlineData("just words")]
    [InlineData("- a\n- b\n")]
    [InlineData("a: [")]
    [InlineData("a: 'x")]
    [InlineData("{ { } : 1 }")]
    [InlineData("schema: edgegateway/gateway/1\n---\nsecond: 1\n")]
    public void What_is_no_configuration_at_all_is_said_and_never_thrown(string text)
    {
        var (model, problems) = Texts.Load(text);
        Assert.Null(model);
        Assert.Contains(problems, p => p.Severity == ProblemSeverity.Error && p.Cure.Length > 0);
    }

    [Fact]
    public void No_damage_to_a_file_makes_the_loader_throw()
    {
        var damage =
            from at in Gen.Choose(0, Texts.Gateway.Length - 1)
            from length in Gen.Choose(0, 30)
            from inserted in Gen.Elements("", ":", "- ", "[", "}", "{", "'", "\"", "\t", "\n", "#", "&", "*", "!", "|", "?", "%", "---\n", "\0", "\u00e9", "null", "-1")
            select Texts.Gateway.Remove(at, Math.Min(length, Texts.Gateway.Length - at)).Insert(at, inserted);

        Prop.ForAll(damage.ToArbitrary(), text =>
        {
            var (model, problems) = Texts.Load(text);
            return (model is null) == problems.Any(p => p.Severity == ProblemSeverity.Error);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    [Fact]
    public void Nesting_without_end_is_refused() =>
        Assert.Null(Texts.Load(new string('[', 100_000)).Model);

    [Theory]
    [InlineData("ratio on a meter that knows its transformers", "profile: test-meter, bus: lv-room, unit: 1", "profile: test-meter, bus: lv-room, unit: 1, ct: 200/5", "reports primary values")]
    [InlineData("silence that devices may not take", "baud: 9600", "baud: 9600, silence: 3ms", "shorter than 3.5 characters")]
    [InlineData("point read less often than the first window", "parent: incomer }", "parent: incomer }, points: { frequency: { poll: 5m } }", "longer than the first window")]
    public void Some_things_are_only_worth_a_warning(string _, string passage, string becomes, string what)
    {
        var (model, problems) = Texts.Load(Texts.Gateway.With(passage, becomes), Texts.Profile.Replace("applies: [ct, pt], ", "", StringComparison.Ordinal));
        Assert.NotNull(model);
        var problem = Assert.Single(problems);
        Assert.Equal(ProblemSeverity.Warning, problem.Severity);
        Assert.Contains(what, problem.What, StringComparison.Ordinal);
    }
}
