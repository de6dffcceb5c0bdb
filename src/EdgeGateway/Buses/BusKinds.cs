using System.Net;
using EdgeGateway.Box;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Hosting;
using EdgeGateway.Lines;
using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Sensors;
using EdgeGateway.Protocols.Serial;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Buses;

/// <summary>The kinds of bus there are. A new one is a protocol folder, an <see cref="IBus"/>, and a line here.</summary>
public static class BusKinds
{
    /// <summary>Makes the bus; nothing is opened before the first read.</summary>
    public static IBus Create(BusModel model, TimeProvider time) => Create(model, new BusContext { Time = time });

    /// <inheritdoc cref="Create(BusModel, TimeProvider)"/>
    internal static IBus Create(BusModel model, BusContext context) => model switch
    {
        GpioBus lines => new LineBus(lines, context),
        SensorsBus sensors => new SensorImageBus(sensors, context.Log, context.Time, static input => input.Trigger is { } trigger ? new CapturedSensor(input.Device, input.Channel, trigger, input.MainsHertz) : new Sensor(input.Device, input.Channel)),
        BoxBus box => new BoxHealth(box, context.Time, context.Log),
        IMeterBus meters => new MeterBus(meters, CreateMeterClient(model, context.Time)),
        ILoggerBus loggers => new LoggerBus(loggers, take => CreateStation(model, take, context.Time), context.Time, WallOf(context.Clock ?? new(context.Time))),
        _ => new ModbusBus(CreateClient(model, context.Time), context.Time),
    };

    /// <summary>The client that speaks on a Modbus bus.</summary>
    public static ModbusClient CreateClient(BusModel model, TimeProvider time)
    {
        switch (model)
        {
            case ModbusTcpBus tcp:
                return new ModbusTcpClient(tcp.Host, tcp.Port, time, tcp.Pipelining ? ModbusTcpClient.DefaultCapacity : 1);
            case ModbusUdpBus udp:
                return new ModbusUdpClient(udp.Host, udp.Port, time);
            case ModbusRtuOverTcpBus rtu:
                return new ModbusRtuClient(Opener(rtu, time), TimingOf(rtu), time);
            case ModbusAsciiOverTcpBus ascii:
                return new ModbusAsciiClient(Opener(ascii, time), TimingOf(ascii), time);
            case SerialBus serial:
                var settings = SettingsOf(serial);
                var timing = new RtuTiming(settings) { TurnaroundDelay = serial.Turnaround };
                timing = serial.Silence is { } silence ? timing with { Silence = silence } : timing;
                OpenByteLine open = (_, _) => ValueTask.FromResult<IByteLine>(SerialPort.Open(serial.Port, settings, time));
                return serial is ModbusAsciiBus ? new ModbusAsciiClient(open, timing, time) : new ModbusRtuClient(open, timing, time);
            default:
                throw new ArgumentException($"There is no bus of the kind {model.GetType().Name}.", nameof(model));
        }
    }

    /// <summary>The client that asks the meters of a DL/T 645 bus.</summary>
    /// <exception cref="ArgumentException">The bus is another kind of bus.</exception>
    public static Dlt645Client CreateMeterClient(BusModel model, TimeProvider time)
    {
        var usual = new Dlt645Options();
        switch (model)
        {
            case Dlt645Bus serial:
                var settings = SettingsOf(serial);
                return new(
                    (_, _) => ValueTask.FromResult<IByteLine>(SerialPort.Open(serial.Port, settings, time)),
                    usual with { Line = settings, WakeUp = serial.WakeUp, Strictness = StrictnessOf(serial), Silence = serial.Silence ?? usual.Silence },
                    time);
            case Dlt645OverTcpBus server:
                return new(
                    Opener(server, time),
                    usual with { WakeUp = server.WakeUp, Strictness = StrictnessOf(server), Silence = server.Silence > usual.Silence ? server.Silence : usual.Silence },
                    time);
            default:
                throw new ArgumentException($"A {model?.GetType().Name} has no DL/T 645 meters.", nameof(model));
        }
    }

    /// <summary>What takes the packets of the loggers of an HJ 212 bus.</summary>
    /// <param name="model">The bus.</param>
    /// <param name="take">Given each packet.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ArgumentException">The bus is another kind of bus.</exception>
    public static Hj212Station CreateStation(BusModel model, Func<Hj212Packet, bool> take, TimeProvider time)
    {
        switch (model)
        {
            case Hj212Bus serial:
                var settings = SettingsOf(serial);
                return Hj212Station.Open((_, _) => ValueTask.FromResult<IByteLine>(SerialPort.Open(serial.Port, settings, time)), take, new() { IsStrict = serial.IsStrict }, time);
            case Hj212OverTcpBus { IsListening: true } own:
                return Hj212Station.Listen(new(IPAddress.Parse(own.Host), own.Port), take, new() { IsStrict = own.IsStrict, IdleLimit = own.IdleLimit }, time);
            case Hj212OverTcpBus logger:
                return Hj212Station.Open(Opener(logger, time), take, new() { IsStrict = logger.IsStrict }, time);
            default:
                throw new ArgumentException($"A {model?.GetType().Name} has no HJ 212 loggers.", nameof(model));
        }
    }

