using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>A client for Modbus RTU on a serial line, or behind a device server on the network. MODBUS over Serial Line V1.02.</summary>
/// <remarks>How answers are recognised and late ones kept out is told at <see cref="ModbusLineClient"/>.</remarks>
public sealed class ModbusRtuClient : ModbusLineClient
{
    /// <summary>A client for the serial port at this path; it is opened by the first request, and anew when the adapter was unplugged.</summary>
    public ModbusRtuClient(string path, SerialSettings settings, TimeProvider time)
        : this((_, _) => ValueTask.FromResult<IByteLine>(SerialPort.Open(path, settings, time)), new RtuTiming(settings), time)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
    }

    /// <summary>A client for a line that is opened elsewhere, such as a device server on the network.</summary>
    public ModbusRtuClient(OpenByteLine open, RtuTiming timing, TimeProvider time)
        : base(open, new RtuFraming(), timing, time)
    {
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => DisposeLineAsync();
}
