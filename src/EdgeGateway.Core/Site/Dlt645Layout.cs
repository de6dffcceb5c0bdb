using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>What of a data item stands in a place.</summary>
public enum Dlt645Part : byte
{
    /// <summary>Its number, all digits without the point: 54623.71 kWh is 5462371.</summary>
    Number,

    /// <summary>When a maximum was reached, to the minute.</summary>
    ReachedAt,

    /// <summary>The meter's clock, of its items for the date and for the time of day.</summary>
    Clock,
}

/// <summary>Where a quantity of a DL/T 645 meter is shown.</summary>
/// <param name="Address">Its first input register.</param>
/// <param name="Identifier">The data identifier DI3 DI2 DI1 DI0, DI3 highest.</param>
/// <param name="Part">What of it.</param>
/// <param name="Name">What it is, in the words of the documentation.</param>
public sealed record Dlt645Place(ushort Address, uint Identifier, Dlt645Part Part, string Name)
{
    /// <summary>How it is read: a signed number in two registers, or BCD date and time in three.</summary>
    public RegisterEncoding Encoding { get; } = new()
    {
        Table = RegisterTable.InputRegister,
        Address = Address,
        Type = Part == Dlt645Part.Number ? RegisterType.Int32 : RegisterType.DateTime,
        TimeForm = Part == Dlt645Part.Number ? TimeForm.Iec : TimeForm.Bcd,
    };
}

/// <summary>
/// The quantities of DL/T 645-2007 as registers, so that profiles, plans, detectors and accounts work as for any other meter (docs/decisions/0015). The one place that the bus,
/// <c>check</c>, the simulator, the tests and the documentation share. What belongs to one block of the standard stands together and is asked for at once; nothing else does.
/// </summary>
public static class Dlt645Layout
{
    /// <summary>The register of a number that says "there is no value now": the smallest of 32 bits.</summary>
    public const uint Absent = 0x8000_0000;

    /// <summary>Highest tariff that is shown.</summary>
    public const int MostTariffs = 15;

    private static readonly string[] Energies = ["combined active energy", "forward active energy", "reverse active energy", "combined reactive energy 1", "combined reactive energy 2"];

    private static readonly string[] Demands = ["forward active maximum demand", "reverse active maximum demand"];

    private static readonly (ushort Address, uint Identifier, string Name)[] Single =
    [
        (0x0480, 0x0280_0001, "neutral current"),
        (0x0484, 0x0280_0002, "frequency"),
        (0x0488, 0x0280_0003, "mean active power of one minute"),
        (0x048C, 0x0280_0007, "temperature inside the meter"),
        (0x0600, 0x0311_0000, "power failures"),
        (0x0604, 0x0330_0000, "programmings"),
        (0x0608, 0x0330_0100, "clearings of the meter"),
        (0x060C, 0x0330_0200, "clearings of the demand"),
        (0x0610, 0x0330_0300, "clearings of events"),
        (0x0614, 0x0330_0400, "settings of the clock"),
        (0x0618, 0x0330_0D00, "openings of the cover"),
        (0x061C, 0x0330_0E00, "openings of the terminal cover"),
    ];

    /// <summary>Every place, by address.</summary>
    public static IReadOnlyList<Dlt645Place> Places { get; } = [.. Make().OrderBy(p => p.Address)];

    /// <summary>The places that lie wholly or in part within registers, by address.</summary>
    public static IEnumerable<Dlt645Place> Within(int address, int quantity) =>
        Places.Where(p => p.Address < address + quantity && address < p.Address + p.Encoding.Length);

    /// <summary>Why a point does not fit; null when it does.</summary>
    public static string? Refuse(RegisterEncoding encoding)
    {
        ArgumentNullException.ThrowIfNull(encoding);
        if (encoding.Table != RegisterTable.InputRegister || Places.FirstOrDefault(p => p.Address == encoding.Address) is not { } place)
        {
            return "no quantity of DL/T 645 stands there";
        }

        if (encoding.Type != place.Encoding.Type || encoding.TimeForm != place.Encoding.TimeForm || encoding.BitCount > 0 || encoding.ScaleAt is not null || encoding.WordOrder != WordOrder.HighFirst || encoding.ByteOrder != ByteOrder.Big)
        {
            return place.Part == Dlt645Part.Number ? $"the {place.Name} is shown as int32, high word first" : $"the {place.Name} is shown as a datetime of the form bcd-3";
        }

        return place.Part == Dlt645Part.Number && !encoding.Invalid.Contains(Absent) ? $"0x{Absent:X8} says that there is no {place.Name} now, and the profile does not declare it as 'invalid'" : null;
    }

    private static IEnumerable<Dlt645Place> Make()
    {
        for (var kind = 0; kind < Energies.Length; kind++)
        {
            for (var tariff = 0; tariff <= MostTariffs; tariff++)
            {
                yield return new((ushort)((kind * 0x40) + (2 * tariff)), ((uint)kind << 16) | ((uint)tariff << 8), Dlt645Part.Number, $"{Energies[kind]}, {Of(tariff)}");
            }
        }

        for (var kind = 0; kind < Demands.Length; kind++)
        {
            for (var tariff = 0; tariff <= MostTariffs; tariff++)
            {
                var (address, identifier) = (0x0200 + (kind * 0x80) + (5 * tariff), 0x0100_0000 | ((uint)(kind + 1) << 16) | ((uint)tariff << 8));
                yield return new((ushort)address, identifier, Dlt645Part.Number, $"{Demands[kind]}, {Of(tariff)}");
                yield return new((ushort)(address + 2), identifier, Dlt645Part.ReachedAt, $"time of the {Demands[kind]}, {Of(tariff)}");
            }
        }

        foreach (var place in Phases(0x0400, 0x0201_0000, "voltage", hasTotal: false)
            .Concat(Phases(0x0410, 0x0202_0000, "current", hasTotal: false))
            .Concat(Phases(0x0420, 0x0203_0000, "active power", hasTotal: true))
            .Concat(Phases(0x0430, 0x0204_0000, "reactive power", hasTotal: true))
            .Concat(Phases(0x0440, 0x0205_0000, "apparent power", hasTotal: true))
            .Concat(Phases(0x0450, 0x0206_0000, "power factor", hasTotal: true))
            .Concat(Phases(0x0460, 0x0207_0000, "phase angle", hasTotal: false)))
        {
            yield return place;
        }

        foreach (var (address, identifier, name) in Single)
        {
            yield return new(address, identifier, Dlt645Part.Number, name);
        }

        yield return new(0x0500, 0x0400_0101, Dlt645Part.Clock, "clock of the meter");
    }

    private static IEnumerable<Dlt645Place> Phases(int address, uint identifier, string name, bool hasTotal) =>
        Enumerable.Range(0, hasTotal ? 4 : 3).Select(i => new Dlt645Place(
            (ushort)(address + (2 * i)),
            identifier | ((uint)(hasTotal ? i : i + 1) << 8),
            Dlt645Part.Number,
            $"{name} {((string[])["total", "A", "B", "C"])[hasTotal ? i : i + 1]}"));

    private static string Of(int tariff) => tariff == 0 ? "total" : $"tariff {tariff}";
}
