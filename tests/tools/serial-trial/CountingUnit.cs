using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Simulator;

namespace EdgeGateway.SerialTrial;

/// <summary>A load device of <see cref="Registers"/> registers whose second is the number of the request: every answer is another one, and what is not of one answer is found out.</summary>
/// <param name="offset">Where its numbers begin, so that two units are told apart.</param>
internal sealed class CountingUnit(long offset) : IModbusUnit
{
    public const int Registers = 20;

    private long _number = offset;

    /// <summary>The number of the newest answer.</summary>
    public long Number => Interlocked.Read(ref _number);

    public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
    {
        Span<ushort> image = stackalloc ushort[Registers];
        Fill(image, Interlocked.Increment(ref _number));
        if (address + destination.Length > image.Length)
        {
            return ModbusExceptionCode.IllegalDataAddress;
        }

        image.Slice(address, destination.Length).CopyTo(destination);
        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;

    /// <summary>The number of the answer that registers are from; null when they are from none.</summary>
    public static long? NumberOf(ReadOnlySpan<ushort> registers)
    {
        Span<ushort> image = stackalloc ushort[Registers];
        var number = ((long)registers[0] << 16) | registers[1];
        Fill(image, number);
        return image.SequenceEqual(registers) ? number : null;
    }

    private static void Fill(Span<ushort> image, long number)
    {
        image.Clear();
        (image[0], image[1]) = ((ushort)(number >> 16), (ushort)(number & 0xFFFF));
        (image[4], image[5]) = (image[0], image[1]);
        for (var at = LoadDevice.MinRegisters; at < image.Length; at += 2)
        {
            var bits = BitConverter.SingleToUInt32Bits((float)LoadDevice.Wave(number, at));
            (image[at], image[at + 1]) = ((ushort)(bits >> 16), (ushort)(bits & 0xFFFF));
        }
    }
}
