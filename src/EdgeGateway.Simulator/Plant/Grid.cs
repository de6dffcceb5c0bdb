using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator.Plant;

/// <summary>The supply all meters of the site share: three phases about 230 V, 50 Hz.</summary>
internal sealed class Grid(Noise noise)
{
    private readonly Noise _frequency = noise.Channel(0);
    private readonly Noise _phase1 = noise.Channel(1);
    private readonly Noise _phase2 = noise.Channel(2);
    private readonly Noise _phase3 = noise.Channel(3);
    private readonly double[] _share = [1, 1, 1];

    /// <summary>What is wrong with it.</summary>
    public FaultSet Faults { get; } = new();

    /// <summary>Frequency in Hz.</summary>
    public double Hertz { get; private set; } = 50;

    /// <summary>Harmonic distortion of the voltage in percent.</summary>
    public double VoltageDistortionPercent { get; private set; } = 2;

    /// <summary>Voltage of phase 0 to 2 against neutral, as a share of nominal.</summary>
    public double Share(int phase) => _share[phase];

    public void Tick(in Moment now)
    {
        Hertz = 50 + (0.03 * _frequency.Smooth(now.Second, 40)) + (0.004 * _frequency.White(now.Second));
        var stands = Faults[FaultKind.SupplyVoltage] ?? 1;
        _share[0] = stands * Volts(_phase1, now.Second);
        _share[1] = stands * Volts(_phase2, now.Second);
        _share[2] = stands * Volts(_phase3, now.Second);
        VoltageDistortionPercent = 2 + (0.4 * _frequency.Smooth(now.Second, 600));
    }

    private static double Volts(in Noise phase, long second) =>
        1 + (0.02 * phase.Smooth(second, 1800)) + (0.004 * phase.Smooth(second, 30)) + (0.0006 * phase.White(second));
}
