using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Resolves <c>buses</c>. A line or an endpoint has exactly one owner, so none may appear twice.</summary>
internal sealed class SiteBuses(TimeZoneInfo zone, ProblemCollector problems, InputRules? inputRules)
{
    private const int MaxDelayMilliseconds = 100;

    // Nothing is waited for on a wire; this is for a kernel that takes its time.
    private static readonly TimeSpan LocalTimeout = TimeSpan.FromSeconds(1);

    // A meter answers within 500 ms (DL/T 645-2007), and each block has an answer of its own.
    private static readonly TimeSpan MeterTimeout = TimeSpan.FromSeconds(1);

    // Real-time data come every 30 s unless somebody changed it (HJ 212-2017, CN 1062).
    private static readonly TimeSpan LoggerTimeout = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan DefaultMaxAge = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestMaxAge = TimeSpan.FromHours(4);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestTurnaround = TimeSpan.FromSeconds(10);

    // Who owns what: serial ports by path, endpoints as tcp:host:port and udp:host:port, whatever is spoken there.
    private readonly Dictionary<string, string> _owners = [];

    public static List<BusModel> Resolve(Section root, TimeZoneInfo zone, ProblemCollector problems, InputRules? inputRules)
    {
        var buses = new List<BusModel>();
        var ids = new Dictionary<string, int>();
        var resolver = new SiteBuses(zone, problems, inputRules);
        foreach (var entry in root.List("buses").OfType<YamlMap>())
        {
            if (GatewayShape.Bus.Choose(entry) is not { } shape)
            {
                continue;
            }

            var section = new Section(entry, shape, entry);
            if (section.Text("id") is not { } id)
            {
                continue;
            }

            if (!ids.TryAdd(id, entry.Line))
            {
                problems.Error(section.At("id"), $"the bus id '{id}' is used twice (first in line {ids[id]})", "Give each bus its own id");
                continue;
            }

            buses.Add(resolver.Bus(section, shape, id));
        }

        return buses;
    }

    private BusModel Bus(Section section, ObjectShape shape, string id)
    {
        if (shape == GatewayShape.GpioBus)
        {
            return new GpioBus { Id = id, Timeout = LocalTimeout, Inputs = Inputs(section, GatewayShape.GpioInput, new SiteLines(problems, _owners, inputRules).Input) };
        }

        if (shape == GatewayShape.SensorsBus)
        {
            return new SensorsBus { Id = id, Timeout = LocalTimeout, Inputs = Inputs(section, GatewayShape.SensorInput, new SiteSensors(problems, _owners).Input) };
        }

        if (shape == GatewayShape.BoxBus)
        {
            return Box(section, id);
        }

        var timeout = SiteDevices.Timeout(section, problems) ?? TimeSpan.FromMilliseconds(500);
        if (shape == GatewayShape.Dlt645Bus || shape == GatewayShape.Dlt645OverTcpBus)
        {
            timeout = section.Has("timeout") ? timeout : MeterTimeout;
        }

        if (shape == GatewayShape.Hj212Bus || shape == GatewayShape.Hj212OverTcpBus)
        {
            timeout = section.Has("timeout") ? timeout : LoggerTimeout;
        }

        if (shape == GatewayShape.RtuBus || shape == GatewayShape.AsciiBus || shape == GatewayShape.Dlt645Bus || shape == GatewayShape.Hj212Bus)
        {
            return SerialBus(section, shape, id, timeout);
        }

        var host = section.Text("host") ?? "";
        var port = section.Integer("port") ?? 502;
        Own(section, host, port, isDatagram: shape == GatewayShape.UdpBus, id);
        if (shape == GatewayShape.TcpBus)
        {
            return new ModbusTcpBus { Id = id, Host = host, Port = port, Timeout = timeout, Pipelining = section.Boolean("pipelining") ?? true };
        }

        if (shape == GatewayShape.UdpBus)
        {
            return new ModbusUdpBus { Id = id, Host = host, Port = port, Timeout = timeout };
        }

        if (shape == GatewayShape.Hj212OverTcpBus)
        {
            return new Hj212OverTcpBus
            {
                Id = id, Host = host, Port = port, Timeout = timeout, IsListening = IsListening(section, host), IdleLimit = IdleLimit(section),
                Loggers = Loggers(section), MaxAge = MaxAge(section), MaxLag = MaxLag(section), TimeZone = zone, IsStrict = section.Boolean("strict") ?? false,
            };
        }

        var silence = Pause(section, "silence", LongestSilence) ?? TimeSpan.Zero;
        var turnaround = Pause(section, "turnaround", LongestTurnaround) ?? TimeSpan.Zero;
        if (shape == GatewayShape.Dlt645OverTcpBus)
        {
            return new Dlt645OverTcpBus
            {
                Id = id, Host = host, Port = port, Timeout = timeout, Silence = silence, Turnaround = turnaround,
                Meters = Meters(section), WakeUp = section.Integer("wakeUp") ?? 4, IsStrict = section.Boolean("strict") ?? false, IsLenient = IsLenient(section),
            };
        }

        return shape == GatewayShape.RtuOverTcpBus
            ? new ModbusRtuOverTcpBus { Id = id, Host = host, Port = port, Timeout = timeout, Silence = silence, Turnaround = turnaround }
            : new ModbusAsciiOverTcpBus { Id = id, Host = host, Port = port, Timeout = timeout, Silence = silence, Turnaround = turnaround };
    }

