using System.Buffers.Binary;
using System.Globalization;

namespace EdgeGateway.Protocols.Dlt645;

/// <summary>What is asked of a meter: the four bytes DI3 DI2 DI1 DI0 of a data identifier. DL/T 645-2007, 5.2.5.1 and annex A.</summary>
/// <param name="Code">The bytes as one number, DI3 highest: 0x02010100 is the voltage of phase A.</param>
public readonly record struct DataIdentifier(uint Code)
{
    /// <summary>Bytes of an identifier.</summary>
    public const int Length = 4;

    /// <summary>Reads it as the standard prints it: eight hexadecimal digits.</summary>
    public static bool TryParse(string? text, out DataIdentifier identifier)
    {
        var isCode = uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) && text!.Length == 2 * Length;
        identifier = new(isCode ? code : 0);
        return isCode;
    }

    /// <summary>Reads the four bytes of a frame, DI0 first, without what is added on the wire.</summary>
    public static DataIdentifier Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt32LittleEndian(bytes));

    /// <summary>Writes the four bytes, DI0 first.</summary>
    public void Write(Span<byte> bytes) => BinaryPrimitives.WriteUInt32LittleEndian(bytes, Code);

    /// <summary>Eight hexadecimal digits.</summary>
    public override string ToString() => Code.ToString("X8", CultureInfo.InvariantCulture);
}
