using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Simulator.Signals;

/// <summary>From the model's own unit of a quantity to the unit of a point: value = (model x <see cref="Factor"/>) + <see cref="Offset"/>.</summary>
internal readonly record struct UnitFactor(double Factor, double Offset)
{
    /// <summary>Torque of a 37 kW four-pole motor at its rated speed, in N.m.</summary>
    private const double RatedNewtonMetres = 240;

    /// <summary>Volume of a mole of gas at 0 degrees Celsius and 101.325 kPa, in litres.</summary>
    private const double MolarLitres = 22.414;

    /// <summary>The factor for a point in <paramref name="unit"/>; 1 where the two cannot be converted.</summary>
    public static UnitFactor Of(Quantity quantity, string unit)
    {
        if (Units.Find(unit) is not { } wanted || ModelUnit(quantity) is not { } code || Units.Find(code) is not { } own)
        {
            return new(1, 0);
        }

        if (own.Dimension == wanted.Dimension)
        {
            return new((double)(own.Factor / wanted.Factor), (double)((own.Offset - wanted.Offset) / wanted.Factor));
        }

        return (own.Dimension, wanted.Dimension) switch
        {
            (Dimension.MassConcentration, Dimension.VolumeFraction) => new(MolarLitres / MolarMass(quantity) / (double)wanted.Factor, 0),
            (Dimension.One, Dimension.Torque) => new(RatedNewtonMetres / 100, 0),
            _ => new(1, 0),
        };
    }

    /// <summary>Quanta of a counter in one <paramref name="unit"/>: energy counts in micro-units per hour, mass in grams, gas in litres, time in seconds.</summary>
    public static long QuantaPerUnit(Quantity quantity, string unit)
    {
        var factor = Units.Find(unit)?.Factor ?? 1;
        return (long)(quantity switch
        {
            Quantity.RunTime => factor,
            Quantity.MassTotal or Quantity.GasTotal or Quantity.NeutralCounter => factor * 1_000,
            _ => factor * 1_000_000,
        });
    }

    /// <summary>Whether a unit is one of energy, which the model counts exactly.</summary>
    public static bool IsEnergy(string unit) =>
        Units.Find(unit) is { Dimension: Dimension.ActiveEnergy or Dimension.ReactiveEnergy or Dimension.ApparentEnergy };

    private static string? ModelUnit(Quantity quantity) => quantity switch
    {
        Quantity.Voltage or Quantity.LineVoltage or Quantity.OutputVoltage or Quantity.DcLinkVoltage => "V",
        Quantity.Current or Quantity.NeutralCurrent or Quantity.MotorCurrent => "A",
        Quantity.ActivePower or Quantity.MotorPower => "W",
        Quantity.ReactivePower => "var",
        Quantity.ApparentPower => "V.A",
        Quantity.PowerFactor => "1",
        Quantity.PhaseAngle => "deg",
        Quantity.Frequency or Quantity.OutputFrequency or Quantity.ReferenceFrequency => "Hz",
        Quantity.VoltageDistortion or Quantity.CurrentDistortion or Quantity.MotorTorque or Quantity.AmbientHumidity => "%",
        Quantity.MotorSpeed or Quantity.ReferenceSpeed => "/min",
        Quantity.DriveTemperature or Quantity.GasTemperature or Quantity.MachineTemperature or Quantity.AmbientTemperature
            or Quantity.TransformerOil or Quantity.TransformerWinding => "Cel",
        Quantity.MassFlow => "kg/h",
        Quantity.BeltSpeed or Quantity.GasVelocity or Quantity.AirVelocity => "m/s",
        Quantity.BeltLoad => "kg/m",
        Quantity.Oxygen or Quantity.CarbonDioxide or Quantity.GasMoisture or Quantity.Methane => "%{vol}",
        Quantity.CarbonMonoxide or Quantity.SulphurDioxide or Quantity.NitrogenMonoxide or Quantity.NitrogenDioxide
            or Quantity.NitrogenOxides or Quantity.Dust => "mg/m3",
        Quantity.GasFlow or Quantity.AirFlow => "m3/h",
        Quantity.StaticPressure or Quantity.DynamicPressure => "Pa",
        Quantity.VibrationVelocity => "mm/s",
        Quantity.VibrationAcceleration => "[g]",
        Quantity.AmbientCarbonDioxide or Quantity.AirCarbonMonoxide => "[ppm]",
        _ => null,
    };

    // Grams of a mole; nitrogen oxides count as NO2.
    private static double MolarMass(Quantity quantity) => quantity switch
    {
        Quantity.SulphurDioxide => 64.066,
        Quantity.NitrogenMonoxide => 30.006,
        Quantity.CarbonMonoxide => 28.010,
        _ => 46.006,
    };
}
