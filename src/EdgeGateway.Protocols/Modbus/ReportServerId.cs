namespace EdgeGateway.Protocols.Modbus;

/// <summary>What a device says of itself by function 17. The layout is the device's own, except for a run indicator.</summary>
/// <param name="Data">All bytes, as they came.</param>
public sealed record ServerId(ReadOnlyMemory<byte> Data)
{
    private const byte Off = 0x00;
    private const byte On = 0xFF;

    /// <summary>Whether the device says that it runs; null when no run indicator can be found.</summary>
    /// <remarks>It stands behind the id: second where the id is one byte, as usual, else last.</remarks>
    public bool? IsRunning => Indicator < 0 ? null : Data.Span[Indicator] == On;

    /// <summary>The id as text: printable characters, other bytes as <c>\xHH</c>.</summary>
    public string Id => DeviceText.Of(Indicator < 0 ? Data.Span : Data.Span[..Indicator]);

    /// <summary>What follows the run indicator, as text likewise; often the name of the model.</summary>
    public string Additional => Indicator < 0 ? "" : DeviceText.Of(Data.Span[(Indicator + 1)..]);

    /// <inheritdoc/>
    public override string ToString() => DeviceText.Of(Data.Span);

    private int Indicator
    {
        get
        {
            var bytes = Data.Span;
            return bytes.Length >= 2 && bytes[1] is Off or On ? 1
                : bytes.Length >= 2 && bytes[^1] is Off or On ? bytes.Length - 1
                : -1;
        }
    }
}

/// <summary>Report Server ID (0x11). MODBUS V1.1b3, 6.13.</summary>
/// <remarks>
/// Request  PDU:  function
/// Response PDU:  function | byte count | id (as long as the device likes) | run indicator 00 or FF | additional data
/// </remarks>
public static class ReportServerId
{
    /// <summary>The most bytes of id, indicator and additional data.</summary>
    public const int MaxBytes = Pdu.MaxLength - 2;

    /// <summary>Writes a request and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu)
    {
        pdu[0] = (byte)ModbusFunction.ReportServerId;
        return 1;
    }

    /// <summary>Writes a response and returns its length in bytes.</summary>
    public static int WriteResponse(Span<byte> pdu, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, MaxBytes);
        pdu[0] = (byte)ModbusFunction.ReportServerId;
        pdu[1] = (byte)data.Length;
        data.CopyTo(pdu[2..]);
        return 2 + data.Length;
    }

    /// <summary>Reads a response; there is no id unless Ok.</summary>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, out ServerId? id)
    {
        var outcome = Check(pdu);
        id = outcome.IsOk ? new(pdu[2..].ToArray()) : null;
        return outcome;
    }

    internal static ModbusOutcome Check(ReadOnlySpan<byte> pdu) => Pdu.CheckCounted(pdu, ModbusFunction.ReportServerId, 1, MaxBytes);
}
