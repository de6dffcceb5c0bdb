using System.Net;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Simulator.Faults;

namespace EdgeGateway.Simulator;

/// <summary>Serves every device of a simulated site on its bus: Modbus TCP, UDP, RTU and ASCII, DL/T 645 and HJ 212, on sockets and serial ports.</summary>
public sealed class SiteServer : IAsyncDisposable
{
    private readonly DeviceUnit[] _units;
    private readonly List<(string Bus, IModbusServer Server)> _servers = [];
    private readonly List<IAsyncDisposable> _others = [];
    private readonly Dictionary<string, IPEndPoint> _endPoints = [];

    private SiteServer(SimulatedSite simulation)
    {
        Simulation = simulation;
        _units = [.. simulation.Site.Devices.Select(d => new DeviceUnit(simulation, d.Index))];
    }

    /// <summary>The physical side: values, ledger and faults.</summary>
    public SimulatedSite Simulation { get; }

    /// <summary>Where each bus on the network is served, by bus id.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> EndPoints => _endPoints;

    /// <summary>The site with its network buses where they are served: what a gateway needs to poll this server.</summary>
    public SiteModel Site => Simulation.Site with
    {
        Buses =
        [
            .. Simulation.Site.Buses.Select(b => b is NetworkBus network && _endPoints.TryGetValue(b.Id, out var at)
                ? network with { Host = at.Address.ToString(), Port = at.Port }
                : b),
        ],
    };

    /// <summary>Starts all servers; when one cannot be started, those before it are stopped.</summary>
    /// <param name="simulation">What to serve.</param>
    /// <param name="options">Where; null for loopback with the site's own ports.</param>
    /// <param name="time">The clock for delayed replies.</param>
    /// <exception cref="IOException">A port cannot be had; the message says which and why.</exception>
    public static async Task<SiteServer> StartAsync(SimulatedSite simulation, SiteServerOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(simulation);
        var server = new SiteServer(simulation);
        try
        {
            foreach (var bus in simulation.Site.Buses)
            {
                server.Start(bus, options ?? new(), time ?? TimeProvider.System);
            }
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return server;
    }

    /// <summary>Requests that a device has received, answered or not.</summary>
    /// <param name="device">Place of the device in the site.</param>
    public long Requests(int device) => _units[device].Requests;

    /// <summary>What a simulated device threw last on a bus, which is a fault of the simulator: its request was answered by exception 04.</summary>
    public IEnumerable<(string Bus, Exception Error)> Errors => _servers.Where(s => s.Server.LastError is not null).Select(s => (s.Bus, s.Server.LastError!));

    /// <summary>What is served and where, for people.</summary>
    public string Describe() => Simulation.Describe(Site.Buses);

    /// <summary>Stops serving and waits until every connection has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var (_, server) in _servers)
        {
            await server.DisposeAsync().ConfigureAwait(false);
        }

        foreach (var server in _others)
        {
            await server.DisposeAsync().ConfigureAwait(false);
        }

        _servers.Clear();
        _others.Clear();
    }

    private void Start(BusModel bus, SiteServerOptions options, TimeProvider time)
    {
        var units = new DeviceUnit?[256];
        foreach (var unit in _units)
        {
            var device = Simulation.Site.Devices[unit.Device];
            if (device.BusId == bus.Id && units[device.Unit] is { } first)
            {
                first.Chain(unit);
            }
            else if (device.BusId == bus.Id)
            {
                units[device.Unit] = unit;
            }
        }

        var behaviour = new ModbusServerOptions
        {
            Faults = request =>
            {
                options.Observe?.Invoke(request);
                return FaultOf(units[request.Unit]);
            },
        };
        switch (bus)
        {
            case IMeterBus meters:
                StartMeters(bus, meters, options, time);
                break;
            case ILoggerBus loggers:
                StartLoggers(bus, loggers, options, time);
                break;
            case SerialBus serial:
                var port = SerialPort.Open(options.SerialPorts.GetValueOrDefault(bus.Id, serial.Port), SettingsOf(serial), time);
                _servers.Add((bus.Id, ModbusRtuServer.Start(bus is ModbusAsciiBus ? new AsciiLine(port) : port, id => units[id], behaviour, time)));
                break;
            case NetworkBus network:
                var number = options.Ports.TryGetValue(bus.Id, out var chosen) ? chosen : options.FreePorts ? 0 : network.Port;
                var (server, endPoint) = StartOnNetwork(network, new(AddressOf(network, options), number), id => units[id], behaviour, time);
                _servers.Add((bus.Id, server));
                _endPoints.Add(bus.Id, endPoint);
                break;
        }
    }