    /// <summary>The wall time of a clock; null while it is not known.</summary>
    private static Func<DateTimeOffset?> WallOf(GatewayClock clock) => () => clock.Quality == TimeQuality.Unset ? null : clock.At(clock.Monotonic).ToDateTimeOffset();

    /// <summary>The settings of a serial bus in the words of the port.</summary>
    public static SerialSettings SettingsOf(SerialBus bus) => new()
    {
        Baud = bus.Baud,
        Parity = bus.Parity switch
        {
            Core.Site.SerialParity.Even => Protocols.Serial.SerialParity.Even,
            Core.Site.SerialParity.Odd => Protocols.Serial.SerialParity.Odd,
            _ => Protocols.Serial.SerialParity.None,
        },
        StopBits = bus.StopBits,
        DataBits = bus.DataBits,
        LowLatency = bus.LowLatency,
        Rs485 = bus.Rs485 is { } direction
            ? new()
            {
                RtsHighOnSend = direction.RtsHighOnSend,
                RtsHighAfterSend = direction.RtsHighAfterSend,
                DelayBefore = direction.DelayBefore,
                DelayAfter = direction.DelayAfter,
                ReceiveDuringSend = direction.ReceiveDuringSend,
                Terminate = direction.Terminate,
            }
            : null,
    };

    /// <summary>Where the bus is, for people: <c>127.0.0.1:502</c> or the path of the port.</summary>
    public static string Describe(BusModel model) => model switch
    {
        ModbusTcpBus tcp => $"{tcp.Host}:{tcp.Port}",
        ModbusUdpBus udp => $"{udp.Host}:{udp.Port}, UDP",
        ModbusRtuOverTcpBus rtu => $"{rtu.Host}:{rtu.Port}, RTU",
        ModbusAsciiOverTcpBus ascii => $"{ascii.Host}:{ascii.Port}, ASCII",
        Dlt645OverTcpBus meters => $"{meters.Host}:{meters.Port}, DL/T 645",
        Dlt645Bus meters => $"{meters.Port} at {meters.Baud} baud, DL/T 645",
        Hj212OverTcpBus loggers => $"{loggers.Host}:{loggers.Port}, HJ 212{(loggers.IsListening ? ", loggers connect here" : "")}",
        Hj212Bus logger => $"{logger.Port} at {logger.Baud} baud, HJ 212",
        ModbusAsciiBus ascii => $"{ascii.Port} at {ascii.Baud} baud, ASCII",
        SerialBus serial => $"{serial.Port} at {serial.Baud} baud",
        LocalBus => "this computer",
        _ => model.Id,
    };

    /// <summary>Why nothing can be sought, traced or tried on a bus that has no wire, with what to do instead.</summary>
    internal static string NoWire(LocalBus bus) =>
        $"The bus {bus.Id} is {Describe(bus)}: nothing passes on a wire. Its inputs stand in gateway.yaml; what they show: edgegateway read DEVICE";

    /// <summary>Why nothing can be sought on a bus whose devices send by themselves, with what to do instead.</summary>
    internal static string NoAsking(BusModel bus) =>
        $"The bus {bus.Id} is {Describe(bus)}: its loggers send by themselves and are asked nothing. What they send: edgegateway read DEVICE; one whose MN is not configured is named by edgegateway status";

    /// <summary>Why what knows Modbus only is not done on another bus, with what to do instead.</summary>
    internal static string NoModbus(BusModel bus) =>
        $"The bus {bus.Id} is {Describe(bus)}, and this knows Modbus only. What its devices show: edgegateway read DEVICE; which are there: edgegateway scan {bus.Id}";

    private static Dlt645Strictness StrictnessOf(IMeterBus bus) => bus.IsStrict ? Dlt645Strictness.Strict : bus.IsLenient ? Dlt645Strictness.Lenient : Dlt645Strictness.Usual;

    private static RtuTiming TimingOf(DeviceServerBus bus) => RtuTiming.OverNetwork(bus.Silence) with { TurnaroundDelay = bus.Turnaround };

    private static OpenByteLine Opener(NetworkBus bus, TimeProvider time) =>
        async (wait, cancel) => await TcpLine.ConnectAsync(bus.Host, bus.Port, wait, time, cancel).ConfigureAwait(false);
}

/// <summary>What a bus is given by the program beside its model.</summary>
internal sealed record BusContext
{
    /// <summary>Clock of waits and time limits.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Dates what devices say of time; null: the wall clock as it is now.</summary>
    public GatewayClock? Clock { get; init; }

    /// <summary>Told of what changes.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>This boot of the computer.</summary>
    public Guid Boot { get; init; } = BootId.Current();

    /// <summary>What was committed of the buses' own totals, by key; null when the store is not open, and nothing may be counted.</summary>
    public IReadOnlyDictionary<string, string>? Notes { get; init; }

    /// <summary>Keeps GPIO lines beyond the bus; null when nobody does.</summary>
    public LineShelf? Shelf { get; init; }
}
