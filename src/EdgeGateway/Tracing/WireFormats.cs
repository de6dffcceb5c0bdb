using EdgeGateway.Buses;
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
        ModbusRtuBus or ModbusRtuOverTcpBus => FrameFormat.Rtu,
        ModbusAsciiBus or ModbusAsciiOverTcpBus => FrameFormat.Ascii,
        _ => FrameFormat.Tcp,
    };

    /// <summary>Whether the devices stand on a line, here or behind a device server: unit 0 means all of them there, and nobody answers it (V1.02, 2.2).</summary>
    public static bool IsLine(BusModel bus) => bus is SerialBus or DeviceServerBus;

    /// <summary>Port and settings of a serial line; null for a bus that is none.</summary>
    public static (string Port, SerialSettings Settings)? LineOf(BusModel bus) => bus is SerialBus line ? (line.Port, BusKinds.SettingsOf(line)) : null;
}
