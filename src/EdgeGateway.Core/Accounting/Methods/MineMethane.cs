using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Accounting;

/// <summary>The air of one ventilation shaft.</summary>
/// <param name="Flow">m3/min at 20 Celsius and 101325 Pa.</param>
/// <param name="MethanePercent">CH4, percent by volume.</param>
/// <param name="Minutes">Time for which both are known.</param>
public readonly record struct VentilationAir(Measured Flow, Measured MethanePercent, decimal Minutes);

/// <summary>What becomes of the methane of a drainage system. Volumes in m3 at 20 Celsius and 101325 Pa.</summary>
/// <param name="Gas">Gas drained.</param>
/// <param name="MethanePercent">CH4 in it, percent by volume.</param>
/// <param name="Flared">Pure CH4 sent to a flare.</param>
/// <param name="Used">Pure CH4 sent to engines or boilers.</param>
public readonly record struct Drainage(Measured Gas, Measured MethanePercent, Measured Flared, Measured Used);

/// <summary>Methane of coal mines: IPCC 2006 volume 2 chapter 4 (4.1), laid out after GB/T 32151.11.</summary>
public static class MineMethane
{
    /// <summary>Name in sites and records of what leaves through a shaft or a vent.</summary>
    public const string Ventilated = "mine-methane";

    /// <summary>Name in sites and records of what a drainage system releases.</summary>
    public const string Drainage = "mine-drainage";

    /// <summary>Name in records of the CO2 of what it destroys.</summary>
    public const string Destruction = "methane-destruction";

    /// <summary>CO2 for one of CH4 that burns, by mass.</summary>
    public const decimal CarbonDioxidePerMethane = 44m / 16m;

    /// <summary>Density of CH4 at 20 Celsius and 101325 Pa in kg/m3 (IPCC 2006 volume 2 chapter 4: 0.67e-6 Gg/m3).</summary>
    public const decimal Density = 0.67m;

    /// <summary>Share of the methane that a flare burns (IPCC 2006).</summary>
    public const decimal FlareEfficiency = 0.98m;

    /// <summary>Share of the methane that an engine or boiler burns; unverified, a measured one goes first.</summary>
    public const decimal UseEfficiency = 0.99m;

    /// <summary>A volume as it is at 20 Celsius and 101325 Pa: V x 293.15 / (273.15 + t) x p / 101325 x (1 - water).</summary>
    /// <param name="volume">Volume or flow as measured.</param>
    /// <param name="celsius">Its temperature.</param>
    /// <param name="pascal">Its absolute pressure.</param>
    /// <param name="waterFraction">Water vapour in it, 0 to 1.</param>
    /// <exception cref="EmissionRefusedException">The volume is negative, or no gas can be in that state.</exception>
    public static Measured To20C(Measured volume, decimal celsius, decimal pascal, decimal waterFraction = 0)
    {
        EmissionRefusedException.IfNegative(volume.Value, "The volume");
        EmissionRefusedException.IfNotPositive(273.15m + celsius, "The absolute temperature");
        EmissionRefusedException.IfNotPositive(pascal, "The absolute pressure");
        EmissionRefusedException.IfNoShare(waterFraction, 1, "The share of water vapour");
        return volume * 293.15m * pascal * (1 - waterFraction) / ((273.15m + celsius) * 101_325m);
    }

    /// <summary>Methane in ventilation air, kg: the sum over the shafts of flow x time x concentration x density.</summary>
    /// <exception cref="EmissionRefusedException">A quantity is negative or no percentage.</exception>
    public static Measured Ventilation(IReadOnlyList<VentilationAir> shafts, Measured? density = null)
    {
        ArgumentNullException.ThrowIfNull(shafts);
        var kgPerM3 = density ?? Density;
        var sum = 0m;
        var parts = new UncertainPart[shafts.Count];
        for (var i = 0; i < shafts.Count; i++)
        {
            var shaft = shafts[i];
            EmissionRefusedException.IfNegative(shaft.Flow.Value, "The flow of ventilation air");
            EmissionRefusedException.IfNoShare(shaft.MethanePercent.Value, 100, "The methane in percent");
            EmissionRefusedException.IfNegative(shaft.Minutes, "The time");
            var pure = shaft.Flow * (shaft.MethanePercent / 100m) * shaft.Minutes;
            sum += pure.Value * kgPerM3.Value;
            parts[i] = new((double)(pure.Value * kgPerM3.Value), pure.UncertaintyPercent, kgPerM3.UncertaintyPercent);
        }

        return new(sum, Uncertainty.Sum(parts));
    }

