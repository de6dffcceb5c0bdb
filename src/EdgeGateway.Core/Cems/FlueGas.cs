using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>The Chinese chain from raw flue gas to mass: HJ 212-2017 appendix D.2, which restates HJ 75 and HJ 76. Equation numbers are of that appendix.</summary>
/// <remarks>
/// Temperatures in Celsius, with 273 and not 273.15 as the standard has it; pressures in Pa; moisture in percent by volume (the standard computes with its fraction).
/// Concentrations in mg/m3, flows in m3/h; standard means 273 K and 101325 Pa. The correction to reference oxygen is for comparing with limits and never goes before a mass.
/// </remarks>
public static class FlueGas
{
    /// <summary>Volume of a mole at standard conditions in l/mol, as the standard has it; with 22.414 masses are 0.06 % lower.</summary>
    public const decimal MolarVolume = 22.4m;

    /// <summary>Molar mass of CO2 in g/mol.</summary>
    public const decimal MolarMassCo2 = 44.01m;

    /// <summary>Oxygen of air in percent, as equations 27 and 28 have it.</summary>
    public const decimal AirOxygen = 21;

    private const decimal StandardPascal = 101_325;
    private const decimal StandardKelvin = 273;
    private const decimal MolarMassNo = 30.006m;
    private const decimal MolarMassNo2 = 46.006m;

    /// <summary>Equation 18: concentration at standard conditions from that at actual conditions, on the same wet or dry basis.</summary>
    /// <param name="actual">mg/m3 at actual conditions.</param>
    /// <param name="ambientPascal">Atmospheric pressure.</param>
    /// <param name="staticPascal">Static pressure of the duct against it.</param>
    /// <param name="celsius">Temperature of the gas.</param>
    /// <exception cref="EmissionRefusedException">The concentration is negative, or no gas can be in that state.</exception>
    public static decimal StandardConcentration(decimal actual, decimal ambientPascal, decimal staticPascal, decimal celsius)
    {
        CemsLimits.RequireQuantity(actual, "The concentration");
        var (pascal, kelvin) = State(ambientPascal, staticPascal, celsius);
        return actual * StandardPascal * kelvin / (pascal * StandardKelvin);
    }

    /// <summary>Equation 19: concentration (or percent O2) of dry gas from that of wet gas.</summary>
    /// <exception cref="EmissionRefusedException">The concentration is negative, the moisture is not known or is 100 % and above.</exception>
    public static decimal Dry(decimal wet, decimal? moisturePercent)
    {
        CemsLimits.RequireQuantity(wet, "The concentration");
        return wet / (1 - (CemsLimits.RequireMoisture(moisturePercent, "HJ 212 D.2 equation 19") / 100));
    }

    /// <summary>Equation 20: mg/m3 at standard conditions from ppm by volume; 1 % by volume is 10000 ppm.</summary>
    /// <exception cref="EmissionRefusedException">The concentration is negative or more than all, or the molar mass (g/mol) is not positive.</exception>
    public static decimal FromPpm(decimal ppm, decimal molarMass)
    {
        EmissionRefusedException.IfNoShare(ppm, 1_000_000, "The concentration in ppm");
        RequireMolarMass(molarMass);
        return molarMass / MolarVolume * ppm;
    }

    /// <summary>Equation 21: nitrogen oxides as NO2 in mg/m3 from mg/m3 of NO and NO2.</summary>
    /// <exception cref="EmissionRefusedException">A concentration is negative.</exception>
    public static decimal NitrogenOxides(decimal no, decimal no2)
    {
        CemsLimits.RequireQuantity(no, "The concentration of NO");
        CemsLimits.RequireQuantity(no2, "The concentration of NO2");
        return (no * MolarMassNo2 / MolarMassNo) + no2;
    }

    /// <summary>Equation 22: nitrogen oxides as NO2 in mg/m3 from ppm of NO and NO2.</summary>
    /// <exception cref="EmissionRefusedException">A concentration is negative or more than all.</exception>
    public static decimal NitrogenOxidesFromPpm(decimal noPpm, decimal no2Ppm) => FromPpm(noPpm, MolarMassNo2) + FromPpm(no2Ppm, MolarMassNo2);

    /// <summary>Equation 27: excess air from dry oxygen.</summary>
    /// <exception cref="EmissionRefusedException">The oxygen is that of air or more, or negative.</exception>
    public static decimal ExcessAir(decimal o2DryPercent)
    {
        RequireOxygen(o2DryPercent, "The oxygen");
        return AirOxygen / (AirOxygen - o2DryPercent);
    }

    /// <summary>Equation 28: dry standard concentration corrected to the reference oxygen of a limit. Never before a mass.</summary>
    /// <exception cref="EmissionRefusedException">An oxygen is that of air or more, or negative; the concentration is negative.</exception>
    public static decimal AtReferenceOxygen(decimal dryStandard, decimal o2DryPercent, decimal referencePercent)
    {
        CemsLimits.RequireQuantity(dryStandard, "The concentration");
        RequireOxygen(o2DryPercent, "The oxygen");
        RequireOxygen(referencePercent, "The reference oxygen");
        return dryStandard * (AirOxygen - referencePercent) / (AirOxygen - o2DryPercent);
    }

