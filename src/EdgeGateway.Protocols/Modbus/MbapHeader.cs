using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>The header of a frame on TCP. MODBUS Messaging on TCP/IP V1.0b, 3.1.3.</summary>
/// <param name="TransactionId">Copied by the server from request to response.</param>
/// <param name="Unit">The unit id, copied likewise.</param>
/// <param name="PduLength">Bytes of PDU that follow the header, 1 to 253.</param>
/// <remarks>MBAP:  transaction hi lo | protocol 00 00 | length hi lo (unit and PDU) | unit</remarks>
public readonly record struct MbapHeader(ushort TransactionId, byte Unit, int PduLength)
{
    /// <summary>Bytes of the header, unit id included.</summary>
    public const int Size = 7;

    /// <summary>Writes the header.</summary>
    public void Write(Span<byte> adu)
    {
        BinaryPrimitives.WriteUInt16BigEndian(adu, TransactionId);
        BinaryPrimitives.WriteUInt16BigEndian(adu[2..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(adu[4..], (ushort)(PduLength + 1));
        adu[6] = Unit;
    }

    /// <summary>Reads a header of <see cref="Size"/> bytes or more; false when the protocol is not Modbus or the length cannot be.</summary>
    public static bool TryRead(ReadOnlySpan<byte> adu, out MbapHeader header)
    {
        header = default;
        if (adu.Length < Size || BinaryPrimitives.ReadUInt16BigEndian(adu[2..]) != 0)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(adu[4..]);
        if (length is < 2 or > Pdu.MaxLength + 1)
        {
            return false;
        }

        header = new(BinaryPrimitives.ReadUInt16BigEndian(adu), adu[6], length - 1);
        return true;
    }
}
