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
    }.ToFrozenDictionary();
}

/// <summary>A fault that was injected; clears it.</summary>
/// <param name="Id">Number of the injection, from 1.</param>
/// <param name="Fault">What was injected.</param>
public sealed record InjectedFault(int Id, Fault Fault);
