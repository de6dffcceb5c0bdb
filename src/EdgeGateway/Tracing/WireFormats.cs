using EdgeGateway.Buses;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tracing;

/// <summary>How frames look on each kind of bus.</summary>
internal static class WireFormats
{
    /// <summary>Makes what tells the frames of this bus in words.</summary>
    /// <param name="bus">The bus.</param>
    /// <param name="report">Receives each frame, in order.</param>
    public static LineTracer Tracer(BusModel bus, Action<TracedFrame> report)
    {
        if (bus is not IMeterBus meters)
        {
            return new FrameTracer(Of(bus), report);
        }

        var units = meters.Meters.ToDictionary(m => m.Address, m => (int)m.Unit);
        return new Dlt645Tracer(report) { UnitOf = meter => units.TryGetValue(meter.ToString(), out var unit) ? unit : null };
    }

    /// <summary>How frames are told apart on a bus that speaks Modbus.</summary>
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
