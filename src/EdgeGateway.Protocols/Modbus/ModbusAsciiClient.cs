using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>A client for Modbus ASCII on a serial line, or behind a device server on the network. MODBUS over Serial Line V1.02, 2.5.2.</summary>
/// <remarks>
/// Frames stand between ':' and CR LF, so they are told apart without regard to time; up to one second may pass inside one. The LRC is
/// a weak check (8 bits). A frame has no transaction id here either: how late answers are kept out is told at <see cref="ModbusLineClient"/>.
/// </remarks>
public sealed class ModbusAsciiClient : ModbusLineClient
{
    /// <summary>A client for the serial port at this path, usually with 7 data bits; it is opened by the first request, and anew when the adapter was unplugged.</summary>
    public ModbusAsciiClient(string path, SerialSettings settings, TimeProvider time)
        : this((_, _) => ValueTask.FromResult<IByteLine>(SerialPort.Open(path, settings, time)), new RtuTiming(settings), time)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
    }

    /// <summary>A client for a line that is opened elsewhere, such as a device server on the network.</summary>
    public ModbusAsciiClient(OpenByteLine open, RtuTiming timing, TimeProvider time)
        : base(open, new AsciiFraming(), timing, time)
    {
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => DisposeLineAsync();
}