    private void StartMeters(BusModel bus, IMeterBus meters, SiteServerOptions options, TimeProvider time)
    {
        var served = new Dictionary<IDlt645Meter, DeviceUnit>();
        foreach (var unit in _units.Where(u => Simulation.Site.Devices[u.Device].BusId == bus.Id))
        {
            if (meters.Meters.FirstOrDefault(m => m.Unit == Simulation.Site.Devices[unit.Device].Unit) is { } place && MeterAddress.TryParse(place.Address, out var address))
            {
                served.Add(new SimulatedMeter(Simulation, unit.Device, address), unit);
            }
        }

        var behaviour = new Dlt645ServerOptions { WakeUp = meters.WakeUp, Faults = (meter, _) => MeterFaultOf(served[meter]) };
        if (bus is SerialBus serial)
        {
            var port = SerialPort.Open(options.SerialPorts.GetValueOrDefault(bus.Id, serial.Port), SettingsOf(serial), time);
            _others.Add(Dlt645Server.Start(port, [.. served.Keys], behaviour, time));
        }
        else if (bus is NetworkBus network)
        {
            var number = options.Ports.TryGetValue(bus.Id, out var chosen) ? chosen : options.FreePorts ? 0 : network.Port;
            var server = Dlt645TcpServer.Start([.. served.Keys], new(AddressOf(network, options), number), behaviour, time);
            _others.Add(server);
            _endPoints.Add(bus.Id, server.EndPoint);
        }
    }

    // Loggers send by themselves: on a port of their own, over a serial line, or to the gateway where that listens.
    private void StartLoggers(BusModel bus, ILoggerBus loggers, SiteServerOptions options, TimeProvider time)
    {
        DateTime LocalNow() => TimeZoneInfo.ConvertTime(Simulation.Now.ToDateTimeOffset(), Simulation.Site.TimeZone).DateTime;
        var numbers = new Hj212Numbers(LocalNow);
        var served = new List<(SimulatedLogger Logger, string Number, DeviceUnit Unit)>();
        foreach (var unit in _units.Where(u => Simulation.Site.Devices[u.Device].BusId == bus.Id))
        {
            if (loggers.Loggers.FirstOrDefault(l => l.Unit == Simulation.Site.Devices[unit.Device].Unit) is { } place)
            {
                served.Add((new SimulatedLogger(Simulation, unit.Device, place.Number, numbers, LocalNow), place.Number, unit));
            }
        }

        IReadOnlyList<Hj212Packet> Packets()
        {
            List<Hj212Packet> packets = [];
            foreach (var (logger, _, unit) in served)
            {
                unit.CountRequest();
                packets.AddRange(Simulation.WireOf(unit.Device).Faults.HasFlag(WireFaults.Silent) ? [] : logger.Packets());
            }

            return packets;
        }

        var behaviour = new Hj212LoggerOptions
        {
            Interval = options.LoggerInterval,
            Damages = packet => served.Find(s => s.Number == packet.Device).Unit is { } unit && Simulation.WireOf(unit.Device).Faults.HasFlag(WireFaults.WrongCheckSum),
        };
        switch (bus)
        {
            case SerialBus serial:
                var port = options.SerialPorts.GetValueOrDefault(bus.Id, serial.Port);
                _others.Add(Hj212Logger.Open(Packets, (_, _) => ValueTask.FromResult<IByteLine>(SerialPort.Open(port, SettingsOf(serial), time)), behaviour, time));
                break;
            case Hj212OverTcpBus { IsListening: true } upper:
                var host = AddressOf(upper, options).ToString();
                _others.Add(Hj212Logger.Open(Packets, async (wait, cancel) => await TcpLine.ConnectAsync(host, upper.Port, wait, time, cancel).ConfigureAwait(false), behaviour, time));
                break;
            case NetworkBus network:
                var number = options.Ports.TryGetValue(bus.Id, out var chosen) ? chosen : options.FreePorts ? 0 : network.Port;
                var server = Hj212Logger.Listen(Packets, new(AddressOf(network, options), number), behaviour, time);
                _others.Add(server);
                _endPoints.Add(bus.Id, server.EndPoint!);
                break;
        }
    }

