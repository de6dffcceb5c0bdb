using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>Rules of power lines, meters and transformers. Limits with their sources stand in <c>docs/detectors.md</c>.</summary>
internal static class ElectricalRules
{
    /// <summary>A phase below this share of the others is lost.</summary>
    private const double Loaded = 0.3;

    /// <summary>Losses beyond so many times the rated ones are no measurement.</summary>
    private const double MostLosses = 1e6;

    private static readonly string[] Meters = ["energy-meter"];
    private static readonly string[] Transformers = ["transformer-monitor"];

    // The last phase is watched: of one poll it comes last, so that all three are of the same poll.
    private static readonly RuleInput[] Currents =
    [
        new("l3", "electricity.current.l3") { Dimension = Dimension.Current },
        new("l1", "electricity.current.l1") { Dimension = Dimension.Current },
        new("l2", "electricity.current.l2") { Dimension = Dimension.Current },
    ];

    private static readonly RuleInput[] PhasePowers =
    [
        new("l3", "electricity.power.active.l3") { Dimension = Dimension.ActivePower },
        new("l1", "electricity.power.active.l1") { Dimension = Dimension.ActivePower },
        new("l2", "electricity.power.active.l2") { Dimension = Dimension.ActivePower },
    ];

    private static readonly RuleInput[] Voltages =
        [new("voltage", "electricity.voltage.l1_n", "electricity.voltage.l2_n", "electricity.voltage.l3_n", "electricity.voltage") { Dimension = Dimension.Voltage, IsMany = true }];

    private static readonly RuleInput Power = new("power", "electricity.power.active") { Dimension = Dimension.ActivePower };

