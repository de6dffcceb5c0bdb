using EdgeGateway.Buses;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Scanning;

namespace EdgeGateway.Tests.Buses;

/// <summary>Holding registers of a device, by address, and what it does wrong. Registers that are not there are refused.</summary>
internal sealed class SunSpecDevice : IProbe
{
    private const int MostKept = 10_000;

    /// <summary>The registers; each of a model holds its own address, so that every value tells where it was read.</summary>
    public Dictionary<int, ushort> Registers { get; } = [];

    /// <summary>Every request, in order.</summary>
    public List<(int Address, int Quantity)> Asked { get; } = [];

    /// <summary>Most registers that it answers at once.</summary>
    public int Most { get; set; } = 125;

    /// <summary>Whether it keeps silent when it is asked for too much.</summary>
    public bool IsSilentBeyond { get; set; }

    /// <summary>What it does in place of answering, by the first address; null to answer.</summary>
    public Func<int, ModbusOutcome?> Instead { get; set; } = static _ => null;

    public long LateAnswers => 0;

    public static ModbusOutcome Silent { get; } = new(ModbusStatus.Timeout);

    /// <summary>The requests as the bus does them.</summary>
    public SunSpecPlaces.Exchange Exchange => async (unit, request, words, timeout, cancel) =>
        ModbusBus.ReplyOf(await ReadAsync(unit, ModbusBus.TableOf(request.Table), request.Address, request.Quantity, words, timeout, cancel));

    /// <summary>Writes a list of models behind a marker, and the end of the list.</summary>
    /// <param name="marker">Where.</param>
    /// <param name="models">Number and stated length of each; as many registers are there, as far as there is room.</param>
    public SunSpecDevice With(int marker, params (ushort Number, ushort Length)[] models)
    {
        (Registers[marker], Registers[marker + 1]) = (0x5375, 0x6E53);
        var at = marker + 2;
        foreach (var (number, length) in models)
        {
            (Registers[at], Registers[at + 1]) = (number, length);
            for (var i = at + 2; i < Math.Min(at + 2 + length, 0x10000); i++)
            {
                Registers[i] = (ushort)i;
            }

            at += 2 + length;
        }

        if (at + 1 < 0x10000)
        {
            (Registers[at], Registers[at + 1]) = (0xFFFF, 0);
        }

        return this;
    }

    public ValueTask<ModbusOutcome> ReadAsync(
        byte unit, RegisterTable table, ushort address, int quantity, Memory<ushort> words, TimeSpan timeout, CancellationToken cancel)
    {
        Assert.True(address + quantity <= 0x10000, $"asked for {quantity} registers at {address}, beyond the table");
        Asked.Add((address, quantity));
        Assert.True(Asked.Count < MostKept, "the device is asked for ever");
        if (Instead(address) is { } outcome)
        {
            return new(outcome);
        }

        if (quantity > Most)
        {
            return new(IsSilentBeyond ? Silent : ModbusOutcome.Refused(ModbusExceptionCode.IllegalDataValue));
        }

        for (var i = 0; i < quantity; i++)
        {
            if (table != RegisterTable.HoldingRegister || !Registers.TryGetValue(address + i, out var word))
            {
                return new(ModbusOutcome.Refused(ModbusExceptionCode.IllegalDataAddress));
            }

            words.Span[i] = word;
        }

        return new(ModbusOutcome.Ok);
    }

    public ValueTask<DeviceNames> NamesAsync(byte unit, TimeSpan timeout, CancellationToken cancel) => new(DeviceNames.None);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
