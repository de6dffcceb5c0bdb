using static EdgeGateway.Core.Diagnosis.TrialValues;

namespace EdgeGateway.Core.Diagnosis;

/// <summary>The relations that hold between the quantities of an alternating-current supply, and between power and energy.</summary>
internal static class TrialRelations
{
    private const string Power = "electricity.power.active";
    private const string Reactive = "electricity.power.reactive";
    private const string Apparent = "electricity.power.apparent";
    private const string Factor = "electricity.power.factor";
    private const string Import = "electricity.energy.active.import";
    private const string Export = "electricity.energy.active.export";
    private const string Total = "electricity.energy.active.total";

    // Requests of one round are some hundred milliseconds apart; loads move meanwhile.
    private const double Loose = 0.03;

    private static readonly string[] Phases = ["l1", "l2", "l3"];
    private static readonly (string, string, string)[] Lines = [("l1_l2", "l1_n", "l2_n"), ("l2_l3", "l2_n", "l3_n"), ("l3_l1", "l3_n", "l1_n")];

    public static void Judge(TrialValues values, ProfileTrial.State state)
    {
        var isSingle = values.Find("electricity.voltage.l2_n") < 0 && values.Find("electricity.power.active.l2") < 0;
        foreach (var phase in isSingle ? (ReadOnlySpan<string>)["l1"] : Phases)
        {
            Product(values, state, phase, isSingle);
        }

        foreach (var part in (ReadOnlySpan<string>)["", ".l1", ".l2", ".l3"])
        {
            Triangle(values, state, part);
        }

        foreach (var (role, tolerance) in (ReadOnlySpan<(string, double)>)[(Power, Loose), (Reactive, Loose), (Apparent, 0.1), (Import, 0.005), (Export, 0.005), (Total, 0.005)])
        {
            Sum(values, state, role, tolerance);
        }

        Voltages(values, state);
        foreach (var part in (ReadOnlySpan<string>)["", ".l1", ".l2", ".l3"])
        {
            Growth(values, state, Import + part, Power + part, static p => Math.Max(p, 0));
            Growth(values, state, Export + part, Power + part, static p => Math.Max(-p, 0));
            Growth(values, state, Total + part, Power + part, Math.Abs);
            Growth(values, state, "electricity.energy.apparent.total" + part, Apparent + part, Math.Abs);
        }

        if (!isSingle)
        {
            Crossed(values, state);
        }
    }

    /// <summary>V x I x power factor = P of one phase; V x I = S.</summary>
    private static void Product(TrialValues values, ProfileTrial.State state, string phase, bool isSingle)
    {
        var (v, i) = (values.Find($"electricity.voltage.{phase}_n"), values.Find($"electricity.current.{phase}"));
        if (v < 0)
        {
            v = isSingle ? values.Find("electricity.voltage") : -1;
        }

        if (i < 0)
        {
            i = isSingle ? values.Find("electricity.current") : -1;
        }

        if (v < 0 || i < 0)
        {
            return;
        }

        var (p, s, f) = (Part(Power), Part(Apparent), Part(Factor));
        Compare(values, state, 5, [s, v, i], r => Math.Abs(values.At(s, r)), r => Math.Abs(values.At(v, r) * values.At(i, r)), Loose, $"apparent power is V x I on {phase}", "V.A", r => Errors(r, v, i) + values.Step(s));
        Compare(
            values, state, 5, [p, v, i, f], r => Math.Abs(values.At(p, r)), r => Math.Abs(values.At(v, r) * values.At(i, r) * values.At(f, r)), Loose, $"active power is V x I x power factor on {phase}", "W",
            r => Errors(r, v, i) + (Math.Abs(values.At(v, r) * values.At(i, r)) * values.Step(f)) + values.Step(p));
        if (p >= 0 && f < 0 && s < 0)
        {
            Compare(values, state, 4, [p, v, i], r => Math.Max(0, Math.Abs(values.At(p, r)) - Math.Abs(values.At(v, r) * values.At(i, r))), _ => 0, 0, $"active power is not beyond V x I on {phase}", "W", r => Errors(r, v, i) + (Loose * Math.Abs(values.At(v, r) * values.At(i, r))) + values.Step(p));
        }

        int Part(string role) => values.Find($"{role}.{phase}") is >= 0 and var own ? own : isSingle ? values.Find(role) : -1;

        double Errors(int round, int volts, int amperes) =>
            (Math.Abs(values.At(volts, round)) * values.Step(amperes)) + (Math.Abs(values.At(amperes, round)) * values.Step(volts));
    }

