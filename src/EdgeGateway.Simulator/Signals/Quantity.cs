namespace EdgeGateway.Simulator.Signals;

/// <summary>The quantities the physical model can tell. Values come in the base unit that is named.</summary>
internal enum Quantity : byte
{
    /// <summary>Not known to the model: a neutral value inside the plausible range.</summary>
    Neutral,

    /// <summary>Phase to neutral, V.</summary>
    Voltage,

    /// <summary>Phase to phase, V.</summary>
    LineVoltage,

    /// <summary>A.</summary>
    Current,
    NeutralCurrent,

    /// <summary>W, var, V.A.</summary>
    ActivePower,
    ReactivePower,
    ApparentPower,

    /// <summary>1.</summary>
    PowerFactor,

    /// <summary>Degrees.</summary>
    PhaseAngle,

    /// <summary>Hz.</summary>
    Frequency,

    /// <summary>Percent.</summary>
    VoltageDistortion,
    CurrentDistortion,

    // Counters: see CounterSource.
    ActiveEnergyImport,
    ActiveEnergyExport,

    /// <summary>Import plus export.</summary>
    ActiveEnergyTotal,
    ReactiveEnergyImport,
    ReactiveEnergyExport,
    ReactiveEnergyTotal,
    ApparentEnergy,
    MassTotal,
    GasTotal,
    RunTime,
    NeutralCounter,

    /// <summary>Hz.</summary>
    OutputFrequency,
    ReferenceFrequency,

    /// <summary>Revolutions per minute.</summary>
    MotorSpeed,
    ReferenceSpeed,

    /// <summary>A.</summary>
    MotorCurrent,

    /// <summary>Percent of rated.</summary>
    MotorTorque,

    /// <summary>V.</summary>
    OutputVoltage,
    DcLinkVoltage,

    /// <summary>W.</summary>
    MotorPower,

    /// <summary>Degrees Celsius.</summary>
    DriveTemperature,

    /// <summary>kg/h.</summary>
    MassFlow,

    /// <summary>m/s.</summary>
    BeltSpeed,

    /// <summary>kg/m.</summary>
    BeltLoad,

    /// <summary>Percent by volume.</summary>
    Oxygen,
    CarbonDioxide,

    /// <summary>mg/m3.</summary>
    CarbonMonoxide,
    SulphurDioxide,
    NitrogenMonoxide,
    NitrogenDioxide,
    NitrogenOxides,
    Dust,

    /// <summary>Degrees Celsius.</summary>
    GasTemperature,

    /// <summary>m/s.</summary>
    GasVelocity,

    /// <summary>m3/h.</summary>
    GasFlow,

    /// <summary>Percent by volume.</summary>
    GasMoisture,

    /// <summary>Pa.</summary>
    StaticPressure,
    DynamicPressure,

    /// <summary>mm/s.</summary>
    VibrationVelocity,

    /// <summary>Multiples of standard gravity.</summary>
    VibrationAcceleration,

    /// <summary>Degrees Celsius.</summary>
    MachineTemperature,
    AmbientTemperature,

    /// <summary>Parts per million by volume.</summary>
    AmbientCarbonDioxide,

    /// <summary>Percent.</summary>
    AmbientHumidity,

    /// <summary>Percent by volume.</summary>
    Methane,

    /// <summary>Parts per million by volume.</summary>
    AirCarbonMonoxide,

    /// <summary>m/s.</summary>
    AirVelocity,

    /// <summary>m3/h.</summary>
    AirFlow,

    /// <summary>Degrees Celsius.</summary>
    TransformerOil,
    TransformerWinding,

    /// <summary>1 while the installation runs, else 0.</summary>
    Running,

    /// <summary>The healthy state: the first declared symbol, else 0.</summary>
    Healthy,

    /// <summary>A number that names the device; another one after a meter swap.</summary>
    SerialNumber,

    /// <summary>Seconds since the Unix epoch: the sequence of a load device.</summary>
    Sequence,

    /// <summary>A value that is a function of the sequence and of the point's place: see LoadDevice.</summary>
    Wave,
}

/// <summary>One quantity of one phase.</summary>
/// <param name="Quantity">What is asked for.</param>
/// <param name="Phase">0: total, sum or mean; 1 to 3: phase, or for line voltages the phase the pair begins with.</param>
internal readonly record struct Signal(Quantity Quantity, byte Phase = 0)
{
    /// <summary>Whether the quantity is a total that the device counts.</summary>
    public bool IsCounter => Quantity is >= Quantity.ActiveEnergyImport and <= Quantity.NeutralCounter;
}
