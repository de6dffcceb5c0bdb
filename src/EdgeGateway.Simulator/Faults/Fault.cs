using System.Collections.Frozen;

namespace EdgeGateway.Simulator.Faults;

/// <summary>What can go wrong at a simulated site.</summary>
public enum FaultKind
{
    /// <summary>The belt falls behind its drive pulley by the magnitude, a share from 0 to 1 (default 0.25).</summary>
    BeltSlip,

    /// <summary>The point (or, without a point, every point of the device) keeps the value it has.</summary>
    StuckSensor,

    /// <summary>The device does not answer; its counters go on counting.</summary>
    DeadMeter,

    /// <summary>The device answers after the magnitude in seconds (default 0.3).</summary>
    SlowDevice,

    /// <summary>Replies carry a wrong check sum; over TCP, which has none, a wrong protocol id.</summary>
    CrcError,

    /// <summary>The device answers with the Modbus exception code of the magnitude (default 4, server device failure).</summary>
    ExceptionReply,

    /// <summary>Counters (or the one of the point) start again from zero.</summary>
    CounterReset,

    /// <summary>Another meter in the same place: other readings, another serial number; silent for the duration, if one is given.</summary>
    MeterSwap,

    /// <summary>TCP replies carry another transaction id than their request; on a serial line, which has none, nothing happens.</summary>
    WrongTransaction,

    /// <summary>Replies come after the magnitude in seconds (default 3), when the asker has given up.</summary>
    LateReply,

    /// <summary>The point is multiplied by the magnitude (default 3) every other second.</summary>
    NoiseSpike,

    /// <summary>The gauge shows its value times the magnitude (default 1.2).</summary>
    Gain,

    /// <summary>The gauge shows its value plus the magnitude, in its unit.</summary>
    Offset,

    /// <summary>The gauge's gain drifts: each hour the magnitude (default 0.05) is added to the factor 1.</summary>
    GainDrift,

    /// <summary>The gauge's zero drifts by the magnitude in its unit each hour.</summary>
    OffsetDrift,

    /// <summary>The gauge or state shows the magnitude, whatever happens.</summary>
    FixedValue,

    /// <summary>The status point reports the condition of its first watched flag.</summary>
    Contact,

    /// <summary>The counter shows the magnitude in its unit more than it counted: while the fault lasts, for good when it has no duration.</summary>
    CounterOffset,

    /// <summary>The meter counts this share of the energy too little (default 0.5); its powers stay right.</summary>
    EnergyLoss,

    /// <summary>Nothing flows in the phase of the magnitude, 1 to 3 (default 2): a fuse behind the meter; the load goes on with the other two.</summary>
    LostPhase,

    /// <summary>The first phase carries the magnitude (default 0.3) more than its share of the load, the others half of that less.</summary>
    PhaseImbalance,

    /// <summary>What is behind the meter has the power factor of the magnitude (default 0.65).</summary>
    PowerFactor,

    /// <summary>The supply of the whole site stands at its voltage times the magnitude (default 0.8).</summary>
    SupplyVoltage,

    /// <summary>The transformer loses its cooling: its oil rises over ambient by the magnitude (default 1.5) times what the load explains.</summary>
    CoolingFailure,

    /// <summary>The belt needs this share more torque (default 0.15).</summary>
    BeltDrag,

    /// <summary>The feeder gives the magnitude (default 0) times what it should.</summary>
    FeedFactor,

    /// <summary>The belt is held: it stands, and the motor pulls with the magnitude (default 2.2) times its rated torque while the drive gives way.</summary>
    BeltJam,

    /// <summary>Something rubs once in twelve seconds: the torque rises by the magnitude (default 0.4) of the rated torque for two seconds.</summary>
    ForeignObject,

    /// <summary>The drive is stopped at once.</summary>
    BeltStop,

    /// <summary>This share (default 0.2) of what the analyser of a stack sees is air from outside.</summary>
    AirLeak,

    /// <summary>Methane flows into the roadway at the magnitude (default 4) times the usual rate.</summary>
    MethaneInflow,

    /// <summary>A fire or a heating gives off carbon monoxide: the magnitude (default 60) in ppm of the usual air.</summary>
    CarbonMonoxideSource,

    /// <summary>The fan stops.</summary>
    FanStop,

    /// <summary>The boiler is shut down: its fire is out, air stands in the stack.</summary>
    BoilerStop,

    /// <summary>The fuel is wet: the gas holds the magnitude (default 4) in percent by volume more water.</summary>
    WetFuel,

    /// <summary>The boiler burns another fuel, whose dry gas without excess air has the magnitude (default 11.7, natural gas) in percent of CO2.</summary>
    FuelChange,

    /// <summary>The flue gas cleaning fails: SO2, NOx and dust are the magnitude (default 2.5) times what they should be.</summary>
    CleaningFailure,

    /// <summary>The analyser of a stack leaves its daily calibration out.</summary>
    MissedCalibration,

