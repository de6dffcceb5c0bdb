using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>A mass of CO2 by 40 CFR Part 75: short tons (907.18474 kg).</summary>
/// <param name="TonsPerHour">Rate, rounded to 0.1 short tons/h.</param>
/// <param name="Tons">Rate x operating time; not rounded again.</param>
public readonly record struct Part75Mass(decimal TonsPerHour, decimal Tons);

/// <summary>The hourly equations of 40 CFR Part 75, appendices F and G, on decimals, rounded as EPA's check engine rounds.</summary>
/// <remarks>
/// Flow in standard cubic feet an hour (scfh; 68 F, 1 atm), wet; concentrations and moisture in percent by volume; F-factors in scf/mmBtu; heat input in
/// mmBtu/h. Rates, percentages and heat inputs are rounded to one decimal, half away from zero. Operating time is the share of the hour, 0 to 1.
/// </remarks>
public static class Part75
{
    /// <summary>Short tons of CO2 in a standard cubic foot for each percent: the rounded constant of equation F-11, not 44 / (385 x 2000 x 100).</summary>
    public const decimal TonsPerScfPercent = 5.7e-7m;

    /// <summary>lb in a standard cubic foot for each ppm of SO2: equations F-1 and F-2. Recalled, not read.</summary>
    public const decimal PoundsPerScfPpmSo2 = 1.660e-7m;

    /// <summary>lb in a standard cubic foot for each ppm of NOx, as NO2: equations F-26a and F-26b. Recalled, not read.</summary>
    public const decimal PoundsPerScfPpmNox = 1.194e-7m;

    /// <summary>kg in a pound, exact.</summary>
    public const decimal KilogramsPerPound = 0.45359237m;

    /// <summary>kg in a short ton, exact.</summary>
    public const decimal KilogramsPerTon = 907.18474m;

    /// <summary>Oxygen of air in percent, as the equations have it.</summary>
    public const decimal AirOxygen = 20.9m;

    /// <summary>Cubic metres of a cubic foot, exact.</summary>
    public const decimal CubicMetresPerCubicFoot = 0.028316846592m;

    /// <summary>Wet flow in scfh (68 F, 1 atm) from the wet flow of the stack, to 1000 scfh.</summary>
    /// <param name="actual">m3/h at actual conditions.</param>
    /// <param name="celsius">Temperature of the gas.</param>
    /// <param name="pascal">Absolute pressure of the gas.</param>
    /// <exception cref="EmissionRefusedException">The flow is negative, or no gas can be in that state.</exception>
    public static decimal StandardFlow(decimal actual, decimal celsius, decimal pascal)
    {
        CemsLimits.RequireQuantity(actual, "The flow");
        CemsLimits.RequireState(celsius, pascal);
        return (actual * 293.15m * pascal / ((273.15m + celsius) * 101_325 * CubicMetresPerCubicFoot)).ToThousands();
    }

    /// <summary>Equation F-11: CO2 from a wet concentration and wet flow.</summary>
    /// <exception cref="EmissionRefusedException">A quantity is outside what can be; the operating time is not 0 to 1.</exception>
    public static Part75Mass MassWet(decimal co2Percent, decimal scfh, decimal operatingTime) => Mass(co2Percent, scfh, operatingTime, 0);

    /// <summary>Equation F-2: CO2 from a dry concentration and wet flow.</summary>
    /// <exception cref="EmissionRefusedException">The moisture is not known; a quantity is outside what can be.</exception>
    public static Part75Mass MassDry(decimal co2Percent, decimal scfh, decimal operatingTime, decimal? moisturePercent) =>
        Mass(co2Percent, scfh, operatingTime, CemsLimits.RequireMoisture(moisturePercent, "Equation F-2"));