    public static readonly Rule[] All =
    [
        new("phase-loss", new("Phase loss", "the weakest current lacks", "% of the next", "blown fuse, broken conductor, open contact", "Stop three-phase motors; check fuses, terminals and contacts of the dead phase"))
        {
            Inputs = Currents, Measure = PhaseLoss, Rating = RuleRating.Largest, Alarm = 95, AlarmSeconds = 2, Hysteresis = 5, Kinds = Meters,
        },
        new("current-unbalance", new("Current unbalance", "largest difference from the mean", "%", "single-phase loads on one phase, bad contact, winding fault", "Spread the loads; compare the voltages; measure the motor's windings"))
        {
            Inputs = Currents, Measure = CurrentUnbalance, Rating = RuleRating.Largest, Warn = 40, WarnSeconds = 300, Alarm = 70, AlarmSeconds = 60, Hysteresis = 5, OffSeconds = 60,
            QuickSeconds = 30, LearnSeconds = 300, Kinds = Meters,
        },
        new("voltage-unbalance", new("Voltage unbalance", "largest difference from the mean", "%", "unequal single-phase loads, bad contact or open fuse of a capacitor, fault in the supply", "Measure at the incomer; derate or stop motors above 5 %"))
        {
            Inputs =
            [
                new("l3", "electricity.voltage.l3_n") { Dimension = Dimension.Voltage },
                new("l1", "electricity.voltage.l1_n") { Dimension = Dimension.Voltage },
                new("l2", "electricity.voltage.l2_n") { Dimension = Dimension.Voltage },
            ],
            Measure = VoltageUnbalance, Warn = 3, WarnSeconds = 600, Alarm = 5, AlarmSeconds = 60, Hysteresis = 0.2, OffSeconds = 60, QuickSeconds = 30, LearnSeconds = 60, Kinds = Meters,
        },
        new("voltage-twin", new("Voltage reading of one phase is off", "phases that stand apart from the meter above by", "%", "measuring input that drifts, terminal, fuse or voltage transformer of the phase", "Measure the phase at the terminals of both meters; energy of that phase is counted wrongly by as much"))
        {
            Inputs =
            [
                new("l3", "electricity.voltage.l3_n") { Dimension = Dimension.Voltage },
                new("l1", "electricity.voltage.l1_n") { Dimension = Dimension.Voltage },
                new("l2", "electricity.voltage.l2_n") { Dimension = Dimension.Voltage },
                new("above-l3", "electricity.voltage.l3_n") { Dimension = Dimension.Voltage, IsOfParent = true },
                new("above-l1", "electricity.voltage.l1_n") { Dimension = Dimension.Voltage, IsOfParent = true },
                new("above-l2", "electricity.voltage.l2_n") { Dimension = Dimension.Voltage, IsOfParent = true },
            ],
            Measure = VoltageTwin, Warn = 2, WarnSeconds = 1_800, Hysteresis = 0.3, OffSeconds = 600, QuickSeconds = 300, LearnSeconds = 600, Kinds = Meters,
        },
        new("voltage-sag", new("Voltage sag", "voltage missing", "%", "start of a large motor, short circuit on a neighbouring feeder, disturbance of the grid", "Look for what started or tripped at that time; ask the grid operator when several feeders saw it"))
        {
            Inputs = Voltages, Measure = Sag, Warn = 10, Alarm = 30, Hysteresis = 2, OffSeconds = 0, LearnSeconds = 60, Kinds = Meters,
        },
        new("voltage-swell", new("Voltage swell", "voltage in excess", "%", "load thrown off, capacitors switched on, broken neutral, tap changer", "Measure all phases against neutral at once: a broken neutral destroys equipment"))
        {
            Inputs = Voltages, Measure = Swell, Warn = 10, Alarm = 20, Hysteresis = 2, OffSeconds = 0, LearnSeconds = 60, Kinds = Meters,
        },
        new("line-dead", new("Line dead", "highest voltage", "% of the usual", "feeder switched off or tripped, fuse of the voltage circuit", "Check the breaker and its trip reason; dead is proved only by measuring at the place"))
        {
            Inputs = Voltages, Measure = LineVoltage, Below = true, Warn = 10, WarnSeconds = 10, Hysteresis = 30, LearnSeconds = 60, Kinds = Meters,
        },
        new("frequency-deviation", new("Frequency deviation", "frequency off by", "%", "island operation, generator governor, large disturbance of the grid", "Check whether the site runs on its own generator; shed load when it falls"))
        {
            Inputs = [new("frequency", "electricity.frequency") { Dimension = Dimension.Frequency }],
            Measure = Frequency, Warn = 1, WarnSeconds = 10, Alarm = 4, AlarmSeconds = 10, Hysteresis = 0.2, OffSeconds = 10, Kinds = Meters,
        },
        new("power-factor", new("Low power factor", "power factor", "", "compensation off or defective, motors or transformers at low load", "Check fuses and steps of the capacitor bank"))
        {
            Inputs = [new("factor", "electricity.power.factor") { Dimension = Dimension.One }, Power],
            Measure = static (in RuleView x) => Math.Abs(x.Quick(1)) > 0.2 * x.RatedOr(1) ? Math.Abs(x.Quick(0)) : double.NaN,
            Rating = RuleRating.PowerOrLargest, Below = true, Warn = 0.8, WarnSeconds = 900, Hysteresis = 0.02, OffSeconds = 300, QuickSeconds = 300, LearnSeconds = 900, Kinds = Meters,
        },
        new("reverse-power", new("Power flows backwards", "reverse power", "% of the largest", "current transformer reversed, voltage and current phases exchanged, a generator behind the meter", "Compare direction of the transformers and phase order with the drawing; declare a generator as one"))
        {
            Inputs = [Power], Measure = static (in RuleView x) => x.RatedOr(0) > 0 ? -100 * x.Quick(0) / x.RatedOr(0) : double.NaN, Rating = RuleRating.PowerOrLargest,
            Warn = 5, WarnSeconds = 60, Hysteresis = 2, OffSeconds = 60, Kinds = Meters, Applies = IsConsumer,
        },
        new("phase-reversed", new("One phase counts backwards", "reverse power of the phase", "% of the largest phase", "current transformer of the phase reversed or on another phase", "Compare the transformer's direction and phase with the others; energy is counted too low until then"))
        {
            Inputs = PhasePowers, Measure = PhaseReversed, Warn = 20, WarnSeconds = 300, Hysteresis = 5, OffSeconds = 60, LearnSeconds = 60, Kinds = Meters, Applies = IsConsumer,
        },
        new("power-consistency", new("Active above apparent power", "active power above apparent by", "%", "scale or word order of one register, values of two different moments", "Check scale and transformer ratios of both registers with 'profile test'"))
        {
            Inputs = [new("apparent", "electricity.power.apparent") { Dimension = Dimension.ApparentPower }, Power],
            Measure = static (in RuleView x) => x.Quick(0) > 0.05 * x.Peak(0) && x.Quick(0) > 0 ? 100 * ((Math.Abs(x.Quick(1)) / x.Quick(0)) - 1) : double.NaN,
            Warn = 5, WarnSeconds = 300, Hysteresis = 1, OffSeconds = 60, QuickSeconds = 60, LearnSeconds = 120, Kinds = Meters,
        },
        new("overload", new("Overload", "power", "% of the rating", "more load than the feeder or machine is rated for", "Reduce the load; check the temperature of cable and terminals"))
        {
            Inputs = [Power], Measure = static (in RuleView x) => 100 * x.Quick(0) / x.RatedOr(0), Rating = RuleRating.Power,
            Warn = 105, WarnSeconds = 900, Alarm = 125, AlarmSeconds = 60, Hysteresis = 3, OffSeconds = 30, Kinds = Meters,
        },
        new("harmonics", new("Harmonic distortion of the voltage", "total distortion", "%", "converters without filter, resonance with capacitors", "Note which drives run; switch the capacitor bank off for a test; measure single orders"))
        {
            Inputs = [new("distortion", "electricity.thd.voltage.l1", "electricity.thd.voltage.l2", "electricity.thd.voltage.l3", "electricity.thd.voltage.avg", "electricity.thd.voltage") { Dimension = Dimension.One, IsMany = true }],
            Measure = Distortion, Warn = 8, WarnSeconds = 600, Hysteresis = 1, OffSeconds = 300, QuickSeconds = 600, SlowSeconds = 1_200, LearnSeconds = 600, Kinds = Meters,
        },
        new("energy-power", new("Energy does not fit the power", "difference between counted and integrated energy", "%", "scale or word order of a register, transformer ratio, register that stands or was tampered with", "Compare register and power on the meter's display over some minutes; check its seals"))
        {
            Inputs = [Power, new(EnergyDetector.Energy, "electricity.energy.active.import") { Dimension = Dimension.ActiveEnergy }],
            Create = static (rule, context) => new EnergyDetector(rule, context), Settings = EnergyDetector.Keys, Warn = 5, Alarm = 10, Hysteresis = 1, OffSeconds = 0, Kinds = Meters,
        },
        new("feeder-excess", new("Feeders count more than their incomer", "sum of the feeders above the incomer", "%", "transformer ratio of one meter, a feeder that hangs elsewhere, incomer meter lost a phase", "Compare each meter with a clamp meter; check the metering tree"))
        {
            Inputs = [Power, new("feeder", "electricity.power.active") { Dimension = Dimension.ActivePower, IsOfChildren = true }],
            Measure = static (in RuleView x) => -Unseen(x), Warn = 5, WarnSeconds = 600, Alarm = 15, AlarmSeconds = 600, Hysteresis = 1, OffSeconds = 60, QuickSeconds = 60, LearnSeconds = 300, Kinds = Meters,
        },
        new("feeder-missing", new("The incomer sees what no feeder does", "share of the incomer that no feeder sees", "%", "unmetered load, meter or transformer that reads too little, tapped line", "Look for the feeder whose reading fell; compare each meter with a clamp meter"))
        {
            Inputs = [Power, new("feeder", "electricity.power.active") { Dimension = Dimension.ActivePower, IsOfChildren = true }],
            Measure = static (in RuleView x) => Unseen(x), Warn = 20, WarnSeconds = 3_600, Alarm = 40, AlarmSeconds = 3_600, Hysteresis = 2, OffSeconds = 300, QuickSeconds = 60, LearnSeconds = 300, Kinds = Meters,
        },
        new("transformer-overload", new("Transformer overload", "apparent power", "% of the rating", "more load than the transformer is rated for", "Reduce or move load; watch oil and winding temperature"))
        {
            Inputs = [new("apparent", "electricity.power.apparent") { Dimension = Dimension.ApparentPower }],
            Measure = static (in RuleView x) => 100 * x.Quick(0) / x.RatedOr(0), Rating = RuleRating.Stated,
            Warn = 130, WarnSeconds = 900, Alarm = 150, AlarmSeconds = 300, Hysteresis = 3, OffSeconds = 60, QuickSeconds = 60, Kinds = [.. Meters, .. Transformers],
        },
        new("transformer-oil", new("Hot transformer oil", "oil temperature", "°C", "overload, fans or pumps off, blocked radiator", "Reduce the load; check the cooling"))
        {
            Inputs = [new("oil", "transformer.temperature.oil") { Dimension = Dimension.Temperature }],
            Warn = 105, WarnSeconds = 60, Alarm = 115, AlarmSeconds = 60, Hysteresis = 3, OffSeconds = 60, Kinds = Transformers, YieldsToLimit = true,
        },
        new("transformer-oil-rate", new("Transformer oil heats faster than it can", "change", "K in a minute", "loose sensor or its wire; else a fault inside", "Check the sensor's terminals; look at the gas relay and take a sample for gas in oil"))
        {
            Inputs = [new("oil", "transformer.temperature.oil") { Dimension = Dimension.Temperature }],
            Measure = static (in RuleView x) => Math.Abs(x.Rate(0)) * 60, Warn = 2, WarnSeconds = 60, Hysteresis = 0.5, OffSeconds = 300, QuickSeconds = 30, SlowSeconds = 180, LearnSeconds = 300, Kinds = Transformers,
        },
        new("transformer-winding", new("Hot transformer winding", "winding temperature", "°C", "overload, cooling failed", "Reduce the load at once; check the cooling"))
        {
            Inputs = [new("winding", "transformer.temperature.winding") { Dimension = Dimension.Temperature }],
            Warn = 120, WarnSeconds = 60, Alarm = 140, AlarmSeconds = 60, Hysteresis = 3, OffSeconds = 60, Kinds = Transformers, YieldsToLimit = true,
        },
        new("transformer-rise", new("Transformer hotter than its load explains", "rise above what load and surroundings explain", "%", "fan or pump off, low oil, blocked radiator, fault inside", "Check cooling and oil level; take a sample for gas in oil"))
        {
            Inputs =
            [
                new("oil", "transformer.temperature.oil") { Dimension = Dimension.Temperature },
                new("ambient", "environment.temperature") { Dimension = Dimension.Temperature },
                new("load", "electricity.power.apparent") { Dimension = Dimension.ApparentPower, IsSquared = true },
            ],
            Measure = OilRise, Rating = RuleRating.Stated, RatedInput = 2, Warn = 25, WarnSeconds = 3_600, Alarm = 60, AlarmSeconds = 3_600, Hysteresis = 5, OffSeconds = 600, SlowSeconds = 10_800, LearnSeconds = 10_800, Kinds = Transformers,
        },
    ];