    /// <summary>Methane that a mine releases, and the CO2 of what it destroys; what does not burn counts as methane.</summary>
    /// <param name="shafts">Ventilation air.</param>
    /// <param name="drainage">The drainage system.</param>
    /// <param name="gwp">The GWP of methane.</param>
    /// <param name="density">kg/m3; <see cref="Density"/> when null.</param>
    /// <param name="flareEfficiency">Share that flares burn; <see cref="FlareEfficiency"/> when null.</param>
    /// <param name="useEfficiency">Share that engines and boilers burn; <see cref="UseEfficiency"/> when null.</param>
    /// <returns>CH4 in scope 1, and CO2 in scope 1.</returns>
    /// <exception cref="EmissionRefusedException">A quantity is negative or no share, or more is destroyed than was drained.</exception>
    public static (EmissionMass Methane, EmissionMass Oxidised) Release(
        IReadOnlyList<VentilationAir> shafts, in Drainage drainage, GwpValue gwp, Measured? density = null, Measured? flareEfficiency = null, Measured? useEfficiency = null)
    {
        EmissionRefusedException.IfNegative(drainage.Gas.Value, "The gas drained");
        EmissionRefusedException.IfNoShare(drainage.MethanePercent.Value, 100, "The methane in percent");
        EmissionRefusedException.IfNegative(drainage.Flared.Value, "The methane flared");
        EmissionRefusedException.IfNegative(drainage.Used.Value, "The methane used");
        var (kgPerM3, flare, use) = (density ?? Density, flareEfficiency ?? FlareEfficiency, useEfficiency ?? UseEfficiency);
        EmissionRefusedException.IfNoShare(flare.Value, 1, "The efficiency of the flare");
        EmissionRefusedException.IfNoShare(use.Value, 1, "The efficiency of the use");

        var pure = drainage.Gas * (drainage.MethanePercent / 100m);
        var destroyed = drainage.Flared.Value + drainage.Used.Value;
        if (destroyed > pure.Value)
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"{destroyed} m3 of methane are destroyed but only {pure.Value} m3 were drained: one of the meters is wrong."));
        }

        // What burns leaves the methane and comes back as CO2: the same flow meter errs in both.
        var air = Ventilation(shafts, kgPerM3);
        var (flared, used) = (drainage.Flared * flare, drainage.Used * use);
        var kilograms = air.Value + ((pure.Value - flared.Value - used.Value) * kgPerM3.Value);
        var density0 = kgPerM3.UncertaintyPercent;
        var percent = Uncertainty.Sum(
            new UncertainPart((double)air.Value, Math.Sqrt(Math.Max(0, (air.UncertaintyPercent * air.UncertaintyPercent) - (density0 * density0))), density0),
            Part(pure, kgPerM3, 1),
            Part(flared, kgPerM3, -1),
            Part(used, kgPerM3, -1));
        var oxidised = new Measured((flared.Value + used.Value) * kgPerM3.Value * 44 / 16, Uncertainty.Sum(Part(flared, kgPerM3, 1), Part(used, kgPerM3, 1)));
        return (Methane("mine-methane", new(kilograms, percent), gwp), new() { Method = "mine-methane", Scope = 1, Kilograms = oxidised });
    }

    /// <summary>Methane that mined coal still gives off: coal x factor x density. An estimate.</summary>
    /// <param name="tonnes">Coal mined, t.</param>
    /// <param name="m3PerTonne">m3 CH4 at 20 Celsius for a t of coal.</param>
    /// <param name="gwp">The GWP of methane.</param>
    /// <param name="density">kg/m3; <see cref="Density"/> when null.</param>
    /// <exception cref="EmissionRefusedException">A quantity is negative.</exception>
    public static EmissionMass PostMining(Measured tonnes, Measured m3PerTonne, GwpValue gwp, Measured? density = null)
    {
        EmissionRefusedException.IfNegative(tonnes.Value, "The coal");
        EmissionRefusedException.IfNegative(m3PerTonne.Value, "The emission factor");
        return Methane("post-mining-methane", tonnes * m3PerTonne * (density ?? Density), gwp);
    }

    /// <summary>CO2e of a m3 of methane at 20 Celsius that reaches the air: density x GWP.</summary>
    internal static EmissionRate ReleaseRate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var density = factors.Get("methane.density", region, at);
        var gwp = GwpValue.Find(factors, account.GwpSet!, account.Gas!);
        var percent = double.IsNaN(density.Factor.UncertaintyPercent) ? account.FactorPercent : density.Factor.UncertaintyPercent;
        return new(density.Factor.Id, density.Factor.Value * gwp.KgPerKg, percent, density.Note) { Gas = gwp.Gas, GwpSet = gwp.Set };
    }

    private static EmissionMass Methane(string method, Measured kilograms, GwpValue gwp) =>
        new() { Method = method, Scope = 1, Gas = gwp.Gas, Kilograms = kilograms, Gwp = gwp.KgPerKg, GwpSet = gwp.Set };

    private static UncertainPart Part(Measured m3, Measured kgPerM3, int sign) =>
        new(sign * (double)(m3.Value * kgPerM3.Value), m3.UncertaintyPercent, kgPerM3.UncertaintyPercent);
}