    /// <summary>S² = P² + Q² as far as harmonics allow, power factor = P / S, and the signs of P and of the power factor.</summary>
    private static void Triangle(TrialValues values, ProfileTrial.State state, string part)
    {
        var (p, q, s, f) = (values.Find(Power + part), values.Find(Reactive + part), values.Find(Apparent + part), values.Find(Factor + part));
        var where = part.Length == 0 ? "the whole" : part[1..];
        Compare(
            values, state, 3, [s, p, q], r => Math.Abs(values.At(s, r)), r => Math.Sqrt((values.At(p, r) * values.At(p, r)) + (values.At(q, r) * values.At(q, r))), 0.15, $"apparent power follows from active and reactive power of {where}", "V.A",
            _ => values.Step(s) + values.Step(p) + values.Step(q));
        Compare(
            values, state, 3, [p, s, f], r => Math.Abs(values.At(p, r)), r => Math.Abs(values.At(s, r) * values.At(f, r)), Loose, $"active power is apparent power x power factor of {where}", "W",
            r => values.Step(p) + values.Step(s) + (Math.Abs(values.At(s, r)) * values.Step(f)));
        Compare(
            values, state, 4, [p, s], r => Math.Max(0, Math.Abs(values.At(p, r)) - Math.Abs(values.At(s, r))), _ => 0, 0, $"active power is not beyond apparent power of {where}", "W",
            r => (Loose * Math.Abs(values.At(s, r))) + values.Step(p) + values.Step(s));
    }

    private static void Sum(TrialValues values, ProfileTrial.State state, string role, double tolerance)
    {
        var parts = Phases.Select(phase => values.Find($"{role}.{phase}")).ToArray();
        var total = values.Find(role);
        Compare(
            values, state, 5, [total, .. parts], r => values.At(total, r), r => parts.Sum(p => values.At(p, r)), tolerance, $"{(total < 0 ? role : values.Name(total))} is the sum of its phases", "",
            _ => values.Step(total) + parts.Sum(values.Step));
    }

    /// <summary>Phases of one supply are alike; those between phases follow from those to neutral (law of cosines); averages are averages.</summary>
    private static void Voltages(TrialValues values, ProfileTrial.State state)
    {
        foreach (var (line, a, b) in Lines)
        {
            var (l, x, y) = (values.Find($"electricity.voltage.{line}"), values.Find($"electricity.voltage.{a}"), values.Find($"electricity.voltage.{b}"));
            Compare(
                values, state, 4, [l, x, y], r => values.At(l, r), r => Math.Sqrt((values.At(x, r) * values.At(x, r)) + (values.At(y, r) * values.At(y, r)) + (values.At(x, r) * values.At(y, r))), 0.05,
                $"the voltage {line.Replace('_', '-').ToUpperInvariant()} is 1.73 times those to neutral", "V", _ => values.Step(l) + (2 * values.Step(x)));
        }

        foreach (var (average, parts) in (ReadOnlySpan<(string, string[])>)[("ln_avg", ["l1_n", "l2_n", "l3_n"]), ("ll_avg", ["l1_l2", "l2_l3", "l3_l1"])])
        {
            var each = parts.Select(p => values.Find($"electricity.voltage.{p}")).ToArray();
            var mean = values.Find($"electricity.voltage.{average}");
            Compare(values, state, 4, [mean, .. each], r => values.At(mean, r), r => each.Sum(p => values.At(p, r)) / 3, 0.02, $"{(mean < 0 ? average : values.Name(mean))} is the average of its phases", "V", _ => 2 * values.Step(mean));
            for (var i = 0; i < 3; i++)
            {
                var (one, next) = (each[i], each[(i + 1) % 3]);
                Compare(values, state, 3, [one, next], r => values.At(one, r), r => values.At(next, r), 0.3, "the voltages of one supply are alike", "V", _ => values.Step(one));
            }
        }
    }

    /// <summary>Energy grows as the power says, and never falls.</summary>
    private static void Growth(TrialValues values, ProfileTrial.State state, string energyRole, string powerRole, Func<double, double> counted)
    {
        var (energy, power) = (values.Find(energyRole), values.Find(powerRole));
        if (energy < 0 || values.Rounds.Count < 2)
        {
            return;
        }

        for (var r = 1; r < values.Rounds.Count; r++)
        {
            if (values.At(energy, r) < values.At(energy, r - 1) - values.Step(energy))
            {
                state.Object(5, [energy], $"{values.Name(energy)} fell from {Number(values.At(energy, r - 1))} to {Number(values.At(energy, r))} W.h within the trial, and a counter never falls");
                return;
            }
        }

        if (power < 0)
        {
            return;
        }

        double expected = 0, most = 0, seconds = 0;
        for (var r = 1; r < values.Rounds.Count; r++)
        {
            var (a, b) = (counted(values.At(power, r - 1)), counted(values.At(power, r)));
            var span = (values.Rounds[r].At - values.Rounds[r - 1].At).TotalSeconds;
            expected += (a + b) / 2 * span / 3600;
            most = Math.Max(most, Math.Max(a, b));
            seconds += span;
        }

        var grown = values.At(energy, values.Rounds.Count - 1) - values.At(energy, 0);
        if (double.IsNaN(expected) || double.IsNaN(grown))
        {
            return;
        }

        // Registers are refreshed in steps and some seconds late.
        var late = (3 * values.Step(energy)) + (most * 5 / 3600);
        if (Math.Abs(grown - expected) > late + (0.25 * Math.Max(grown, expected)))
        {
            state.Object(
                6,
                [energy, power],
                $"{values.Name(energy)} grew by {Number(grown)} W.h in {Number(seconds)} s, and {values.Name(power)} says {Number(expected)} W.h");
        }
        else if (expected > 2 * late)
        {
            state.Agreed++;
        }
        else if (expected > 0)
        {
            state.NotJudged.Add($"{values.Name(energy)} should have grown by {Number(expected)} W.h in {Number(seconds)} s, which its register does not show yet: test for longer");
        }
    }