    private BoxBus Box(Section section, string id)
    {
        if (!_owners.TryAdd("box", id))
        {
            problems.Error(section.At("type"), $"the bus '{_owners["box"]}' tells of this computer already", "Remove one of the two: there is one computer");
        }

        return new()
        {
            Id = id,
            Timeout = LocalTimeout,
            Inputs = BoxBus.Everything,
            TemperatureSensor = section.Text("temperature"),
            Disk = section.Text("disk"),
            Root = section.Text("root") ?? "/",
        };
    }

    /// <summary>The inputs of a local bus, each in a place of its own.</summary>
    /// <param name="section">The bus, with the key <c>inputs</c>.</param>
    /// <param name="shape">The keys of an input.</param>
    /// <param name="make">Makes an input of its unit, its number and its keys; null when it cannot, which it has reported.</param>
    private List<T> Inputs<T>(Section section, ObjectShape shape, Func<Section, byte, int, T?> make)
        where T : LocalInput
    {
        var inputs = new List<T>();
        var places = new Dictionary<(int Unit, int Number), int>();
        foreach (var entry in section.List("inputs").OfType<YamlMap>())
        {
            var input = new Section(entry, shape, entry);
            if (input.Integer("unit") is not { } unit || input.Integer("input") is not { } number)
            {
                continue;
            }

            if (!places.TryAdd((unit, number), entry.Line))
            {
                problems.Error(input.At("input"), $"input {number} of unit {unit} is there twice (first in line {places[(unit, number)]})", $"Give it another 'input', 1 to {LocalInput.Most}, or another unit");
            }
            else if (make(input, (byte)unit, number) is { } made)
            {
                inputs.Add(made);
            }
        }

        return inputs;
    }

    private void Own(Section section, string host, int port, bool isDatagram, string id)
    {
        var name = host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? "127.0.0.1" : host.ToLowerInvariant();
        var key = $"{(isDatagram ? "udp" : "tcp")}:{name}:{port}";
        if (host.Length > 0 && !_owners.TryAdd(key, id))
        {
            problems.Error(section.At("host"), $"the endpoint {host}:{port} belongs to the bus '{_owners[key]}' already", "Put the devices of both on one bus; they share its connection and are told apart by 'unit'");
        }
    }