    private Dlt645Fault MeterFaultOf(DeviceUnit unit)
    {
        unit.CountRequest();
        var wire = Simulation.WireOf(unit.Device);
        return new(
            wire.Faults.HasFlag(WireFaults.Silent) ? Dlt645FaultKind.Silence
            : wire.ExceptionCode != 0 ? Dlt645FaultKind.Refuse
            : wire.Faults.HasFlag(WireFaults.WrongCheckSum) ? Dlt645FaultKind.WrongCheckSum
            : Dlt645FaultKind.None,
            wire.Delay);
    }

    private static (IModbusServer Server, IPEndPoint EndPoint) StartOnNetwork(
        NetworkBus bus, IPEndPoint endPoint, Func<byte, IModbusUnit?> units, ModbusServerOptions behaviour, TimeProvider time)
    {
        switch (bus)
        {
            case ModbusUdpBus:
                var udp = ModbusUdpServer.Start(units, endPoint, behaviour, time);
                return (udp, udp.EndPoint);
            case DeviceServerBus:
                var line = ModbusDeviceServer.Start(bus is ModbusAsciiOverTcpBus ? LineMode.Ascii : LineMode.Rtu, units, endPoint, behaviour, time);
                return (line, line.EndPoint);
            default:
                var tcp = ModbusTcpServer.Start(units, endPoint, behaviour, time);
                return (tcp, tcp.EndPoint);
        }
    }

    // Without RS-485 switching: the simulator's end of a line is another port than the gateway's.
    private static SerialSettings SettingsOf(SerialBus bus) => new()
    {
        Baud = bus.Baud,
        StopBits = bus.StopBits,
        DataBits = bus.DataBits,
        Parity = bus.Parity switch
        {
            Core.Site.SerialParity.Even => Protocols.Serial.SerialParity.Even,
            Core.Site.SerialParity.Odd => Protocols.Serial.SerialParity.Odd,
            _ => Protocols.Serial.SerialParity.None,
        },
    };

    private static IPAddress AddressOf(NetworkBus bus, SiteServerOptions options)
    {
        var isAddress = IPAddress.TryParse(bus.Host, out var address);
        if (options.OnLoopback)
        {
            return isAddress && IPAddress.IsLoopback(address!) ? address! : IPAddress.Loopback;
        }

        return isAddress ? address! : throw new IOException($"cannot listen on '{bus.Host}' for bus '{bus.Id}': write an IP address of this computer, or serve on loopback");
    }

    private ServerFault FaultOf(DeviceUnit? unit)
    {
        if (unit is null)
        {
            return ServerFault.None;
        }

        unit.CountRequest();
        var wire = Simulation.WireOf(unit.Device);
        var fault = wire.Faults.HasFlag(WireFaults.Silent) ? ServerFault.Silence
            : wire.ExceptionCode != 0 ? ServerFault.Refuse((ModbusExceptionCode)wire.ExceptionCode)
            : wire.Faults.HasFlag(WireFaults.WrongCheckSum) ? ServerFault.WrongCrc
            : wire.Faults.HasFlag(WireFaults.WrongTransaction) ? ServerFault.WrongTransactionId
            : ServerFault.None;
        return fault with { Delay = wire.Delay };
    }
}
