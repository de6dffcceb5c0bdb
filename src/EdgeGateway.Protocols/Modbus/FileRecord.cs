namespace EdgeGateway.Protocols.Modbus;

/// <summary>Names a run of records in a file of a device. MODBUS V1.1b3, 6.14.</summary>
/// <param name="File">The file, from 1. Old devices know only 1 to 10.</param>
/// <param name="Record">The first record, 0 to 9999; each holds one register.</param>
/// <param name="Length">How many records.</param>
public readonly record struct FileRecord(ushort File, ushort Record, ushort Length)
{
    /// <summary>Records in a file.</summary>
    public const int RecordsInFile = 10000;

    /// <summary>The only reference type that the standard defines.</summary>
    internal const byte ReferenceType = 6;

    /// <summary>Whether the standard allows such a place.</summary>
    public bool IsInFile => File != 0 && Length != 0 && Record + Length <= RecordsInFile;

    internal static void Check(ushort file, ushort record, int quantity, int most)
    {
        ArgumentOutOfRangeException.ThrowIfZero(file);
        ArgumentOutOfRangeException.ThrowIfLessThan(quantity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quantity, most);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record + quantity, RecordsInFile, nameof(record));
    }
}