    private SerialBus SerialBus(Section section, ObjectShape shape, string id, TimeSpan timeout)
    {
        var port = section.Text("port") ?? "";
        if (port.Length > 0 && !_owners.TryAdd(port, id))
        {
            problems.Error(section.At("port"), $"the port {port} belongs to the bus '{_owners[port]}' already", "Put the devices of both on one bus: a line has one owner");
        }

        var baud = section.Integer("baud") ?? (shape == GatewayShape.Dlt645Bus ? 2400 : 9600);
        var parity = section.Text("parity") switch { "none" => SerialParity.None, "odd" => SerialParity.Odd, null when shape == GatewayShape.Hj212Bus => SerialParity.None, _ => SerialParity.Even };
        var stopBits = section.Integer("stopBits") ?? 1;
        var silence = Pause(section, "silence", LongestSilence);
        var turnaround = Pause(section, "turnaround", LongestTurnaround) ?? TimeSpan.Zero;
        var direction = Direction(section);
        var lowLatency = section.Boolean("lowLatency") ?? true;
        SerialBus bus = shape == GatewayShape.Dlt645Bus
            ? new Dlt645Bus
            {
                Id = id, Port = port, Baud = baud, Parity = parity, StopBits = stopBits, Timeout = timeout,
                Meters = Meters(section), WakeUp = section.Integer("wakeUp") ?? 4, IsStrict = section.Boolean("strict") ?? false, IsLenient = IsLenient(section),
            }
            : shape == GatewayShape.Hj212Bus
            ? new Hj212Bus
            {
                Id = id, Port = port, Baud = baud, Parity = parity, StopBits = stopBits, Timeout = timeout,
                Loggers = Loggers(section), MaxAge = MaxAge(section), MaxLag = MaxLag(section), TimeZone = zone, IsStrict = section.Boolean("strict") ?? false,
            }
            : shape == GatewayShape.RtuBus
            ? new ModbusRtuBus { Id = id, Port = port, Baud = baud, Parity = parity, StopBits = stopBits, Timeout = timeout }
            : new ModbusAsciiBus { Id = id, Port = port, Baud = baud, Parity = parity, StopBits = stopBits, DataBits = section.Integer("dataBits") ?? 7, Timeout = timeout };
        bus = bus with { Silence = silence, Turnaround = turnaround, Rs485 = direction, LowLatency = lowLatency };
        var least = TimeSpan.FromSeconds(3.5 * bus.BitsPerCharacter / baud);
        if (silence < least && baud <= 19_200 && bus is ModbusRtuBus)
        {
            problems.Warning(section.At("silence"), $"a silence of {silence.Value.TotalMilliseconds:0.##} ms is shorter than 3.5 characters at {baud} baud, which are {least.TotalMilliseconds:0.##} ms", "Devices that follow the standard drop such requests: leave out 'silence' unless all devices on the line are known to take it");
        }

        return bus;
    }

    private bool IsLenient(Section section)
    {
        if (section.Boolean("lenient") is not true)
        {
            return false;
        }

        if (section.Boolean("strict") is true)
        {
            problems.Error(section.At("lenient"), "a bus cannot be strict and lenient", "Leave one of the two out");
        }

        return true;
    }

    /// <summary>The meters of a line, each with a unit and an address of its own.</summary>
    private List<MeterPlace> Meters(Section section)
    {
        var meters = new List<MeterPlace>();
        foreach (var entry in section.List("meters").OfType<YamlMap>())
        {
            var meter = new Section(entry, GatewayShape.Meter, entry);
            if (meter.Integer("unit") is not { } unit || meter.Text("address") is not { } written)
            {
                continue;
            }

            var address = written.PadLeft(12, '0');
            if (written.Length > 12 || written.AsSpan().ContainsAnyExceptInRange('0', '9') || address == "999999999999")
            {
                problems.Error(meter.At("address"), $"'{written}' is not the address of a meter", "Write the twelve digits of the name plate, in quotes; 999999999999 is all meters at once");
            }
            else if (meters.Find(m => m.Unit == unit) is { } same)
            {
                problems.Error(meter.At("unit"), $"the unit {unit} is there twice (also for the meter {same.Address})", "Give each meter a unit of its own");
            }
            else if (meters.Exists(m => m.Address == address))
            {
                problems.Error(meter.At("address"), $"the meter {address} is there twice", "Remove one of the two: several points may read one meter");
            }
            else
            {
                meters.Add(new((byte)unit, address));
            }
        }

        return meters;
    }