    /// <summary>
    /// Phases that are taken for each other: V x I x power factor fits the power of another phase clearly better, in all rounds together. Loads of the phases are often within some percent, so
    /// that no tolerance shows it, but an exchange does.
    /// </summary>
    private static void Crossed(TrialValues values, ProfileTrial.State state)
    {
        var volts = Places("electricity.voltage", "_n");
        var amperes = Places("electricity.current", "");
        var factors = Places(Factor, "");
        foreach (var role in (ReadOnlySpan<string>)[Apparent, Power])
        {
            var power = Places(role, "");
            if (volts.Contains(-1) || amperes.Contains(-1) || power.Contains(-1))
            {
                continue;
            }

            // Without power factors the phases are compared by their shares of the whole: a weaker sign, which needs a clearer difference.
            var isShare = role == Power && factors.Contains(-1);
            var same = Residual([0, 1, 2], 0);
            var crossed = double.PositiveInfinity;
            foreach (var order in (ReadOnlySpan<int[]>)[[1, 0, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0], [2, 0, 1]])
            {
                for (var which = 0; which < 3; which++)
                {
                    crossed = Math.Min(crossed, Residual(order, which));
                }
            }

            if (same > Math.Max(3 * crossed, isShare ? 0.006 : 0.003))
            {
                state.Object(2.5, [.. power, .. amperes, .. volts], $"V x I fits the {(role == Power ? "active" : "apparent")} power of other phases better ({Percent(crossed)} off instead of {Percent(same)})");
            }

            // How far the power is from V x I on the mean, with the phases of voltage, current or power taken in another order; 0 when nothing can be compared.
            double Residual(int[] order, int which)
            {
                var (sum, count) = (0.0, 0);
                Span<double> product = stackalloc double[3];
                Span<double> shown = stackalloc double[3];
                for (var r = 0; r < values.Rounds.Count; r++)
                {
                    for (var k = 0; k < 3; k++)
                    {
                        var v = values.At(volts[which == 0 ? order[k] : k], r);
                        var i = values.At(amperes[which == 1 ? order[k] : k], r);
                        shown[k] = Math.Abs(values.At(power[which == 2 ? order[k] : k], r));
                        product[k] = Math.Abs(v * i) * (role == Power && !isShare ? Math.Abs(values.At(factors[k], r)) : 1);
                    }

                    var scale = isShare ? (shown[0] + shown[1] + shown[2]) / (product[0] + product[1] + product[2]) : 1;
                    for (var k = 0; k < 3; k++)
                    {
                        if (double.IsFinite(product[k] * scale) && double.IsFinite(shown[k]) && shown[k] >= 20 * values.Step(power[k]))
                        {
                            sum += Math.Abs((product[k] * scale) - shown[k]) / shown[k];
                            count++;
                        }
                    }
                }

                return count == 0 ? 0 : sum / count;
            }
        }

        int[] Places(string role, string suffix) => [.. Phases.Select(phase => values.Find($"{role}.{phase}{suffix}"))];
    }

    private static string Percent(double share) => $"{Number(100 * share)} %";

    /// <summary>Objects when two numbers differ in most rounds by more than the tolerance and what the registers can resolve.</summary>
    private static void Compare(
        TrialValues values, ProfileTrial.State state, double weight, int[] points, Func<int, double> shown, Func<int, double> expected, double tolerance, string relation, string unit, Func<int, double> resolution)
    {
        if (points.Contains(-1))
        {
            return;
        }

        var (judged, wrong, example) = (0, 0, -1);
        for (var r = 0; r < values.Rounds.Count; r++)
        {
            var (a, b) = (shown(r), expected(r));
            if (double.IsNaN(a) || double.IsNaN(b))
            {
                continue;
            }

            judged++;
            if (Math.Abs(a - b) > (tolerance * Math.Max(Math.Abs(a), Math.Abs(b))) + (2 * resolution(r)))
            {
                wrong++;
                example = r;
            }
        }

        if (judged == 0)
        {
            return;
        }

        if (2 * wrong > judged)
        {
            state.Object(weight, points, $"it does not hold that {relation}: {values.Name(points[0])} shows {Number(shown(example))}{(unit.Length > 0 ? " " + unit : "")}, the others say {Number(expected(example))}");
        }
        else
        {
            state.Agreed++;
        }
    }
}
