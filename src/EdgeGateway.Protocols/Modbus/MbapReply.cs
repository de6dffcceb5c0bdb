namespace EdgeGateway.Protocols.Modbus;

/// <summary>The answer of a server to one request with an MBAP header, with whatever is to go wrong in it.</summary>
internal static class MbapReply
{
    /// <summary>Room for an answer: twice the longest, since it may come twice.</summary>
    public const int MaxLength = 2 * (MbapHeader.Size + Pdu.MaxLength);

    /// <summary>Writes the answer and returns its length in bytes; 0 for silence.</summary>
    public static int Write(ServedUnits units, ModbusServerOptions options, MbapHeader header, ReadOnlySpan<byte> pdu, ServerFault fault, Span<byte> response)
    {
        var body = response.Slice(MbapHeader.Size, Pdu.MaxLength);
        var isMissing = fault.Kind is not (ServerFaultKind.Silence or ServerFaultKind.Exception) && !units.Has(header.Unit);
        var length = isMissing && !options.IgnoreUnknownUnits ? Pdu.WriteException(body, pdu[0], ModbusExceptionCode.GatewayTargetFailedToRespond)
            : fault.Kind == ServerFaultKind.Exception ? Pdu.WriteException(body, pdu[0], fault.ExceptionCode)
            : units.Respond(header.Unit, pdu, fault, body);
        if (length == 0)
        {
            return 0;
        }

        length = fault.Kind == ServerFaultKind.ShortReply ? Math.Max(1, length / 2) : length;
        var transaction = fault.Kind == ServerFaultKind.WrongTransactionId ? unchecked((ushort)(header.TransactionId + 1)) : header.TransactionId;
        new MbapHeader(transaction, fault.Kind == ServerFaultKind.OtherUnit ? fault.Unit : header.Unit, length).Write(response);
        if (fault.Kind == ServerFaultKind.WrongCrc)
        {
            response[2] ^= 0xFF;
        }

        var total = MbapHeader.Size + length;
        if (fault.Kind == ServerFaultKind.Duplicate)
        {
            response[..total].CopyTo(response[total..]);
            total *= 2;
        }

        return total;
    }
}