    /// <summary>The loggers of a bus, each with a unit and an MN of its own.</summary>
    private List<LoggerPlace> Loggers(Section section)
    {
        var loggers = new List<LoggerPlace>();
        foreach (var entry in section.List("loggers").OfType<YamlMap>())
        {
            var logger = new Section(entry, GatewayShape.Logger, entry);
            if (logger.Integer("unit") is not { } unit || logger.Text("mn") is not { } number)
            {
                continue;
            }

            if (!SiteHj212.IsNumber(number))
            {
                problems.Error(logger.At("mn"), $"'{number}' cannot be an MN", SiteHj212.WriteNumber);
            }
            else if (loggers.Find(l => l.Unit == unit) is { } same)
            {
                problems.Error(logger.At("unit"), $"the unit {unit} is there twice (also for the logger {same.Number})", "Give each logger a unit of its own");
            }
            else if (loggers.Exists(l => l.Number == number))
            {
                problems.Error(logger.At("mn"), $"the logger {number} is there twice", "Remove one of the two: several points may show one logger");
            }
            else
            {
                loggers.Add(new((byte)unit, number));
            }
        }

        return loggers;
    }

    private TimeSpan MaxAge(Section section)
    {
        var age = section.Duration("maxAge") ?? DefaultMaxAge;
        if (age < TimeSpan.FromSeconds(1) || age > LongestMaxAge)
        {
            problems.Error(section.At("maxAge"), $"a maxAge of {age.TotalSeconds:0.###} s is not possible", $"Write 1s to {LongestMaxAge.TotalHours:0}h: three times the interval at which the logger sends");
        }

        return age;
    }

    private TimeSpan MaxLag(Section section) => Within(section, "maxLag", TimeSpan.FromSeconds(10), Day) ?? TimeSpan.FromMinutes(5);

    // The longest interval of real-time data (RtdInterval), and a minute.
    private TimeSpan IdleLimit(Section section) => Within(section, "idleLimit", TimeSpan.FromMinutes(1), Day) ?? TimeSpan.FromMinutes(61);

    private TimeSpan? Within(Section section, string key, TimeSpan least, TimeSpan most)
    {
        if (section.Duration(key) is not { } time || (time >= least && time <= most))
        {
            return section.Duration(key);
        }

        problems.Error(section.At(key), $"a {key} of {time.TotalSeconds:0.###} s is not possible", $"Write {least.TotalSeconds:0}s to {most.TotalSeconds:0}s");
        return null;
    }

    private bool IsListening(Section section, string host)
    {
        var listens = section.Boolean("listen") ?? false;
        if (listens && !System.Net.IPAddress.TryParse(host, out _))
        {
            problems.Error(section.At("host"), $"'{host}' is no address to listen on", "Write the address of this computer in the network of the logger, such as 192.168.1.5; 0.0.0.0 is all of them");
        }

        return listens;
    }

    private Rs485Model? Direction(Section section)
    {
        if (section.Text("rs485") is { } word)
        {
            return word == "kernel" ? new(RtsHighOnSend: true, RtsHighAfterSend: false, TimeSpan.Zero, TimeSpan.Zero, ReceiveDuringSend: false, Terminate: false) : null;
        }

        var block = section.Block("rs485", GatewayShape.Rs485);
        if (!block.IsPresent || block.Text("mode") == "adapter")
        {
            return null;
        }

        var onSend = block.Text("rtsOnSend") != "low";
        return new(
            onSend,
            block.Text("rtsAfterSend") is { } after ? after == "high" : !onSend,
            Delay(block, "delayBefore"),
            Delay(block, "delayAfter"),
            block.Boolean("receiveDuringSend") ?? false,
            block.Boolean("terminate") ?? false);
    }

    private TimeSpan Delay(Section block, string key)
    {
        var delay = block.Duration(key) ?? TimeSpan.Zero;
        if (delay.TotalMilliseconds > MaxDelayMilliseconds)
        {
            problems.Error(block.At(key), $"a delay of {delay.TotalMilliseconds:0} ms is not possible", $"Write 0ms to {MaxDelayMilliseconds}ms: the kernel takes no more");
        }

        return delay;
    }

    private TimeSpan? Pause(Section section, string key, TimeSpan longest)
    {
        var pause = section.Duration(key);
        if (pause > longest)
        {
            problems.Error(section.At(key), $"a {key} of {pause.Value.TotalSeconds:0.###} s is not possible", $"Write 0 to {longest.TotalSeconds:0}s");
            return longest;
        }

        return pause;
    }
}