    /// <summary>Pounds of SO2 or NOx in an hour from ppm and wet flow: F-1 and F-26a for wet gas, F-2 and F-26b for dry. The rate is rounded to 0.1 lb/h, its product with the time is not.</summary>
    /// <param name="poundsPerScfPpm"><see cref="PoundsPerScfPpmSo2"/> or <see cref="PoundsPerScfPpmNox"/>.</param>
    /// <param name="ppm">The concentration.</param>
    /// <param name="scfh">Wet flow.</param>
    /// <param name="operatingTime">Share of the hour, 0 to 1.</param>
    /// <param name="isWet">Whether the analyser measures wet gas.</param>
    /// <param name="moisturePercent">Moisture, for dry gas.</param>
    /// <exception cref="EmissionRefusedException">The moisture is not known for dry gas; a quantity is outside what can be; the operating time is not 0 to 1.</exception>
    public static decimal Pounds(decimal poundsPerScfPpm, decimal ppm, decimal scfh, decimal operatingTime, bool isWet, decimal? moisturePercent)
    {
        EmissionRefusedException.IfNoShare(ppm, 1_000_000, "The concentration in ppm");
        RequireFlow(scfh);
        EmissionRefusedException.IfNoShare(operatingTime, 1, "The operating time as a share of the hour");
        var moisture = isWet ? 0 : CemsLimits.RequireMoisture(moisturePercent, "A mass from dry ppm");
        return (poundsPerScfPpm * ppm * scfh * (100 - moisture) / 100).To(1) * operatingTime;
    }

    /// <summary>Equation F-14A: dry percent CO2 from dry percent O2. More oxygen than air has gives 0, as the engine does.</summary>
    /// <exception cref="EmissionRefusedException">The oxygen is no percentage, or an F-factor is not plausible.</exception>
    public static decimal Co2FromDryOxygen(decimal o2Percent, decimal fc, decimal fd)
    {
        EmissionRefusedException.IfNoShare(o2Percent, 100, "The oxygen in percent");
        FuelFactors.RequireCarbon(fc);
        FuelFactors.RequireDry(fd);
        return Math.Max(0, (100 * fc * (AirOxygen - o2Percent) / (fd * AirOxygen)).To(1));
    }

    /// <summary>Equation F-14B: wet percent CO2 from wet percent O2. A negative result becomes 0, as the engine does.</summary>
    /// <exception cref="EmissionRefusedException">The moisture is not known, the oxygen is no percentage, or an F-factor is not plausible.</exception>
    public static decimal Co2FromWetOxygen(decimal o2Percent, decimal fc, decimal fd, decimal? moisturePercent)
    {
        EmissionRefusedException.IfNoShare(o2Percent, 100, "The oxygen in percent");
        FuelFactors.RequireCarbon(fc);
        FuelFactors.RequireDry(fd);
        var moisture = CemsLimits.RequireMoisture(moisturePercent, "Equation F-14B");
        return Math.Max(0, (100 * fc * ((AirOxygen * (100 - moisture) / 100) - o2Percent) / (AirOxygen * fd)).To(1));
    }

    /// <summary>Equation F-15: heat input from wet percent CO2.</summary>
    /// <exception cref="EmissionRefusedException">A quantity is outside what can be, or the F-factor is not plausible.</exception>
    public static decimal HeatInputWetCo2(decimal scfh, decimal co2Percent, decimal fc)
    {
        RequireFlow(scfh);
        EmissionRefusedException.IfNoShare(co2Percent, 100, "The CO2 in percent");
        FuelFactors.RequireCarbon(fc);
        return AtLeastOne(scfh * co2Percent / (100 * fc));
    }

    /// <summary>Equation F-16: heat input from dry percent CO2.</summary>
    /// <exception cref="EmissionRefusedException">The moisture is not known, a quantity is outside what can be, or the F-factor is not plausible.</exception>
    public static decimal HeatInputDryCo2(decimal scfh, decimal co2Percent, decimal fc, decimal? moisturePercent)
    {
        RequireFlow(scfh);
        EmissionRefusedException.IfNoShare(co2Percent, 100, "The CO2 in percent");
        FuelFactors.RequireCarbon(fc);
        var moisture = CemsLimits.RequireMoisture(moisturePercent, "Equation F-16");
        return AtLeastOne(scfh * (100 - moisture) * co2Percent / (10_000 * fc));
    }

