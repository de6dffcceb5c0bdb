using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>What function 08 is asked to do. MODBUS V1.1b3, 6.8.1.</summary>
public enum DiagnosticFunction : ushort
{
    /// <summary>Answers the data of the request: proves that the line works both ways.</summary>
    ReturnQueryData = 0x00,

    /// <summary>Restarts the port of the device, ends its listen only mode and clears its event counters; data FF00 clears its event log as well.</summary>
    RestartCommunications = 0x01,

    /// <summary>Answers the device's own 16-bit diagnostic register.</summary>
    ReturnDiagnosticRegister = 0x02,

    /// <summary>Sets the character that ends an ASCII frame; it is the high byte of the data.</summary>
    ChangeAsciiInputDelimiter = 0x03,

    /// <summary>Makes the device deaf and dumb until its communications are restarted. There is no answer.</summary>
    ForceListenOnlyMode = 0x04,

    /// <summary>Clears all counters and the diagnostic register.</summary>
    ClearCounters = 0x0A,

    /// <summary>Frames that the device has seen on the line.</summary>
    ReturnBusMessageCount = 0x0B,

    /// <summary>Frames with a wrong CRC that the device has seen.</summary>
    ReturnBusCommunicationErrorCount = 0x0C,

    /// <summary>Exceptions that the device has answered.</summary>
    ReturnBusExceptionErrorCount = 0x0D,

    /// <summary>Requests to this device, broadcasts included.</summary>
    ReturnServerMessageCount = 0x0E,

    /// <summary>Requests to this device that it did not answer.</summary>
    ReturnServerNoResponseCount = 0x0F,

    /// <summary>Requests that it refused with exception 07, negative acknowledge.</summary>
    ReturnServerNakCount = 0x10,

    /// <summary>Requests that it refused with exception 06, busy.</summary>
    ReturnServerBusyCount = 0x11,

    /// <summary>Frames that the device lost because characters came faster than it took them.</summary>
    ReturnBusCharacterOverrunCount = 0x12,

    /// <summary>Clears the overrun counter.</summary>
    ClearOverrunCounterAndFlag = 0x14,
}

/// <summary>Diagnostics (0x08): counters and tests of a device's serial line. MODBUS V1.1b3, 6.8.</summary>
/// <remarks>
/// Request  PDU:  function | sub-function hi lo | data hi lo
/// Response PDU:  function | sub-function hi lo | data hi lo
/// The standard lets Return Query Data carry more than one word of data. Requests written here carry one, since a serial frame of
/// this function does not tell its length; a server answers as many words as came.
/// </remarks>
public static class Diagnostics
{
    /// <summary>The data that makes <see cref="DiagnosticFunction.RestartCommunications"/> clear the event log too.</summary>
    public const ushort ClearEventLog = 0xFF00;

    /// <summary>Writes a request, or a response, and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu, DiagnosticFunction function, ushort data) =>
        Pdu.WriteStart(pdu, ModbusFunction.Diagnostics, (ushort)function, data);

    /// <summary>Reads a request; false when the bytes are not one. The sub-function is not judged here; the data may be empty or of several words.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, out DiagnosticFunction function, out ReadOnlySpan<byte> data)
    {
        var isRequest = pdu.Length >= 3 && pdu[0] == (byte)ModbusFunction.Diagnostics;
        function = isRequest ? (DiagnosticFunction)BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]) : default;
        data = isRequest ? pdu[3..] : default;
        return isRequest;
    }

    /// <summary>Reads a response: Ok only when it repeats the sub-function, and the data where the standard says so.</summary>
    /// <param name="pdu">The response.</param>
    /// <param name="function">What was asked.</param>
    /// <param name="sent">The data of the request.</param>
    /// <param name="data">The data of the response; 0 unless Ok.</param>
    public static ModbusOutcome ReadResponse(ReadOnlySpan<byte> pdu, DiagnosticFunction function, ushort sent, out ushort data)
    {
        data = 0;
        var outcome = Pdu.CheckLength(pdu, ModbusFunction.Diagnostics, 5);
        if (!outcome.IsOk)
        {
            return outcome;
        }

        var answered = BinaryPrimitives.ReadUInt16BigEndian(pdu[3..]);
        if (BinaryPrimitives.ReadUInt16BigEndian(pdu[1..]) != (ushort)function || (RepeatsData(function) && answered != sent))
        {
            return new(ModbusStatus.Malformed);
        }

        data = answered;
        return outcome;
    }

    /// <summary>Whether asking changes nothing in the device, so that asking again does no harm.</summary>
    public static bool IsHarmless(DiagnosticFunction function) =>
        function is DiagnosticFunction.ReturnQueryData or DiagnosticFunction.ReturnDiagnosticRegister
            or (>= DiagnosticFunction.ReturnBusMessageCount and <= DiagnosticFunction.ReturnBusCharacterOverrunCount);

    /// <summary>Whether the response repeats the data of the request.</summary>
    internal static bool RepeatsData(DiagnosticFunction function) =>
        function is DiagnosticFunction.ReturnQueryData or DiagnosticFunction.RestartCommunications
            or DiagnosticFunction.ChangeAsciiInputDelimiter or DiagnosticFunction.ClearCounters or DiagnosticFunction.ClearOverrunCounterAndFlag;
}
