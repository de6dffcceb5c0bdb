using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Buses;

/// <summary>The kinds of bus there are. A new one is a protocol folder, an <see cref="IBus"/>, and a line here.</summary>
public static class BusKinds
{
    /// <summary>Makes the bus; nothing is opened before the first read.</summary>
    public static IBus Create(BusModel model, TimeProvider time) => model switch
    {
        ModbusTcpBus tcp => new ModbusBus(new ModbusTcpClient(tcp.Host, tcp.Port, time)),
        ModbusRtuBus rtu => new ModbusBus(new ModbusRtuClient(
            rtu.Port,
            new SerialSettings
            {
                Baud = rtu.Baud,
                Parity = rtu.Parity switch
                {
                    Core.Site.SerialParity.Even => Protocols.Serial.SerialParity.Even,
                    Core.Site.SerialParity.Odd => Protocols.Serial.SerialParity.Odd,
                    _ => Protocols.Serial.SerialParity.None,
                },
                StopBits = rtu.StopBits,
            },
            time)),
        _ => throw new ArgumentException($"There is no bus of the kind {model.GetType().Name}.", nameof(model)),
    };

    /// <summary>Where the bus is, for people: <c>127.0.0.1:502</c> or the path of the port.</summary>
    public static string Describe(BusModel model) => model switch
    {
        ModbusTcpBus tcp => $"{tcp.Host}:{tcp.Port}",
        ModbusRtuBus rtu => $"{rtu.Port} at {rtu.Baud} baud",
        _ => model.Id,
    };
}