/// <summary>Methane that leaves through a shaft or a vent, by concentration and flow.</summary>
internal sealed class MineMethaneMethod() : EmissionMethod("mine-methane", 1)
{
    public override EmissionEvidence Evidence => EmissionEvidence.Measured;

    public override ActivityKind Activity => ActivityKind.MethaneFlow;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "m3";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at) =>
        MineMethane.ReleaseRate(account, factors, region, at);
}

/// <summary>Methane of a drainage system that is not destroyed: what is vented, and what a flare or an engine leaves unburnt.</summary>
internal sealed class MineDrainageMethod() : EmissionMethod(MineMethane.Drainage, 1)
{
    public override EmissionEvidence Evidence => EmissionEvidence.Measured;

    public override ActivityKind Activity => ActivityKind.MethaneReleased;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "m3";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at) =>
        MineMethane.ReleaseRate(account, factors, region, at);
}

/// <summary>CO2 of drained methane that burns in a flare or an engine.</summary>
internal sealed class MethaneDestructionMethod() : EmissionMethod(MineMethane.Destruction, 1)
{
    public override ActivityKind Activity => ActivityKind.MethaneBurnt;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "m3";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var density = factors.Get("methane.density", region, at);
        var percent = double.IsNaN(density.Factor.UncertaintyPercent) ? account.FactorPercent : density.Factor.UncertaintyPercent;
        return new(density.Factor.Id, density.Factor.Value * MineMethane.CarbonDioxidePerMethane, percent, density.Note);
    }
}

/// <summary>Methane of mined coal, by the scale that weighs it.</summary>
internal sealed class PostMiningMethaneMethod() : EmissionMethod("post-mining-methane", 1)
{
    public override EmissionEvidence Evidence => EmissionEvidence.Estimated;

    public override string ActivityUnit(CarbonModel account, FactorSet factors) => "t";

    public override EmissionRate Rate(CarbonModel account, FactorSet factors, string region, Instant at)
    {
        var match = factors.Get($"methane.{account.Factor}", region, at);
        var density = factors.Get("methane.density", region, at);
        var gwp = GwpValue.Find(factors, account.GwpSet!, account.Gas!);
        var mass = MineMethane.PostMining(1, match.Factor.Measured, gwp, density.Factor.Value);
        var percent = double.IsNaN(match.Factor.UncertaintyPercent) ? account.FactorPercent : match.Factor.UncertaintyPercent;
        return new(match.Factor.Id, mass.Co2eKilograms, percent, match.Note) { Gas = gwp.Gas, GwpSet = gwp.Set };
    }
}
