using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator.Plant;

/// <summary>A belt conveyor with its drive, its motor and its belt scale.</summary>
/// <remarks>
/// The drive ramps to its reference, the feeder loads the belt, the load makes the torque, the torque the current and the power; the
/// belt follows the drive pulley but for a little creep, and for much more while it slips.
/// </remarks>
internal sealed class Conveyor(Noise noise, double ratedWatts) : Installation(noise)
{
    /// <summary>Supply and motor frequency at rated speed.</summary>
    public const double RatedHertz = 50;

    /// <summary>Surface speed of the drive pulley at <see cref="RatedHertz"/>, in m/s.</summary>
    public const double RatedMetresPerSecond = 2.5;

    /// <summary>Synchronous speed of the four-pole motor at <see cref="RatedHertz"/>, in revolutions per minute.</summary>
    public const double SynchronousRpm = 1500;

    /// <summary>Most the feeder gives, in kg/s (540 t/h).</summary>
    public const double RatedKilogramsPerSecond = 150;

    private const double RatedKilogramsPerMetre = RatedKilogramsPerSecond / RatedMetresPerSecond;
    // Half a minute to full speed: a loaded belt is started gently.
    private const double RampHertzPerSecond = 1.5;
    private const double StopHertzPerSecond = 15;
    private const double StallHertzPerSecond = 8;
    private const double StalledHertz = 5;
    private const int SecondsBetweenStops = 1800;

    // Once in a turn of the tail pulley's worth of belt that drags the object along.
    private const int SecondsBetweenRubs = 12;
    private const int RubSeconds = 2;

    private readonly Noise _schedule = noise.Channel(1);
    private readonly Noise _feed = noise.Channel(2);
    private readonly Noise _flutter = noise.Channel(3);
    private readonly Noise _heat = noise.Channel(4);
    private bool _started;

    /// <summary>Reference of the drive in Hz; 0 when stopped.</summary>
    public double ReferenceHertz { get; private set; }

    /// <summary>Output frequency of the drive in Hz.</summary>
    public double OutputHertz { get; private set; }

    /// <summary>Torque as a share of the rated torque.</summary>
    public double Torque { get; private set; }

    /// <summary>Motor current in A.</summary>
    public double MotorAmperes { get; private set; }

    /// <summary>Shaft speed in revolutions per minute.</summary>
    public double MotorRpm { get; private set; }

    /// <summary>Surface speed of the drive pulley in m/s.</summary>
    public double DriveMetresPerSecond { get; private set; }

    /// <summary>Speed of the belt in m/s.</summary>
    public double BeltMetresPerSecond { get; private set; }

    /// <summary>Material on the scale in kg/m.</summary>
    public double KilogramsPerMetre { get; private set; }

    /// <summary>Mass flow over the scale in kg/s.</summary>
    public double KilogramsPerSecond { get; private set; }

    /// <summary>Mass that crossed the scale in the last tick, in whole grams.</summary>
    public long Grams { get; private set; }

    /// <summary>Temperature of the heat sink in degrees Celsius.</summary>
    public double HeatSinkCelsius { get; private set; } = 38;

    /// <summary>Rated current of the motor in A: 400 V, efficiency 0.94, power factor 0.86.</summary>
    public double RatedAmperes { get; } = ratedWatts / (Math.Sqrt(3) * 400 * 0.94 * 0.86);

    public override bool Running => OutputHertz > 0.5;

    public override void Tick(in Moment now)
    {
        var tripped = Faults[FaultKind.BeltStop] is not null;
        var jammed = Faults[FaultKind.BeltJam];
        ReferenceHertz = tripped || IsStopped(now.Elapsed) ? 0 : Math.Round(47 + (3 * _schedule.Smooth(now.Second, 900)), 1);

        // A drive that cannot turn its motor gives way to a creep, so that its current stays within its limit.
        var wanted = jammed is null ? ReferenceHertz : Math.Min(ReferenceHertz, StalledHertz);
        var down = tripped ? StopHertzPerSecond : jammed is not null ? StallHertzPerSecond : RampHertzPerSecond;
        OutputHertz = _started
            ? OutputHertz + Math.Clamp(wanted - OutputHertz, -down, RampHertzPerSecond)
            : ReferenceHertz;

        // Rubber creeps about half a percent on its pulley, a little more under load.
        var creep = 0.004 + (0.003 * Load) + (0.001 * _flutter.White(now.Second));
        DriveMetresPerSecond = RatedMetresPerSecond * OutputHertz / RatedHertz;
        BeltMetresPerSecond = jammed is null
            ? DriveMetresPerSecond * (1 - Math.Clamp((Faults[FaultKind.BeltSlip] ?? 0) + creep, 0, 1))
            : 0.3 * BeltMetresPerSecond;

        // The feeder is interlocked with the drive; what it gives lies closer when the belt is slow.
        var feed = Running && ReferenceHertz > 0
            ? (Faults[FaultKind.FeedFactor] ?? 1) * RatedKilogramsPerSecond * (0.70 + (0.15 * _feed.Smooth(now.Second, 120)) + (0.04 * _feed.Smooth(now.Second, 7)))
            : 0;
        var bed = BeltMetresPerSecond > 0.3 ? feed / BeltMetresPerSecond : KilogramsPerMetre;
        KilogramsPerMetre = _started ? KilogramsPerMetre + ((bed - KilogramsPerMetre) / 5) : bed;
        KilogramsPerSecond = KilogramsPerMetre * BeltMetresPerSecond;
        Grams = (long)Math.Round(KilogramsPerSecond * 1000);
        _started = true;

        Load = KilogramsPerMetre / RatedKilogramsPerMetre;
        var rub = now.Elapsed % SecondsBetweenRubs < RubSeconds ? Faults[FaultKind.ForeignObject] ?? 0 : 0;
        var pull = (0.22 + (0.55 * Load) + (0.01 * _flutter.Smooth(now.Second, 5))) * (1 + (Faults[FaultKind.BeltDrag] ?? 0));
        Torque = !Running ? 0 : jammed is { } held && ReferenceHertz > 0 ? held : Math.Min(2, pull + rub);
        var rated = OutputHertz / RatedHertz;
        MotorRpm = jammed is null ? SynchronousRpm * rated * (1 - (0.015 * Torque)) : 0.3 * MotorRpm;
        MotorAmperes = Running ? RatedAmperes * Math.Sqrt(0.09 + (0.91 * Torque * Torque)) : 0;
        Watts = 120 + (ratedWatts * Torque * rated / 0.92);
        PowerFactor = 0.70 + (0.25 * Math.Min(1, Torque));
        var warm = 30 + (25 * Torque) + _heat.Smooth(now.Second, 600);
        HeatSinkCelsius += (warm - HeatSinkCelsius) / 60;
    }

    // One stop of 60 to 180 s in the second half of each half hour, so that a demonstration begins with a running belt.
    private bool IsStopped(long elapsed)
    {
        var slot = elapsed / SecondsBetweenStops;
        var inside = elapsed % SecondsBetweenStops;
        var begin = 900 + (long)(600 * _schedule.At(2 * slot));
        var length = 60 + (long)(120 * _schedule.At((2 * slot) + 1));
        return inside >= begin && inside < begin + length;
    }
}
