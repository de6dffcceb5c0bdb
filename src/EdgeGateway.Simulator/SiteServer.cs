using System.Net;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Simulator.Faults;

namespace EdgeGateway.Simulator;

/// <summary>Serves every device of a simulated site on its bus: Modbus TCP on sockets, Modbus RTU on serial ports.</summary>
public sealed class SiteServer : IAsyncDisposable
{
    private readonly DeviceUnit[] _units;
    private readonly List<IAsyncDisposable> _servers = [];
    private readonly Dictionary<string, IPEndPoint> _endPoints = [];

    private SiteServer(SimulatedSite simulation)
    {
        Simulation = simulation;
        _units = [.. simulation.Site.Devices.Select(d => new DeviceUnit(simulation, d.Index))];
    }

    /// <summary>The physical side: values, ledger and faults.</summary>
    public SimulatedSite Simulation { get; }

    /// <summary>Where each TCP bus is served, by bus id.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> EndPoints => _endPoints;

    /// <summary>The site with its TCP buses where they are served: what a gateway needs to poll this server.</summary>
    public SiteModel Site => Simulation.Site with
    {
        Buses =
        [
            .. Simulation.Site.Buses.Select(b => b is ModbusTcpBus tcp && _endPoints.TryGetValue(b.Id, out var at)
                ? tcp with { Host = at.Address.ToString(), Port = at.Port }
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

    /// <summary>What is served and where, for people.</summary>
    public string Describe() => Simulation.Describe(Site.Buses);

    /// <summary>Stops serving and waits until every connection has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync().ConfigureAwait(false);
        }

        _servers.Clear();
    }

    private void Start(BusModel bus, SiteServerOptions options, TimeProvider time)
    {
        var units = new DeviceUnit?[256];
        foreach (var unit in _units)
        {
            var device = Simulation.Site.Devices[unit.Device];
            if (device.BusId == bus.Id)
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
            case ModbusTcpBus tcp:
                var port = options.Ports.TryGetValue(bus.Id, out var chosen) ? chosen : options.FreePorts ? 0 : tcp.Port;
                var server = ModbusTcpServer.Start(id => units[id], new(AddressOf(tcp, options), port), behaviour, time);
                _servers.Add(server);
                _endPoints.Add(bus.Id, server.EndPoint);
                break;
            case ModbusRtuBus rtu:
                var settings = new SerialSettings
                {
                    Baud = rtu.Baud,
                    StopBits = rtu.StopBits,
                    Parity = rtu.Parity switch
                    {
                        Core.Site.SerialParity.Even => Protocols.Serial.SerialParity.Even,
                        Core.Site.SerialParity.Odd => Protocols.Serial.SerialParity.Odd,
                        _ => Protocols.Serial.SerialParity.None,
                    },
                };
                _servers.Add(ModbusRtuServer.Start(options.SerialPorts.GetValueOrDefault(bus.Id, rtu.Port), settings, id => units[id], behaviour, time));
                break;
        }
    }

    private static IPAddress AddressOf(ModbusTcpBus bus, SiteServerOptions options)
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