    /// <summary>The analyser of a stack reports a fault.</summary>
    AnalyserFault,

    /// <summary>The analyser of a stack is being maintained, and says so.</summary>
    AnalyserMaintenance,
}

/// <summary>Something to go wrong.</summary>
public sealed record Fault
{
    public required FaultKind Kind { get; init; }

    /// <summary>Device id.</summary>
    public required string Device { get; init; }

    /// <summary>Point id within the device; null means the whole device.</summary>
    public string? Point { get; init; }

    /// <summary>How long it lasts in the site's time; null: until cleared.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>How bad: see the kinds; null takes the kind's default.</summary>
    public double? Magnitude { get; init; }

    /// <summary>The magnitude, or the kind's default.</summary>
    public double Strength => Magnitude ?? Kind switch
    {
        FaultKind.Gain => 1.2,
        FaultKind.GainDrift => 0.05,
        FaultKind.EnergyLoss => 0.5,
        FaultKind.LostPhase => 2,
        FaultKind.PhaseImbalance => 0.3,
        FaultKind.PowerFactor => 0.65,
        FaultKind.SupplyVoltage => 0.8,
        FaultKind.CoolingFailure => 1.5,
        FaultKind.BeltDrag => 0.15,
        FaultKind.BeltJam => 2.2,
        FaultKind.ForeignObject => 0.4,
        FaultKind.AirLeak => 0.2,
        FaultKind.WetFuel => 4,
        FaultKind.FuelChange => 11.7,
        FaultKind.CleaningFailure => 2.5,
        FaultKind.MethaneInflow => 4,
        FaultKind.CarbonMonoxideSource => 60,
        FaultKind.BeltSlip => 0.25,
        FaultKind.SlowDevice => 0.3,
        FaultKind.ExceptionReply => 4,
        FaultKind.LateReply or FaultKind.NoiseSpike => 3,
        _ => 0,
    };
}

/// <summary>The names of the faults in scripts and commands.</summary>
public static class FaultNames
{
    /// <summary>Every fault by its name.</summary>
    public static readonly FrozenDictionary<string, FaultKind> ByName = new Dictionary<string, FaultKind>
    {
        ["belt-slip"] = FaultKind.BeltSlip,
        ["stuck-sensor"] = FaultKind.StuckSensor,
        ["dead-meter"] = FaultKind.DeadMeter,
        ["slow-device"] = FaultKind.SlowDevice,
        ["crc-error"] = FaultKind.CrcError,
        ["exception-reply"] = FaultKind.ExceptionReply,
        ["counter-reset"] = FaultKind.CounterReset,
        ["meter-swap"] = FaultKind.MeterSwap,
        ["wrong-transaction"] = FaultKind.WrongTransaction,
        ["late-reply"] = FaultKind.LateReply,
        ["noise-spike"] = FaultKind.NoiseSpike,
        ["gain"] = FaultKind.Gain,
        ["offset"] = FaultKind.Offset,
        ["gain-drift"] = FaultKind.GainDrift,
        ["offset-drift"] = FaultKind.OffsetDrift,
        ["fixed-value"] = FaultKind.FixedValue,
        ["contact"] = FaultKind.Contact,
        ["counter-offset"] = FaultKind.CounterOffset,
        ["energy-loss"] = FaultKind.EnergyLoss,
        ["lost-phase"] = FaultKind.LostPhase,
        ["phase-imbalance"] = FaultKind.PhaseImbalance,
        ["power-factor"] = FaultKind.PowerFactor,
        ["supply-voltage"] = FaultKind.SupplyVoltage,
        ["cooling-failure"] = FaultKind.CoolingFailure,
        ["belt-drag"] = FaultKind.BeltDrag,
        ["feed-factor"] = FaultKind.FeedFactor,
        ["belt-jam"] = FaultKind.BeltJam,
        ["foreign-object"] = FaultKind.ForeignObject,
        ["belt-stop"] = FaultKind.BeltStop,
        ["air-leak"] = FaultKind.AirLeak,
        ["methane-inflow"] = FaultKind.MethaneInflow,
        ["carbon-monoxide-source"] = FaultKind.CarbonMonoxideSource,
        ["fan-stop"] = FaultKind.FanStop,
        ["boiler-stop"] = FaultKind.BoilerStop,
        ["wet-fuel"] = FaultKind.WetFuel,
        ["fuel-change"] = FaultKind.FuelChange,
        ["cleaning-failure"] = FaultKind.CleaningFailure,
        ["missed-calibration"] = FaultKind.MissedCalibration,
        ["analyser-fault"] = FaultKind.AnalyserFault,
        ["analyser-maintenance"] = FaultKind.AnalyserMaintenance,
    }.ToFrozenDictionary();
}

/// <summary>A fault that was injected; clears it.</summary>
/// <param name="Id">Number of the injection, from 1.</param>
/// <param name="Fault">What was injected.</param>
public sealed record InjectedFault(int Id, Fault Fault);
