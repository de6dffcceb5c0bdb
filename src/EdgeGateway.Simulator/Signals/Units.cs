namespace EdgeGateway.Simulator.Signals;

/// <summary>Factors from the model's base units to the UCUM codes that profiles use.</summary>
internal static class Units
{
    /// <summary>Multiplies a value in the base unit of <paramref name="quantity"/>; 1 for codes the model has no rule for.</summary>
    public static double Factor(Quantity quantity, string unit) => unit switch
    {
        "kW" or "kV.A" or "kvar" or "kV" or "kA" or "kHz" or "kPa" => 1e-3,
        "MW" or "MV.A" or "Mvar" or "MPa" => 1e-6,
        "hPa" or "mbar" => 1e-2,
        "bar" => 1e-5,
        "mV" or "mA" or "mW" or "mHz" => 1e3,
        "t/h" => 3.6,
        "kg/h" => 3600,
        "t/m" => 1e-3,
        "g/m" => 1e3,
        "m/min" => 60,
        "mm/s" when quantity is Quantity.BeltSpeed or Quantity.GasVelocity => 1e3,
        "m3/h" => 3600,
        "m3/min" => 60,
        "L/s" or "l/s" => 1e3,
        "/s" or "Hz" when quantity is Quantity.MotorSpeed or Quantity.ReferenceSpeed => 1.0 / 60,
        "%" when quantity is Quantity.PowerFactor => 100,
        "1" when quantity is Quantity.MotorTorque => 0.01,
        "%" when quantity is Quantity.MotorSpeed or Quantity.ReferenceSpeed => 100 / Plant.Conveyor.SynchronousRpm,
        "%" when quantity is Quantity.OutputFrequency or Quantity.ReferenceFrequency => 100 / Plant.Conveyor.RatedHertz,
        "mm/s" => 1,
        "m/s" when quantity is Quantity.VibrationVelocity => 1e-3,
        "%" or "%{vol}" when quantity is Quantity.AmbientCarbonDioxide => 1e-4,
        "1" when quantity is Quantity.VoltageDistortion or Quantity.CurrentDistortion => 0.01,
        "1" when quantity is Quantity.AmbientCarbonDioxide => 1e-6,
        // Rated torque of a 55 kW four-pole motor is 350 N.m.
        "N.m" when quantity is Quantity.MotorTorque => 3.5,
        "g/m3" => 1e-3,
        "ug/m3" => 1e3,
        "m/s2" when quantity is Quantity.VibrationAcceleration => 9.80665,
        "[in_i]/s" when quantity is Quantity.VibrationVelocity => 1 / 25.4,
        // Molar mass over the molar volume of 22.414 l at 0 degrees Celsius.
        "[ppm]" or "[ppmv]" => quantity switch
        {
            Quantity.SulphurDioxide => 22.414 / 64.066,
            Quantity.NitrogenMonoxide => 22.414 / 30.006,
            Quantity.NitrogenDioxide or Quantity.NitrogenOxides => 22.414 / 46.006,
            Quantity.CarbonMonoxide => 22.414 / 28.010,
            Quantity.CarbonDioxide or Quantity.Oxygen => 1e4,
            _ => 1,
        },
        _ => 1,
    };

    /// <summary>Added after <see cref="Factor"/>: only temperature scales have one.</summary>
    public static double Offset(string unit) => unit switch { "K" => 273.15, "[degF]" => 32, _ => 0 };

    /// <summary>Temperatures in Fahrenheit have a factor of their own.</summary>
    public static double TemperatureFactor(string unit) => unit == "[degF]" ? 1.8 : 1;

    /// <summary>Whether the model can count energy in the unit without a remainder (joules are no whole number of micro-watt-hours).</summary>
    public static bool CountsEnergyIn(string unit) => unit is "W.h" or "kW.h" or "MW.h" or "var.h" or "kvar.h" or "Mvar.h" or "V.A.h" or "kV.A.h" or "MV.A.h";

    /// <summary>Quanta of a counter in one of its units: energies count in micro-units per hour, mass in grams, gas in litres, time in seconds.</summary>
    public static long QuantaPerUnit(Quantity quantity, string unit) => quantity switch
    {
        Quantity.MassTotal => unit switch { "g" => 1, "kg" => 1_000, "kt" => 1_000_000_000, _ => 1_000_000 },
        Quantity.GasTotal => unit switch { "l" or "L" => 1, "km3" => 1_000_000, _ => 1_000 },
        Quantity.RunTime => unit switch { "s" => 1, "min" => 60, "d" => 86_400, _ => 3_600 },
        Quantity.NeutralCounter => 1_000,
        _ => unit switch
        {
            "W.h" or "var.h" or "V.A.h" => 1_000_000,
            "MW.h" or "Mvar.h" or "MV.A.h" => 1_000_000_000_000,
            _ => 1_000_000_000,
        },
    };
}