    private static bool IsConsumer(DeviceModel device) => device.Metering is { Role: MeterRole.Submeter, Reversed: false };

    private static double PhaseLoss(in RuleView x)
    {
        var least = Least(x);
        var next = Math.Min(x[(least + 1) % 3], x[(least + 2) % 3]);
        var rated = x.RatedOrLargest();

        // A phase that never carried anything is no phase that was lost.
        return next > Loaded * rated && x.Peak(least) > 0.2 * rated ? 100 * (1 - (x[least] / next)) : double.NaN;
    }

    private static double CurrentUnbalance(in RuleView x)
    {
        var rated = x.RatedOrLargest();
        var mean = (x.Quick(0) + x.Quick(1) + x.Quick(2)) / 3;
        var least = Least(x);

        // What is lost altogether is told as that.
        return mean > 0.2 * rated && (x[least] > 0.05 * mean || x.Peak(least) <= 0.2 * rated) ? 100 * Spread(x, mean) / mean : double.NaN;
    }

    private static double VoltageUnbalance(in RuleView x)
    {
        var mean = (x.Quick(0) + x.Quick(1) + x.Quick(2)) / 3;
        return mean > 0.5 * x.RatedOrLargest() && x[Least(x)] > 0.7 * mean ? 100 * Spread(x, mean) / mean : double.NaN;
    }