    /// <summary>Equation F-17: heat input from wet percent O2.</summary>
    /// <exception cref="EmissionRefusedException">The moisture is not known, a quantity is outside what can be, or the F-factor is not plausible.</exception>
    public static decimal HeatInputWetOxygen(decimal scfh, decimal o2Percent, decimal fd, decimal? moisturePercent)
    {
        RequireFlow(scfh);
        EmissionRefusedException.IfNoShare(o2Percent, 100, "The oxygen in percent");
        FuelFactors.RequireDry(fd);
        var moisture = CemsLimits.RequireMoisture(moisturePercent, "Equation F-17");
        return AtLeastOne(scfh * ((0.209m * (100 - moisture)) - o2Percent) / (fd * AirOxygen));
    }

    /// <summary>Equation F-18: heat input from dry percent O2.</summary>
    /// <exception cref="EmissionRefusedException">The moisture is not known, a quantity is outside what can be, or the F-factor is not plausible.</exception>
    public static decimal HeatInputDryOxygen(decimal scfh, decimal o2Percent, decimal fd, decimal? moisturePercent)
    {
        RequireFlow(scfh);
        EmissionRefusedException.IfNoShare(o2Percent, 100, "The oxygen in percent");
        FuelFactors.RequireDry(fd);
        var moisture = CemsLimits.RequireMoisture(moisturePercent, "Equation F-18");
        return AtLeastOne(scfh * (100 - moisture) * (AirOxygen - o2Percent) / (2_090 * fd));
    }

    /// <summary>Equation F-31: percent moisture from dry and wet percent O2.</summary>
    /// <exception cref="EmissionRefusedException">There is no dry oxygen to compare, or the wet gas has more of it than the dry.</exception>
    public static decimal Moisture(decimal o2DryPercent, decimal o2WetPercent)
    {
        EmissionRefusedException.IfNoShare(o2DryPercent, 100, "The dry oxygen in percent");
        EmissionRefusedException.IfNoShare(o2WetPercent, 100, "The wet oxygen in percent");
        EmissionRefusedException.IfNotPositive(o2DryPercent, "The dry oxygen in percent");
        return o2WetPercent > o2DryPercent
            ? throw new EmissionRefusedException(FormattableString.Invariant($"Wet gas has {o2WetPercent} % oxygen and dry gas {o2DryPercent} %: moisture would be negative; one of the analysers is wrong."))
            : (100 * (o2DryPercent - o2WetPercent) / o2DryPercent).To(1);
    }

    /// <summary>Equation G-4: short tons of CO2 an hour from the heat input of metered fuel, rounded to 0.1.</summary>
    /// <exception cref="EmissionRefusedException">The heat input is negative or the F-factor is not plausible.</exception>
    public static decimal TonsFromFuelHeat(decimal mmbtuPerHour, decimal fc)
    {
        CemsLimits.RequireQuantity(mmbtuPerHour, "The heat input");
        FuelFactors.RequireCarbon(fc);
        return (mmbtuPerHour * fc * 44 / (385 * 2000)).To(1);
    }

    /// <summary>Equation F-11 with the flow eliminated by F-15: short tons of CO2 an hour from the heat input of a CEMS, rounded to 0.1.</summary>
    /// <exception cref="EmissionRefusedException">The heat input is negative or the F-factor is not plausible.</exception>
    public static decimal TonsFromCemsHeat(decimal mmbtuPerHour, decimal fc)
    {
        CemsLimits.RequireQuantity(mmbtuPerHour, "The heat input");
        FuelFactors.RequireCarbon(fc);
        return (TonsPerScfPercent * 100 * fc * mmbtuPerHour).To(1);
    }

    private static Part75Mass Mass(decimal co2Percent, decimal scfh, decimal operatingTime, decimal moisture)
    {
        EmissionRefusedException.IfNoShare(co2Percent, 100, "The CO2 in percent");
        RequireFlow(scfh);
        EmissionRefusedException.IfNoShare(operatingTime, 1, "The operating time as a share of the hour");
        var rate = (TonsPerScfPercent * co2Percent * scfh * (100 - moisture) / 100).To(1);
        return new(rate, rate * operatingTime);
    }

    private static void RequireFlow(decimal scfh) => CemsLimits.RequireQuantity(scfh, "The flow in scfh");

    /// <summary>A heat input below 1.0 mmBtu/h is reported as 1.0 (engine).</summary>
    private static decimal AtLeastOne(decimal heat) => Math.Max(1, heat.To(1));
}
