using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tracing;

/// <summary>How frames look on each kind of bus.</summary>
internal static class WireFormats
{
    /// <summary>How frames are told apart on this bus.</summary>
    public static FrameFormat Of(BusModel bus) => bus switch
    {
        ModbusRtuBus => FrameFormat.Rtu,
        _ => FrameFormat.Tcp,
    };

    /// <summary>Port and settings of a serial line; null for a bus that is none.</summary>
    public static (string Port, SerialSettings Settings)? LineOf(BusModel bus) => bus is ModbusRtuBus rtu
        ? (rtu.Port, new SerialSettings
        {
            Baud = rtu.Baud,
            Parity = rtu.Parity switch
            {
                Core.Site.SerialParity.Even => Protocols.Serial.SerialParity.Even,
                Core.Site.SerialParity.Odd => Protocols.Serial.SerialParity.Odd,
                _ => Protocols.Serial.SerialParity.None,
            },
            StopBits = rtu.StopBits,
        })
        : null;
}