    /// <summary>On one busbar both meters see the same three voltages but for a drop that load makes alike in all: what one phase lacks beyond the others is its measurement.</summary>
    private static double VoltageTwin(in RuleView x)
    {
        var (least, most, sum) = (double.PositiveInfinity, 0.0, 0.0);
        for (var i = 0; i < 3; i++)
        {
            var above = x.Quick(i + 3);
            if (!(above > 0.5 * x.Peak(i + 3)))
            {
                return double.NaN;
            }

            var ratio = x.Quick(i) / above;
            least = ratio < least ? ratio : least;
            most = ratio > most ? ratio : most;
            sum += ratio;
        }

        // Farther apart than that a transformer stands between them, or a phase is lost.
        return least > 0.8 && most < 1.2 ? 300 * (most - least) / sum : double.NaN;
    }

    private static double Sag(in RuleView x)
    {
        var worst = double.NaN;
        for (var i = 0; i < x.Count; i++)
        {
            var usual = Usual(x, i);
            var missing = usual > 0 ? 100 * (1 - (x[i] / usual)) : double.NaN;
            worst = double.IsNaN(worst) || missing > worst ? missing : worst;
        }

        return worst;
    }

    private static double Swell(in RuleView x)
    {
        var worst = double.NaN;
        for (var i = 0; i < x.Count; i++)
        {
            var usual = Usual(x, i);
            var excess = usual > 0 ? 100 * ((x[i] / usual) - 1) : double.NaN;
            worst = double.IsNaN(worst) || excess > worst ? excess : worst;
        }

        return worst;
    }

