using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>Rules of belt conveyors and their drives. Their points are of several devices of one area: drive, belt scale, switches. Slip has a detector of its own.</summary>
internal static class ConveyorRules
{
    private static readonly string[] Belts = ["belt-scale", "conveyor-sensor", "drive", "energy-meter"];
    private static readonly string[] Drives = ["drive"];
    private static readonly RuleInput Current = new("current", "drive.current.output") { Dimension = Dimension.Current };
    private static readonly RuleInput Load = new("load", "conveyor.belt.load") { Dimension = Dimension.LinearDensity };
    private static readonly RuleInput Speed = new("speed", "conveyor.belt.speed") { Dimension = Dimension.Speed };
    private static readonly RuleInput Frequency = new("frequency", "drive.frequency.output") { Dimension = Dimension.Frequency };

    public static readonly Rule[] All =
    [
        new("belt-jam", new("Belt jam", "motor current", "% of the usual", "belt held by a lump, a blocked pulley or scraper, tail full of material", "Stop the drive, lock it out, clear the belt; look at pulleys and scrapers"))
        {
            Inputs = [Speed, Current, Frequency with { IsOptional = true }],

            // The drive still turns or wants to, the belt falls behind it, and the motor pulls. A belt that follows its drive up again under load does not fall behind.
            Measure = static (in RuleView x) => x[0] < 0.7 * x.Slow(0) && (!x.Has(2) || (x[2] > 0.5 * x.Slow(2) && x[0] * x.Slow(2) < 0.7 * x[2] * x.Slow(0))) ? 100 * x[1] / x.Slow(1) : double.NaN,
            Alarm = 130, AlarmSeconds = 2, Hysteresis = 10, OffSeconds = 10, SlowSeconds = 300, LearnSeconds = 60, Freezes = true, Gate = new(1, 0.2, 60), Kinds = Belts,
        },
        new("belt-broken", new("Belt does not follow its drive", "motor current", "% of the usual", "belt torn off or its splice, broken coupling", "Stop the drive; look at coupling, belt and counterweight"))
        {
            Inputs = [Speed, Current, Frequency],
            Measure = static (in RuleView x) => x[0] < 0.2 * x.Slow(0) && x[2] > 0.8 * x.Slow(2) ? 100 * x[1] / x.Slow(1) : double.NaN,
            Below = true, Alarm = 75, AlarmSeconds = 2, Hysteresis = 5, OffSeconds = 10, SlowSeconds = 300, LearnSeconds = 60, Freezes = true, Gate = new(2, 0.3, 60), Kinds = Belts,
        },
        new("belt-blockage", new("Blockage at the transfer point", "signs of three (chute full, current up, load gone)", "", "lump or sticky material in the chute, next belt standing", "Stop the feed, then the belt; clear the chute with the drive locked out"))
        {
            Inputs = [Load, Current, new("chute", "conveyor.chute_blocked") { IsOptional = true }],
            Measure = static (in RuleView x) => (x[0] < 0.5 * x.Slow(0) && x.Slow(0) > 0.1 * x.Peak(0) ? 1 : 0) + (x[1] > 1.1 * x.Slow(1) ? 1 : 0) + (x[2] > 0 ? 1 : 0),
            Warn = 1.5, WarnSeconds = 3, Alarm = 2.5, AlarmSeconds = 3, OffSeconds = 10, SlowSeconds = 300, LearnSeconds = 120, Freezes = true, Gate = new(1, 0.2, 60), Kinds = Belts,
        },
        new("belt-empty", new("Belt runs empty", "belt load", "% of its largest", "feed off or blocked before this belt, switching off forgotten", "Stop the belt or restore the feed: an empty belt draws a third of the power"))
        {
            Inputs = [Load, Speed], Measure = static (in RuleView x) => x[1] > 0.1 * x.Peak(1) && x[1] > 0.05 ? 100 * x.Quick(0) / x.Peak(0) : double.NaN,
            Below = true, Warn = 5, WarnSeconds = 900, Hysteresis = 5, OffSeconds = 30, QuickSeconds = 30, LearnSeconds = 60, Kinds = Belts,
        },
        new("belt-overload", new("Belt overloaded", "mass flow", "% of the rating", "too much feed, lumps, belt slower than set", "Reduce the feed before the belt slips or stalls at the next start"))
        {
            Inputs = [new("flow", "conveyor.mass_flow") { Dimension = Dimension.MassFlow }], Measure = static (in RuleView x) => 100 * x.Quick(0) / x.RatedOr(0), Rating = RuleRating.Stated,
            Warn = 105, WarnSeconds = 30, Alarm = 120, AlarmSeconds = 10, Hysteresis = 3, OffSeconds = 10, Kinds = Belts,
        },
        new("load-loss", new("Motor without its load", "motor current", "% of the usual", "broken coupling or belt, scale reads load that is not there", "Look at coupling and belt; check the zero of the scale"))
        {
            Inputs = [Current, Load, Frequency with { IsOptional = true }],
            Measure = static (in RuleView x) => x[1] > 0.5 * x.Peak(1) && (!x.Has(2) || x[2] > 0.8 * x.Slow(2)) ? 100 * x[0] / x.Slow(0) : double.NaN,
            Below = true, Alarm = 50, AlarmSeconds = 30, Hysteresis = 5, OffSeconds = 10, SlowSeconds = 600, LearnSeconds = 120, Freezes = true, Gate = new(1, 0.2, 60), Kinds = Belts,
        },
        new("foreign-object", new("Jolts of the motor current", "motor current above the usual", "%", "foreign object or large lump between belt and idlers or scraper, damaged splice", "Stop and look along the belt before it tears; watch the magnet and the scrapers"))
        {
            Inputs = [Current, Load, Frequency with { IsOptional = true }],
            Measure = static (in RuleView x) => x.IsSteady(1, 0.2) && x.IsSteady(2, 0.05) ? 100 * ((x[0] / x.Slow(0)) - 1) : double.NaN,
            Warn = 25, WarnSeconds = 1, Alarm = 60, AlarmSeconds = 1, Hysteresis = 10, OffSeconds = 60, SlowSeconds = 120, LearnSeconds = 120, Gate = new(0, 0.2, 60), Kinds = Belts,
        },
        new("current-load", new("Motor current does not fit the belt load", "difference from the learned relation", "%", "stiff idlers, scraper too tight, belt runs off, wrong zero of the scale", "Walk along the belt for hot or standing idlers; check the scale's zero with the belt empty"))
        {
            Inputs = [Current, Load], Reference = RuleReference.Line,
            Warn = 15, WarnSeconds = 900, Alarm = 30, AlarmSeconds = 300, Hysteresis = 3, OffSeconds = 60, QuickSeconds = 10, SlowSeconds = 86_400, Gate = new(0, 0.2, 60), Kinds = Belts,
        },
        new("drive-overload", new("Drive overloaded", "load of the drive", "% of the rating", "belt too full, stiff idlers, wrong ramp", "Reduce the feed; let the drive cool; check the mechanics"))
        {
            Inputs = [new("load", "drive.load") { Dimension = Dimension.One }], Measure = static (in RuleView x) => 100 * Math.Abs(x.Quick(0)),
            Warn = 105, WarnSeconds = 300, Alarm = 125, AlarmSeconds = 30, Hysteresis = 3, OffSeconds = 30, Kinds = Drives, YieldsToLimit = true,
        },
        new("motor-overload", new("Motor overload", "heating of the motor (thermal image)", "% of the permanent", "too much load, stiff mechanics, low voltage, phase lost", "Reduce the load before the protection trips; measure all three currents"))
        {
            Inputs = [Current with { IsSquared = true }], Measure = static (in RuleView x) => 100 * x.Slow(0) / x.Rated / x.Rated, Rating = RuleRating.Stated,
            Warn = 110, Alarm = 125, Hysteresis = 5, OffSeconds = 60, SlowSeconds = 1_200, LearnSeconds = 60, Kinds = Drives,
        },
        new("motor-stall", new("Motor stalled or jammed", "motor current", "% of the rated or usual", "jam, brake closed, locked rotor", "Stop the drive; find what holds it before the next start"))
        {
            Inputs = [Current], Measure = static (in RuleView x) => 100 * x[0] / (double.IsNaN(x.Rated) ? x.Slow(0) : x.Rated),
            Alarm = 200, AlarmSeconds = 2, Hysteresis = 20, OffSeconds = 5, SlowSeconds = 600, LearnSeconds = 120, Freezes = true, Gate = new(0, 0.1, 60), Kinds = Drives,
        },
        new("speed-not-reached", new("Drive does not reach its speed", "speed missing", "% of the reference", "load too heavy to start, jam, brake that does not open, current limit of the drive", "Stop the start; look at brake and belt; a second start only when the motor has cooled"))
        {
            Inputs = [Frequency, new("reference", "drive.frequency.setpoint") { Dimension = Dimension.Frequency }],
            Measure = static (in RuleView x) => x[0] > 0.5 && x[1] > 1 ? 100 * (1 - (x[0] / x[1])) : double.NaN,
            Warn = 20, WarnSeconds = 120, Hysteresis = 5, OffSeconds = 5, Kinds = Drives,
        },
        new("misalignment-count", new("Belt touches its guide often", "touches", "an hour", "loading off the centre, stiff or dirty idlers, frame out of line", "Centre the loading; clean and turn idlers; align the frame"))
        {
            Inputs = [new("switch", "conveyor.misalignment")], Measure = static (in RuleView x) => x.Rises(0), Warn = 10, Hysteresis = 5, OffSeconds = 0, SlowSeconds = 3_600, Kinds = Belts,
        },
        new("pull-cord-loose", new("Pull cord flickers", "operations", "an hour", "loose contact or slack cord, vibration", "Tighten the cord and its terminals, then work every switch once"))
        {
            Inputs = [new("cord", "conveyor.pull_cord")], Measure = static (in RuleView x) => x.Rises(0), Warn = 3.5, Hysteresis = 2, OffSeconds = 0, SlowSeconds = 3_600, Kinds = Belts,
        },
    ];
}
