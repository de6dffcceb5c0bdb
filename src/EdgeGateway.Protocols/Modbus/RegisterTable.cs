namespace EdgeGateway.Protocols.Modbus;

/// <summary>The four tables of the Modbus data model. MODBUS V1.1b3, 4.3.</summary>
/// <remarks>The value is the function code that reads the table; zero names no table.</remarks>
public enum RegisterTable : byte
{
    /// <summary>Single bits that can be written.</summary>
    Coil = 1,

    /// <summary>Single bits that can only be read.</summary>
    DiscreteInput = 2,

    /// <summary>16-bit words that can be written.</summary>
    HoldingRegister = 3,

    /// <summary>16-bit words that can only be read.</summary>
    InputRegister = 4,
}

/// <summary>Questions about a table that the codec and the servers ask.</summary>
public static class RegisterTables
{
    /// <summary>Whether the table holds single bits, which travel as 0 or 1 in a word on this library's interface.</summary>
    public static bool IsBits(this RegisterTable table) => table is RegisterTable.Coil or RegisterTable.DiscreteInput;

    /// <summary>Whether the protocol has functions that write this table.</summary>
    public static bool IsWritable(this RegisterTable table) => table is RegisterTable.Coil or RegisterTable.HoldingRegister;

    /// <summary>The most that one request may read: 2000 bits or 125 registers. MODBUS V1.1b3, 6.1 to 6.4.</summary>
    public static int MaxReadQuantity(this RegisterTable table) => table.IsBits() ? ReadBits.MaxQuantity : ReadRegisters.MaxQuantity;

    /// <summary>The most that one request may write: 1968 bits or 123 registers. MODBUS V1.1b3, 6.11 and 6.12.</summary>
    public static int MaxWriteQuantity(this RegisterTable table) => table.IsBits() ? WriteMultipleCoils.MaxQuantity : WriteMultipleRegisters.MaxQuantity;
}