    /// <summary>The declared voltage, or the mean of late (IEC 61000-4-30 calls it a sliding reference) while the line is alive.</summary>
    private static double Usual(in RuleView x, int phase) =>
        !double.IsNaN(x.Nominal) ? x.Nominal : x.Slow(phase) > 0.5 * x.Peak(phase) ? x.Slow(phase) : double.NaN;

    private static double LineVoltage(in RuleView x)
    {
        var highest = double.NaN;
        for (var i = 0; i < x.Count; i++)
        {
            var usual = double.IsNaN(x.Nominal) ? x.Peak(i) : x.Nominal;
            var share = usual > 0 ? 100 * x[i] / usual : double.NaN;
            highest = double.IsNaN(highest) || share > highest ? share : highest;
        }

        return highest;
    }

    private static double Frequency(in RuleView x)
    {
        var measured = x.Quick(0);
        var nominal = !double.IsNaN(x.Nominal) ? x.Nominal : Math.Abs(measured - 50) < Math.Abs(measured - 60) ? 50 : 60;
        return measured > 0.5 * nominal ? 100 * Math.Abs(measured - nominal) / nominal : double.NaN;
    }

    private static double PhaseReversed(in RuleView x)
    {
        var largest = Math.Max(x.Quick(0), Math.Max(x.Quick(1), x.Quick(2)));
        var least = Math.Min(x.Quick(0), Math.Min(x.Quick(1), x.Quick(2)));
        return largest > 0.05 * x.RatedOrLargest() ? -100 * least / largest : double.NaN;
    }

    private static double Distortion(in RuleView x)
    {
        var worst = double.NaN;
        for (var i = 0; i < x.Count; i++)
        {
            worst = double.IsNaN(worst) || x.Quick(i) > worst ? x.Quick(i) : worst;
        }

        return 100 * worst;
    }

    /// <summary>Share of the incomer's power that no feeder sees, percent; negative when they see more.</summary>
    private static double Unseen(in RuleView x)
    {
        var feeders = 0.0;
        for (var i = 1; i < x.Count; i++)
        {
            feeders += x.Quick(i);
        }

        return x.Quick(0) > 0.1 * x.Peak(0) && x.Count > 1 ? 100 * (1 - (feeders / x.Quick(0))) : double.NaN;
    }

    /// <summary>IEC 60076-7, steady state: rise = 60 K (or the one of the test report, <c>nominal</c>) x ((1 + R K2) / (1 + R)) ^ 0.8 with R = 6, K2 the square of the load, smoothed with the oil's time constant.</summary>
    private static double OilRise(in RuleView x)
    {
        var ratedRise = double.IsNaN(x.Nominal) ? 60 : x.Nominal;
        const double lossRatio = 6;
        const double leastBeyond = 5;
        var square = x.Slow(2) / x.Rated / x.Rated;
        var losses = (1 + (lossRatio * square)) / (1 + lossRatio);
        var rise = x.Quick(0) - x.Slow(1);

        // The power 0.8 lies above this line, its chord from no load to the rated one, and above 1 beyond: a rise that is fine by these is fine, and needs no root.
        var least = Math.Min(1, 0.2108 + (0.9207 * (losses - (1 / (1 + lossRatio)))));
        if (ratedRise > 0 && losses <= MostLosses && rise - (ratedRise * least) <= leastBeyond)
        {
            return 0;
        }

        var root = FifthRoot(losses);
        var explained = ratedRise * root * root * root * root;
        var beyond = rise - explained;

        // Cooling that fails makes a share of the rise, not so many kelvins; below some kelvins it may be the thermometers.
        return beyond > leastBeyond ? 100 * beyond / explained : double.IsNaN(beyond) ? double.NaN : 0;
    }

    /// <summary>Newton's method: the same bits on every machine, which a library's power does not promise.</summary>
    private static double FifthRoot(double number)
    {
        if (!(number > 0) || number > MostLosses)
        {
            return double.NaN;
        }

        // From above, so each step is down until the digits are used up.
        var root = 1 + (number / 5);
        while (true)
        {
            var fourth = root * root * root * root;
            var next = root - (((root * fourth) - number) / (5 * fourth));
            if (!(next < root))
            {
                return root;
            }

            root = next;
        }
    }

    private static double Spread(in RuleView x, double mean) =>
        Math.Max(Math.Abs(x.Quick(0) - mean), Math.Max(Math.Abs(x.Quick(1) - mean), Math.Abs(x.Quick(2) - mean)));

    private static int Least(in RuleView x) => x[0] <= x[1] && x[0] <= x[2] ? 0 : x[1] <= x[2] ? 1 : 2;
}
