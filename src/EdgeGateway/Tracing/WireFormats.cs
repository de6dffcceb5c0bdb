using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;

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
}
