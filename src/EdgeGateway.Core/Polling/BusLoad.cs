using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Polling;

/// <summary>Share of a bus's time that a device needs at least: the bytes on a serial line and the quiet times the device asks for.</summary>
public static class BusLoad
{
    // Request 8 bytes; reply address, function, byte count, CRC: 5 bytes and the data (MODBUS over serial line V1.02, 2.5.1).
    private const int FrameBytes = 13;

    // Two silent intervals of 3.5 characters, one before each frame.
    private const int SilentCharacters = 7;

    /// <summary>0 = idle, 1 = busy without pause. The device's own thinking time comes on top and is not known.</summary>
    public static double Of(BusModel bus, DeviceModel device, IReadOnlyList<PointModel> points)
    {
        var load = 0.0;
        var groups = device.Points.Select(i => points[i]).Where(p => p.Period > TimeSpan.Zero).GroupBy(p => p.Period);
        foreach (var group in groups)
        {
            var seconds = 0.0;
            foreach (var read in ReadPlanner.Plan(group.Select(p => (p.Index, p.Encoding)), ReadLimits.Of(device.Profile)))
            {
                seconds += device.Profile.MinGap.TotalSeconds;
                if (bus is SerialBus line)
                {
                    var inBits = read.Request.Table is RegisterTable.Coil or RegisterTable.DiscreteInput;
                    var data = inBits ? (read.Request.Quantity + 7) / 8 : 2 * read.Request.Quantity;

                    seconds += (FrameBytes + SilentCharacters + data) * line.BitsPerCharacter * (line is ModbusAsciiBus ? 2 : 1) / (double)line.Baud;
                }
            }

            load += seconds / group.Key.TotalSeconds;
        }

        return load;
    }
}
