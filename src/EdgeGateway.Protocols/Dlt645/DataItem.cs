namespace EdgeGateway.Protocols.Dlt645;

/// <summary>How the data of an identifier stand in a frame.</summary>
public enum DataForm
{
    /// <summary>A decimal number.</summary>
    Number,

    /// <summary>A decimal number and, behind it, when it was reached: YYMMDDhhmm, five bytes, the minute first.</summary>
    NumberAndTime,

    /// <summary>YYMMDDWW: four bytes, the day of the week first.</summary>
    Date,

    /// <summary>hhmmss: three bytes, the second first.</summary>
    TimeOfDay,

    /// <summary>The twelve digits of an address, six bytes.</summary>
    Address,
}

/// <summary>One quantity that meters offer. DL/T 645-2007, annex A.</summary>
/// <param name="Identifier">Its identifier.</param>
/// <param name="Form">How it stands in a frame.</param>
/// <param name="NumberBytes">Bytes of the number.</param>
/// <param name="Decimals">Digits behind its point.</param>
/// <param name="IsSigned">Whether the top bit of the number is its sign.</param>
/// <param name="Unit">Its unit as the standard prints it; empty for a plain number.</param>
/// <param name="Name">What it is.</param>
public sealed record DataItem(DataIdentifier Identifier, DataForm Form, int NumberBytes, int Decimals, bool IsSigned, string Unit, string Name)
{
    private const int TimeBytes = 5;

    private static readonly decimal[] Scales = [1m, 0.1m, 0.01m, 0.001m, 0.0001m];

    /// <summary>All its bytes.</summary>
    public int Length => Form switch
    {
        DataForm.NumberAndTime => NumberBytes + TimeBytes,
        DataForm.Date => 4,
        DataForm.TimeOfDay => 3,
        DataForm.Address => MeterAddress.Length,
        _ => NumberBytes,
    };

    /// <summary>The value of the number, exact.</summary>
    /// <param name="data">The data behind the identifier.</param>
    /// <param name="value">The value in <see cref="Unit"/>.</param>
    /// <returns>False when there are too few bytes (a meter without the value sends none), a digit is above 9, or the item is no number.</returns>
    public bool TryValue(ReadOnlySpan<byte> data, out decimal value)
    {
        value = 0;
        if (Form > DataForm.NumberAndTime || data.Length < NumberBytes || !Bcd.TryRead(data[..NumberBytes], IsSigned, out var number))
        {
            return false;
        }

        value = number * Scales[Decimals];
        return true;
    }
}

/// <summary>The quantities of the standard that this library knows; any other identifier can be read as bytes.</summary>
/// <remarks>
/// Identifiers, digits, points and units: annex A of DL/T 645-2007 as public implementations have it. Which of them a meter offers is its own affair: it refuses the
/// others.
/// </remarks>
public static class DataItems
{
    /// <summary>Highest tariff of energies and demands that is known here; the standard allows 63.</summary>
    public const int MostTariffs = 15;

    private static readonly (byte Kind, string Unit, bool IsSigned, string Name)[] Energies =
    [
        (0x00, "kWh", true, "combined active energy"),
        (0x01, "kWh", false, "forward active energy"),
        (0x02, "kWh", false, "reverse active energy"),
        (0x03, "kvarh", true, "combined reactive energy 1"),
        (0x04, "kvarh", true, "combined reactive energy 2"),
    ];

    private static readonly (byte Kind, string Name)[] Demands = [(0x01, "forward active maximum demand"), (0x02, "reverse active maximum demand")];

    private static readonly string[] Phases = ["A", "B", "C"];

    private static readonly (byte Low, string Name)[] Events =
    [
        (0x00, "programmings"),
        (0x01, "clearings of the meter"),
        (0x02, "clearings of the demand"),
        (0x03, "clearings of events"),
        (0x04, "settings of the clock"),
        (0x0D, "openings of the cover"),
        (0x0E, "openings of the terminal cover"),
    ];

    private static readonly Dictionary<DataIdentifier, DataItem> ById = Make().ToDictionary(i => i.Identifier);

    /// <summary>All of them, by their identifiers.</summary>
    public static IReadOnlyCollection<DataItem> All => ById.Values;

    /// <summary>The item of an identifier, or null.</summary>
    public static DataItem? Find(DataIdentifier identifier) => ById.GetValueOrDefault(identifier);

    private static IEnumerable<DataItem> Make()
    {
        foreach (var (kind, unit, isSigned, name) in Energies)
        {
            for (var tariff = 0; tariff <= MostTariffs; tariff++)
            {
                yield return Number(((uint)kind << 16) | ((uint)tariff << 8), 4, 2, isSigned, unit, $"{name}, {Of(tariff)}");
            }
        }

        foreach (var (kind, name) in Demands)
        {
            for (var tariff = 0; tariff <= MostTariffs; tariff++)
            {
                yield return new(new(0x0100_0000 | ((uint)kind << 16) | ((uint)tariff << 8)), DataForm.NumberAndTime, 3, 4, false, "kW", $"{name}, {Of(tariff)}");
            }
        }

        for (var phase = 0; phase < 3; phase++)
        {
            var low = (uint)(phase + 1) << 8;
            yield return Number(0x0201_0000 | low, 2, 1, false, "V", $"voltage {Phases[phase]}");
            yield return Number(0x0202_0000 | low, 3, 3, true, "A", $"current {Phases[phase]}");
            yield return Number(0x0207_0000 | low, 2, 1, false, "deg", $"phase angle {Phases[phase]}");
        }

        for (var phase = 0; phase <= 3; phase++)
        {
            var (low, name) = ((uint)phase << 8, phase == 0 ? "total" : Phases[phase - 1]);
            yield return Number(0x0203_0000 | low, 3, 4, true, "kW", $"active power {name}");
            yield return Number(0x0204_0000 | low, 3, 4, true, "kvar", $"reactive power {name}");
            yield return Number(0x0205_0000 | low, 3, 4, false, "kVA", $"apparent power {name}");
            yield return Number(0x0206_0000 | low, 2, 3, true, "", $"power factor {name}");
        }

        yield return Number(0x0280_0001, 3, 3, true, "A", "neutral current");
        yield return Number(0x0280_0002, 2, 2, false, "Hz", "frequency");
        yield return Number(0x0280_0003, 3, 4, true, "kW", "mean active power of one minute");
        yield return Number(0x0280_0007, 2, 1, true, "C", "temperature inside the meter");
        yield return Number(0x0311_0000, 3, 0, false, "", "power failures");
        foreach (var (low, name) in Events)
        {
            yield return Number(0x0330_0000 | ((uint)low << 8), 3, 0, false, "", name);
        }

        yield return new(new(0x0400_0101), DataForm.Date, 0, 0, false, "", "date and day of the week");
        yield return new(new(0x0400_0102), DataForm.TimeOfDay, 0, 0, false, "", "time of day");
        yield return new(new(0x0400_0401), DataForm.Address, 0, 0, false, "", "communication address");
    }

    private static string Of(int tariff) => tariff == 0 ? "total" : $"tariff {tariff}";

    private static DataItem Number(uint code, int bytes, int decimals, bool isSigned, string unit, string name) => new(new(code), DataForm.Number, bytes, decimals, isSigned, unit, name);
}
