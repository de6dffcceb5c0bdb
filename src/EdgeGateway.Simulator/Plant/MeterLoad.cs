namespace EdgeGateway.Simulator.Plant;

/// <summary>What flows through one meter, by phase, in whole micro-watt-hours (micro-var-hours, micro-volt-ampere-hours) a tick.</summary>
/// <remarks>
/// Energy is the first quantity here and power follows from it (power = energy of the tick x 3600), so a counter is the exact integral of
/// the power that the same meter shows, and a parent is the exact sum of its children.
/// </remarks>
internal sealed class MeterLoad
{
    /// <summary>Watts of one micro-watt-hour in a tick of one second.</summary>
    public const double WattsPerQuantum = 0.0036;

    private readonly long[] _active = new long[3];
    private readonly long[] _reactive = new long[3];
    private readonly long[] _import = new long[3];
    private readonly long[] _export = new long[3];
    private readonly long[] _reactiveImport = new long[3];
    private readonly long[] _reactiveExport = new long[3];
    private readonly long[] _apparent = new long[3];

    /// <summary>Active power of a phase in W.</summary>
    public double Watts(int phase) => _active[phase] * WattsPerQuantum;

    /// <summary>Reactive power of a phase in var; positive when lagging.</summary>
    public double Vars(int phase) => _reactive[phase] * WattsPerQuantum;

    /// <summary>Apparent power of a phase in V.A.</summary>
    public double VoltAmperes(int phase) => Math.Sqrt((Watts(phase) * Watts(phase)) + (Vars(phase) * Vars(phase)));

    /// <summary>Active energy of a phase in the current tick, in micro-watt-hours.</summary>
    public long Active(int phase) => _active[phase];

    public long Import(int phase) => _import[phase];

    public long Export(int phase) => _export[phase];

    public long ReactiveImport(int phase) => _reactiveImport[phase];

    public long ReactiveExport(int phase) => _reactiveExport[phase];

    public long Apparent(int phase) => _apparent[phase];

    /// <summary>Begins a tick with nothing flowing.</summary>
    public void Clear()
    {
        _active.AsSpan().Clear();
        _reactive.AsSpan().Clear();
    }

    /// <summary>Adds a consumer on one phase.</summary>
    public void Add(int phase, double watts, double powerFactor)
    {
        _active[phase] += (long)Math.Round(watts / WattsPerQuantum);
        var tangent = Math.Sqrt(1 - (powerFactor * powerFactor)) / powerFactor;
        _reactive[phase] += (long)Math.Round(Math.Abs(watts) * tangent / WattsPerQuantum);
    }

    /// <summary>Adds what flows through a meter behind this one; all of it on <paramref name="onlyPhase"/> when this meter has one phase.</summary>
    public void Add(MeterLoad child, int? onlyPhase)
    {
        for (var phase = 0; phase < 3; phase++)
        {
            _active[onlyPhase ?? phase] += child._active[phase];
            _reactive[onlyPhase ?? phase] += child._reactive[phase];
        }
    }

    /// <summary>Ends a tick: counts what flowed.</summary>
    /// <param name="lost">Share that a faulty meter does not count, 0 to 1.</param>
    public void Count(double lost = 0)
    {
        for (var phase = 0; phase < 3; phase++)
        {
            var (active, reactive) = (Counted(_active[phase], lost), Counted(_reactive[phase], lost));
            _import[phase] += Math.Max(0, active);
            _export[phase] += Math.Max(0, -active);
            _reactiveImport[phase] += Math.Max(0, reactive);
            _reactiveExport[phase] += Math.Max(0, -reactive);
            _apparent[phase] += Counted((long)Math.Round(VoltAmperes(phase) / WattsPerQuantum), lost);
        }
    }

    private static long Counted(long quanta, double lost) => lost == 0 ? quanta : (long)Math.Round(quanta * (1 - lost));
}
