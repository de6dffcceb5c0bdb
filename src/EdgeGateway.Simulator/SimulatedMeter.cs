using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Dlt645;

namespace EdgeGateway.Simulator;

/// <summary>One simulated device as a DL/T 645 meter: it offers the quantities that its profile has (<see cref="Dlt645Layout"/>), singly and as blocks of the standard.</summary>
internal sealed class SimulatedMeter(SimulatedSite site, int device, MeterAddress address) : IDlt645Meter
{
    private const uint Block = 0x0000_FF00;

    // By identifier: the value, and behind a maximum its time.
    private readonly Dictionary<uint, Dlt645Place[]> _places = Dlt645Layout.Places.GroupBy(p => p.Identifier).ToDictionary(g => g.Key, g => g.ToArray());

    /// <inheritdoc/>
    public MeterAddress Address => address;

    /// <inheritdoc/>
    public int Read(DataIdentifier identifier, Span<byte> data)
    {
        if ((identifier.Code & Block) != Block)
        {
            return ReadOne(identifier, data);
        }

        // A block holds its items one behind the other, up to the first that the meter does not have.
        var (length, first) = (0, ReadOne(new(identifier.Code & ~Block), data) >= 0 ? 0u : 1u);
        for (var part = first; part < 0xFF; part++)
        {
            var one = ReadOne(new((identifier.Code & ~Block) | (part << 8)), data[length..]);
            if (one < 0)
            {
                break;
            }

            length += one;
        }

        return length > 0 ? length : -1;
    }

    private int ReadOne(DataIdentifier identifier, Span<byte> data)
    {
        if (DataItems.Find(identifier) is not { } item)
        {
            return -1;
        }

        Span<ushort> words = stackalloc ushort[3];
        if (item.Form == DataForm.Address)
        {
            address.Write(data);
            return item.Length;
        }

        if (item.Form is DataForm.Date or DataForm.TimeOfDay)
        {
            if (!TryRead(Dlt645Layout.Places.First(p => p.Part == Dlt645Part.Clock), words))
            {
                return -1;
            }

            ReadOnlySpan<byte> bytes = item.Form == DataForm.Date ? [0, Low(words[1], 8), Low(words[0], 0), Low(words[0], 8)] : [Low(words[2], 0), Low(words[2], 8), Low(words[1], 0)];
            bytes.CopyTo(data);
            return item.Length;
        }

        if (!_places.TryGetValue(identifier.Code, out var places) || !TryRead(places[0], words))
        {
            return -1;
        }

        var number = unchecked((int)(((uint)words[0] << 16) | words[1]));
        if (unchecked((uint)number) == Dlt645Layout.Absent)
        {
            data[..item.Length].Fill(0xFF);
            return item.Length;
        }

        // A display of so many digits shows the last ones of a total that has grown larger.
        var limit = (long)Math.Pow(10, 2 * item.NumberBytes) * (item.IsSigned ? 8 : 10) / 10;
        Bcd.Write(data[..item.NumberBytes], item.IsSigned ? number % limit : Math.Abs((long)number) % limit, item.IsSigned);
        if (item.Form == DataForm.NumberAndTime)
        {
            var reached = places.FirstOrDefault(p => p.Part == Dlt645Part.ReachedAt);
            words.Clear();
            _ = reached is not null && TryRead(reached, words);
            ReadOnlySpan<byte> bytes = [Low(words[2], 8), Low(words[1], 0), Low(words[1], 8), Low(words[0], 0), Low(words[0], 8)];
            bytes.CopyTo(data[item.NumberBytes..]);
        }

        return item.Length;
    }

    private bool TryRead(Dlt645Place place, Span<ushort> words) => site.TryReadNow(device, RegisterTable.InputRegister, place.Address, words[..place.Encoding.Length]);

    private static byte Low(ushort word, int shift) => (byte)((word >> shift) & 0xFF);
}
