using System.Collections.Frozen;

namespace EdgeGateway.Core.Profiles;

/// <summary>What a unit measures. Two units can be converted when their dimension is the same.</summary>
public enum Dimension : byte
{
    /// <summary>Counts, factors, ratios: canonical unit 1.</summary>
    One,
    Voltage,
    Current,
    ActivePower,
    ReactivePower,
    ApparentPower,
    ActiveEnergy,
    ReactiveEnergy,
    ApparentEnergy,
    Frequency,
    Angle,
    Temperature,
    Pressure,
    Speed,
    RotationalSpeed,
    Acceleration,
    Mass,
    MassFlow,
    LinearDensity,
    MassConcentration,
    VolumeFraction,
    VolumeFlow,
    Volume,
    Time,
    Torque,
    Length,
    Density,
    VolumeFractionRate,
    Information,
}

/// <summary>A unit of the closed table.</summary>
/// <param name="Code">UCUM code, case-sensitive; <c>var</c>, <c>kvar</c>, <c>var.h</c> and <c>kvar.h</c> are additions, UCUM has no reactive units.</param>
/// <param name="Dimension">What it measures.</param>
/// <param name="Factor">Canonical units in one of it; the canonical unit of a dimension has the factor 1.</param>
/// <param name="Name">English name.</param>
/// <param name="Offset">Canonical value of zero; only temperatures have one.</param>
public sealed record Unit(string Code, Dimension Dimension, decimal Factor, string Name, decimal Offset = 0);

/// <summary>The closed table of units that profiles may use.</summary>
public static class Units
{
    /// <summary>Every unit, canonical units first within their dimension.</summary>
    public static readonly IReadOnlyList<Unit> All =
    [
        new("1", Dimension.One, 1, "one"),
        new("%", Dimension.One, 0.01m, "percent"),

        new("V", Dimension.Voltage, 1, "volt"),
        new("mV", Dimension.Voltage, 0.001m, "millivolt"),
        new("kV", Dimension.Voltage, 1_000, "kilovolt"),
        new("A", Dimension.Current, 1, "ampere"),
        new("mA", Dimension.Current, 0.001m, "milliampere"),
        new("kA", Dimension.Current, 1_000, "kiloampere"),
        new("W", Dimension.ActivePower, 1, "watt"),
        new("kW", Dimension.ActivePower, 1_000, "kilowatt"),
        new("MW", Dimension.ActivePower, 1_000_000, "megawatt"),
        new("var", Dimension.ReactivePower, 1, "volt-ampere reactive"),
        new("kvar", Dimension.ReactivePower, 1_000, "kilovolt-ampere reactive"),
        new("V.A", Dimension.ApparentPower, 1, "volt-ampere"),
        new("kV.A", Dimension.ApparentPower, 1_000, "kilovolt-ampere"),
        new("W.h", Dimension.ActiveEnergy, 1, "watt hour"),
        new("kW.h", Dimension.ActiveEnergy, 1_000, "kilowatt hour"),
        new("MW.h", Dimension.ActiveEnergy, 1_000_000, "megawatt hour"),
        new("GJ", Dimension.ActiveEnergy, 277_777.7777777777777777777778m, "gigajoule"),
        new("var.h", Dimension.ReactiveEnergy, 1, "volt-ampere reactive hour"),
        new("kvar.h", Dimension.ReactiveEnergy, 1_000, "kilovolt-ampere reactive hour"),
        new("V.A.h", Dimension.ApparentEnergy, 1, "volt-ampere hour"),
        new("kV.A.h", Dimension.ApparentEnergy, 1_000, "kilovolt-ampere hour"),
        new("Hz", Dimension.Frequency, 1, "hertz"),
        new("kHz", Dimension.Frequency, 1_000, "kilohertz"),
        new("deg", Dimension.Angle, 1, "degree"),

        new("Cel", Dimension.Temperature, 1, "degree Celsius"),
        new("[degF]", Dimension.Temperature, 0.5555555555555555555555555556m, "degree Fahrenheit", -17.777777777777777777777777778m),
        new("K", Dimension.Temperature, 1, "kelvin", -273.15m),
        new("Pa", Dimension.Pressure, 1, "pascal"),
        new("hPa", Dimension.Pressure, 100, "hectopascal"),
        new("kPa", Dimension.Pressure, 1_000, "kilopascal"),
        new("MPa", Dimension.Pressure, 1_000_000, "megapascal"),
        new("bar", Dimension.Pressure, 100_000, "bar"),
        new("mbar", Dimension.Pressure, 100, "millibar"),
        new("[psi]", Dimension.Pressure, 6_894.757293168m, "pound-force per square inch"),
        new("[in_i'Hg]", Dimension.Pressure, 3_386.389m, "inch of mercury column"),

        new("m/s", Dimension.Speed, 1, "metre per second"),
        new("mm/s", Dimension.Speed, 0.001m, "millimetre per second"),
        new("m/min", Dimension.Speed, 0.0166666666666666666666666667m, "metre per minute"),
        new("[in_i]/s", Dimension.Speed, 0.0254m, "inch per second"),
        new("/min", Dimension.RotationalSpeed, 1, "revolution per minute"),
        new("m/s2", Dimension.Acceleration, 1, "metre per second squared"),
        new("[g]", Dimension.Acceleration, 9.80665m, "standard acceleration of free fall"),
        new("N.m", Dimension.Torque, 1, "newton metre"),
        new("m", Dimension.Length, 1, "metre"),
        new("mm", Dimension.Length, 0.001m, "millimetre"),
        new("um", Dimension.Length, 0.000001m, "micrometre"),

        new("kg", Dimension.Mass, 1, "kilogram"),
        new("t", Dimension.Mass, 1_000, "tonne"),
        new("kg/h", Dimension.MassFlow, 1, "kilogram per hour"),
        new("t/h", Dimension.MassFlow, 1_000, "tonne per hour"),
        new("kg/m", Dimension.LinearDensity, 1, "kilogram per metre"),
        new("kg/m3", Dimension.Density, 1, "kilogram per cubic metre"),

        new("mg/m3", Dimension.MassConcentration, 1, "milligram per cubic metre"),
        new("g/m3", Dimension.MassConcentration, 1_000, "gram per cubic metre"),
        new("[ppm]", Dimension.VolumeFraction, 1, "part per million by volume"),
        new("[ppb]", Dimension.VolumeFraction, 0.001m, "part per billion by volume"),
        new("%{vol}", Dimension.VolumeFraction, 10_000, "percent by volume"),
        new("[ppm]/d", Dimension.VolumeFractionRate, 1, "part per million by volume in a day"),
        new("m3/h", Dimension.VolumeFlow, 1, "cubic metre per hour"),
        new("m3/min", Dimension.VolumeFlow, 60, "cubic metre per minute"),
        new("m3/s", Dimension.VolumeFlow, 3_600, "cubic metre per second"),
        new("L/min", Dimension.VolumeFlow, 0.06m, "litre per minute"),
        new("mL/min", Dimension.VolumeFlow, 0.00006m, "millilitre per minute"),
        new("m3", Dimension.Volume, 1, "cubic metre"),
        new("s", Dimension.Time, 1, "second"),
        new("min", Dimension.Time, 60, "minute"),
        new("h", Dimension.Time, 3_600, "hour"),
        new("d", Dimension.Time, 86_400, "day"),
        new("By", Dimension.Information, 1, "byte"),
        new("MBy", Dimension.Information, 1_000_000, "megabyte, a million bytes"),
        new("GBy", Dimension.Information, 1_000_000_000, "gigabyte, a thousand million bytes"),
    ];

