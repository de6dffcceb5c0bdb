namespace EdgeGateway.Protocols.Modbus;

/// <summary>Which objects of its identification a device is asked for. MODBUS V1.1b3, 6.21.</summary>
public enum IdentificationAccess : byte
{
    /// <summary>Vendor, product code and revision, as a stream.</summary>
    Basic = 1,

    /// <summary>Objects 0 to 127, as a stream.</summary>
    Regular = 2,

    /// <summary>All objects, as a stream.</summary>
    Extended = 3,

    /// <summary>One object.</summary>
    Individual = 4,
}

/// <summary>What stands in front of the objects in a response.</summary>
/// <param name="Access">What was asked.</param>
/// <param name="ConformityLevel">See <see cref="DeviceIdentification.ConformityLevel"/>.</param>
/// <param name="MoreFollows">Whether another request is needed for the rest.</param>
/// <param name="NextObject">Where that request begins.</param>
/// <param name="Count">Objects in this response.</param>
public readonly record struct IdentificationHeader(IdentificationAccess Access, byte ConformityLevel, bool MoreFollows, byte NextObject, byte Count);

/// <summary>Read Device Identification (0x2B, MEI type 0x0E). MODBUS V1.1b3, 6.21.</summary>
/// <remarks>
/// Request  PDU:  function | 0E | access | object id
/// Response PDU:  function | 0E | access | conformity level | more follows (00 or FF) | next object id | count | for each object: id | length | text
/// </remarks>
public static class ReadDeviceIdentification
{
    /// <summary>The MEI type.</summary>
    public const byte MeiType = 0x0E;

    /// <summary>The longest text of an object that fits into a response.</summary>
    public const int MaxObjectLength = Pdu.MaxLength - HeadLength - ObjectHeadLength;

    internal const int HeadLength = 7;
    private const int ObjectHeadLength = 2;
    private const byte MoreFollows = 0xFF;

    /// <summary>Writes a request and returns its length in bytes.</summary>
    public static int WriteRequest(Span<byte> pdu, IdentificationAccess access, byte objectId)
    {
        pdu[0] = (byte)ModbusFunction.EncapsulatedInterface;
        pdu[1] = MeiType;
        pdu[2] = (byte)access;
        pdu[3] = objectId;
        return 4;
    }

    /// <summary>Reads a request; false when the bytes are not one. The access is not judged here.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> pdu, out IdentificationAccess access, out byte objectId)
    {
        var isRequest = pdu.Length == 4 && pdu[0] == (byte)ModbusFunction.EncapsulatedInterface && pdu[1] == MeiType;
        access = isRequest ? (IdentificationAccess)pdu[2] : default;
        objectId = isRequest ? pdu[3] : (byte)0;
        return isRequest;
    }

    /// <summary>Starts a response without objects and returns its length in bytes.</summary>
    public static int StartResponse(Span<byte> pdu, IdentificationAccess access, byte conformityLevel)
    {
        pdu[0] = (byte)ModbusFunction.EncapsulatedInterface;
        pdu[1] = MeiType;
        pdu[2] = (byte)access;
        pdu[3] = conformityLevel;
        pdu[4] = 0;
        pdu[5] = 0;
        pdu[6] = 0;
        return HeadLength;
    }

    /// <summary>Adds an object to a response of <paramref name="length"/> bytes, or tells in it that the object must be asked for by another request.</summary>
    /// <returns>False when there is no room.</returns>
    public static bool TryAddObject(Span<byte> pdu, ref int length, byte objectId, ReadOnlySpan<byte> text)
    {
        text = text[..Math.Min(text.Length, MaxObjectLength)];
        if (length + ObjectHeadLength + text.Length > Pdu.MaxLength)
        {
            pdu[4] = MoreFollows;
            pdu[5] = objectId;
            return false;
        }

        pdu[length] = objectId;
        pdu[length + 1] = (byte)text.Length;
        text.CopyTo(pdu[(length + ObjectHeadLength)..]);
        length += ObjectHeadLength + text.Length;
        pdu[6]++;
        return true;
    }

    /// <summary>Reads a response: Ok only when it is to a request of this access and its objects fill it exactly.</summary>
    /// <param name="pdu">The response.</param>
    /// <param name="access">What was asked.</param>
    /// <param name="header">What stands in front; empty unless Ok.</param>
    /// <param name="objects">The objects, for <see cref="TakeObject"/>; empty unless Ok.</param>
    public static ModbusOutcome ReadResponse(
        ReadOnlySpan<byte> pdu, IdentificationAccess access, out IdentificationHeader header, out ReadOnlySpan<byte> objects)
    {
        header = default;
        objects = default;
        var outcome = Pdu.CheckFunction(pdu, ModbusFunction.EncapsulatedInterface);
        if (!outcome.IsOk)
        {
            return outcome;
        }

        if ((pdu.Length > 1 && pdu[1] != MeiType) || (pdu.Length > 2 && pdu[2] != (byte)access))
        {
            return new(ModbusStatus.Malformed);
        }

        var length = ResponseLength(pdu);
        if (length <= 0 || length > pdu.Length)
        {
            return new(length < 0 ? ModbusStatus.Malformed : ModbusStatus.ShortReply);
        }

        if (length < pdu.Length)
        {
            return new(ModbusStatus.Malformed);
        }

        header = new(access, pdu[3], pdu[4] == MoreFollows, pdu[5], pdu[6]);
        objects = pdu[HeadLength..];
        return outcome;
    }

    /// <summary>Takes the first of the objects; false when there is none left.</summary>
    public static bool TakeObject(ref ReadOnlySpan<byte> objects, out byte objectId, out ReadOnlySpan<byte> text)
    {
        if (objects.Length < ObjectHeadLength || objects.Length < ObjectHeadLength + objects[1])
        {
            objectId = 0;
            text = default;
            return false;
        }

        objectId = objects[0];
        text = objects.Slice(ObjectHeadLength, objects[1]);
        objects = objects[(ObjectHeadLength + text.Length)..];
        return true;
    }

    /// <summary>The length of a response PDU that starts so; 0 when more bytes are needed to tell, -1 when no response starts so.</summary>
    internal static int ResponseLength(ReadOnlySpan<byte> pdu)
    {
        if (pdu.Length > 1 && pdu[1] != MeiType)
        {
            return -1;
        }

        if (pdu.Length < HeadLength)
        {
            return 0;
        }

        var length = HeadLength;
        for (var i = 0; i < pdu[6]; i++)
        {
            if (length + ObjectHeadLength > Pdu.MaxLength)
            {
                return -1;
            }

            if (length + ObjectHeadLength > pdu.Length)
            {
                return 0;
            }

            length += ObjectHeadLength + pdu[length + 1];
        }

        return length <= Pdu.MaxLength ? length : -1;
    }
}
