using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Buses;

/// <summary>How long the bytes of an exchange travel.</summary>
internal static class WireTime
{
    // Request 8 bytes; reply address, function, byte count, CRC: 5 bytes and the data (MODBUS over serial line V1.02, 2.5.1).
    private const int FrameBytes = 13;

    /// <summary>Zero where the wire is too quick to matter.</summary>
    public static TimeSpan Of(BusModel bus, ReadRequest request)
    {
        if (bus is not ModbusRtuBus line)
        {
            return TimeSpan.Zero;
        }

        var data = request.Table is RegisterTable.Coil or RegisterTable.DiscreteInput ? (request.Quantity + 7) / 8 : 2 * request.Quantity;

        // Start, eight data bits, parity if any, stop bits.
        var bits = 9 + (line.Parity == SerialParity.None ? 0 : 1) + line.StopBits;
        return TimeSpan.FromSeconds((FrameBytes + data) * bits / (double)line.Baud);
    }
}