    private static readonly FrozenDictionary<string, Unit> ByCode = All.ToFrozenDictionary(u => u.Code);

    // What people write instead of the code.
    private static readonly FrozenDictionary<string, string> Colloquial = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["kWh"] = "kW.h", ["Wh"] = "W.h", ["MWh"] = "MW.h", ["VA"] = "V.A", ["kVA"] = "kV.A", ["VAh"] = "V.A.h", ["kVAh"] = "kV.A.h",
        ["varh"] = "var.h", ["kvarh"] = "kvar.h", ["°C"] = "Cel", ["C"] = "Cel", ["℃"] = "Cel", ["°F"] = "[degF]", ["rpm"] = "/min", ["ppm"] = "[ppm]",
        ["ppb"] = "[ppb]", ["psi"] = "[psi]", ["inHg"] = "[in_i'Hg]", ["µm"] = "um", ["kg/m³"] = "kg/m3", ["g/l"] = "kg/m3",
        ["mg/m³"] = "mg/m3", ["mg/Nm3"] = "mg/m3", ["m³/h"] = "m3/h", ["m³"] = "m3", ["°"] = "deg", ["percent"] = "%", ["tph"] = "t/h", ["g"] = "[g]",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The unit with the code, or null.</summary>
    public static Unit? Find(string code) => ByCode.GetValueOrDefault(code);

    /// <summary>The code of a unit as people and other programs write it (kWh, °C, rpm); null when it is none that is certain.</summary>
    public static string? Colloquially(string written) => Colloquial.GetValueOrDefault(written.Trim());

    /// <summary>The code that was probably meant, or null.</summary>
    public static string? Meant(string written) =>
        Colloquial.TryGetValue(written, out var code) ? code : Configuration.Spelling.Nearest(written, All.Select(u => u.Code));

    /// <summary>A value in another unit of the same dimension; null when the two do not measure the same.</summary>
    public static decimal? Convert(decimal value, Unit from, Unit to) =>
        from.Dimension != to.Dimension ? null
        : from.Code == to.Code ? value
        : ((value * from.Factor) + from.Offset - to.Offset) / to.Factor;

    /// <summary>Change of a quantity per second, in <paramref name="point"/> units, that a rate in <paramref name="rate"/> units means; null when it is no rate of it.</summary>
    /// <remarks>Power is the rate of energy, mass flow of mass, volume flow of volume; their canonical units are all per hour (W of W.h, kg/h of kg).</remarks>
    public static decimal? RatePerSecond(decimal value, Unit rate, Unit point) => (rate.Dimension, point.Dimension) switch
    {
        (Dimension.ActivePower, Dimension.ActiveEnergy) or
        (Dimension.ReactivePower, Dimension.ReactiveEnergy) or
        (Dimension.ApparentPower, Dimension.ApparentEnergy) or
        (Dimension.MassFlow, Dimension.Mass) or
        (Dimension.VolumeFlow, Dimension.Volume) => value * rate.Factor / point.Factor / 3_600,
        _ => null,
    };
}