    /// <summary>Equations 29 and 30: wet flow at actual conditions in m3/h from the velocity of a point or path and the coefficient of the velocity field.</summary>
    /// <exception cref="EmissionRefusedException">The velocity is negative, or area or coefficient are not positive.</exception>
    public static decimal ActualFlow(decimal squareMetres, decimal metresPerSecond, decimal coefficient)
    {
        EmissionRefusedException.IfNotPositive(squareMetres, "The cross section");
        EmissionRefusedException.IfNoShare(squareMetres, 100_000, "The cross section in m2");
        EmissionRefusedException.IfNoShare(metresPerSecond, 1_000, "The velocity in m/s");
        EmissionRefusedException.IfNotPositive(coefficient, "The coefficient of the velocity field");
        EmissionRefusedException.IfNoShare(coefficient, 100, "The coefficient of the velocity field");
        return 3600 * squareMetres * coefficient * metresPerSecond;
    }

    /// <summary>Equation 31: dry flow at standard conditions in m3/h.</summary>
    /// <param name="actual">Wet flow at actual conditions, m3/h.</param>
    /// <param name="celsius">Temperature of the gas.</param>
    /// <param name="ambientPascal">Atmospheric pressure.</param>
    /// <param name="staticPascal">Static pressure of the duct against it.</param>
    /// <param name="moisturePercent">Water vapour; null where it is not known, which is refused.</param>
    /// <exception cref="EmissionRefusedException">The flow is negative, no gas can be in that state, or the moisture is not known.</exception>
    public static decimal StandardDryFlow(decimal actual, decimal celsius, decimal ambientPascal, decimal staticPascal, decimal? moisturePercent)
    {
        CemsLimits.RequireQuantity(actual, "The flow");
        var (pascal, kelvin) = State(ambientPascal, staticPascal, celsius);
        var moisture = CemsLimits.RequireMoisture(moisturePercent, "HJ 212 D.2 equation 31");
        return actual * StandardKelvin * pascal * (100 - moisture) / (kelvin * StandardPascal * 100);
    }

    /// <summary>Equation 33: kg/h from dry mg/m3 and dry m3/h, both standard. The concentration is not corrected to reference oxygen.</summary>
    /// <exception cref="EmissionRefusedException">A quantity is negative.</exception>
    public static decimal MassRate(decimal dryStandard, decimal standardDryFlow)
    {
        CemsLimits.RequireQuantity(dryStandard, "The concentration");
        CemsLimits.RequireQuantity(standardDryFlow, "The flow");
        return dryStandard * standardDryFlow / 1_000_000;
    }

    /// <summary>CO2 in kg/h from dry percent by volume and dry standard flow in m3/h.</summary>
    /// <exception cref="EmissionRefusedException">The concentration is no percentage, the flow is negative, or a constant is not positive.</exception>
    public static decimal Co2MassRate(decimal dryPercent, decimal standardDryFlow, decimal molarMass = MolarMassCo2, decimal molarVolume = MolarVolume)
    {
        EmissionRefusedException.IfNoShare(dryPercent, 100, "The CO2 in percent");
        CemsLimits.RequireQuantity(standardDryFlow, "The flow");
        RequireMolarMass(molarMass);
        EmissionRefusedException.IfNotPositive(molarVolume, "The molar volume");
        return dryPercent / 100 * (molarMass / molarVolume) * standardDryFlow;
    }

    /// <summary>Equation 34: kg of a day as the plain sum of its valid hours. The factor 1e-6 printed there is a misprint: both sides are kg.</summary>
    /// <param name="hourly">kg/h of each hour; null where it is not valid.</param>
    /// <returns>The sum and of how many hours it is.</returns>
    /// <exception cref="EmissionRefusedException">An hour is negative, or none is valid: a day without hours has no mass, and not 0.</exception>
    public static (decimal Kilograms, int Hours) DayMass(IReadOnlyList<decimal?> hourly)
    {
        ArgumentNullException.ThrowIfNull(hourly);
        var (sum, hours) = (0m, 0);
        foreach (var hour in hourly)
        {
            if (hour is { } kilograms)
            {
                CemsLimits.RequireQuantity(kilograms, "The mass of an hour");
                sum += kilograms;
                hours++;
            }
        }

        return hours > 0 ? (sum, hours) : throw new EmissionRefusedException("No hour of the day is valid: its mass is not known.");
    }

    private static (decimal Pascal, decimal Kelvin) State(decimal ambient, decimal @static, decimal celsius)
    {
        EmissionRefusedException.IfNoShare(ambient, 10_000_000, "The atmospheric pressure in Pa");
        EmissionRefusedException.IfNotPositive(ambient + @static, "The absolute pressure of the duct");
        EmissionRefusedException.IfNoShare(ambient + @static, 10_000_000, "The absolute pressure of the duct in Pa");
        EmissionRefusedException.IfNotPositive(StandardKelvin + celsius, "The absolute temperature of the gas");
        EmissionRefusedException.IfNoShare(StandardKelvin + celsius, 10_000, "The absolute temperature of the gas in K");
        return (ambient + @static, StandardKelvin + celsius);
    }

    private static void RequireMolarMass(decimal molarMass)
    {
        EmissionRefusedException.IfNotPositive(molarMass, "The molar mass");
        EmissionRefusedException.IfNoShare(molarMass, 10_000, "The molar mass in g/mol");
    }

    private static void RequireOxygen(decimal percent, string name)
    {
        if (percent is < 0 or >= AirOxygen)
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"{name} is {percent} %; it must be 0 to below {AirOxygen} %: with the oxygen of air nothing has burnt, and a correction to reference oxygen means nothing."));
        }
    }
}
