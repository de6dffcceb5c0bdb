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

    // What meters round and average differently. What loads move between the requests of one round comes on top of it, by what the rounds themselves show.
    private const double Loose = 0.03;

    // A gap this wide is a wrong register and no load that moved, when most rounds show it; of one or two rounds more is asked.
    private const double Wide = 0.5;
    private const double WideInFewRounds = 0.8;
    private const int FewRounds = 2;

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
            TrialPhases.Judge(values, state);
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
            Compare(
                values, state, 4, [p, v, i], r => Math.Abs(values.At(p, r)), r => Math.Abs(values.At(v, r) * values.At(i, r)), Loose, $"active power is not beyond V x I on {phase}", "W",
                r => Errors(r, v, i) + values.Step(p), isLimit: true);
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
            values, state, 4, [p, s], r => Math.Abs(values.At(p, r)), r => Math.Abs(values.At(s, r)), Loose, $"active power is not beyond apparent power of {where}", "W",
            _ => values.Step(p) + values.Step(s), isLimit: true);
    }

    private static void Sum(TrialValues values, ProfileTrial.State state, string role, double tolerance)
    {
        var parts = Phases.Select(phase => values.Find($"{role}.{phase}")).ToArray();
        var total = values.Find(role);
        Compare(
            values, state, 5, [total, .. parts], r => values.At(total, r), r => parts.Sum(p => values.At(p, r)), tolerance, $"{(total < 0 ? role : values.Name(total))} is the sum of its phases", "",
            _ => values.Step(total) + parts.Sum(values.Step),
            // What one phase draws and another gives cancels in the total, but not in what they move by.
            r => parts.Sum(p => Math.Abs(values.At(p, r))));
    }

    /// <summary>Phases of one supply are alike; those between phases follow from those to neutral (law of cosines); averages are averages.</summary>
    /// <remarks>A phase that nothing is wired to shows neither voltage nor current and stands in no relation; the two phases of a split-phase supply are half a turn apart instead of a third.</remarks>
    private static void Voltages(TrialValues values, ProfileTrial.State state)
    {
        var used = Phases.Where(phase => !IsUnused(values, phase)).ToArray();
        foreach (var (line, a, b) in Lines)
        {
            var (l, x, y) = (values.Find($"electricity.voltage.{line}"), values.Find($"electricity.voltage.{a}"), values.Find($"electricity.voltage.{b}"));
            if (!used.Contains(a[..2]) || !used.Contains(b[..2]))
            {
                continue;
            }

            var isSplit = !Array.Exists(used, phase => phase != a[..2] && phase != b[..2] && HasVoltage(values, phase));
            Compare(
                values, state, 4, [l, x, y], r => values.At(l, r), r => Between(values.At(x, r), values.At(y, r), isSplit ? values.At(l, r) : double.NaN), 0.05,
                $"the voltage {line.Replace('_', '-').ToUpperInvariant()} is 1.73 times those to neutral", "V", _ => values.Step(l) + (2 * values.Step(x)));
        }

        foreach (var (average, suffix, parts) in (ReadOnlySpan<(string, string, string[])>)[("ln_avg", "_n", ["l1_n", "l2_n", "l3_n"]), ("ll_avg", "", ["l1_l2", "l2_l3", "l3_l1"])])
        {
            var each = parts.Select(p => values.Find($"electricity.voltage.{p}")).ToArray();
            var mean = values.Find($"electricity.voltage.{average}");
            if (used.Length == Phases.Length)
            {
                Compare(values, state, 4, [mean, .. each], r => values.At(mean, r), r => each.Sum(p => values.At(p, r)) / 3, 0.02, $"{(mean < 0 ? average : values.Name(mean))} is the average of its phases", "V", _ => 2 * values.Step(mean));
            }

            for (var i = 0; i < 3; i++)
            {
                var (one, next) = (each[i], each[(i + 1) % 3]);
                var isWired = suffix.Length == 0 ? used.Length == Phases.Length : used.Contains(Phases[i]) && used.Contains(Phases[(i + 1) % 3]);
                if (isWired)
                {
                    Compare(values, state, 3, [one, next], r => values.At(one, r), r => values.At(next, r), 0.3, "the voltages of one supply are alike", "V", _ => values.Step(one));
                }
            }
        }

        foreach (var phase in Phases.Except(used))
        {
            state.NotJudged.Add($"{values.Name(values.Find($"electricity.voltage.{phase}_n"))} shows 0, and {phase.ToUpperInvariant()} carries nothing: either nothing is wired to it, or these are not its registers");
        }
    }

    /// <summary>Volts between two phases that are a third of a turn apart, or half a turn, whichever is nearer to what is shown; NaN stands for a third.</summary>
    private static double Between(double x, double y, double shown)
    {
        var third = Math.Sqrt((x * x) + (y * y) + (x * y));
        return Math.Abs(shown - (x + y)) < Math.Abs(shown - third) ? x + y : third;
    }

    private static bool HasVoltage(TrialValues values, string phase) => Enumerable.Range(0, values.Rounds.Count).Any(r => values.At(values.Find($"electricity.voltage.{phase}_n"), r) > 0);

    // Shown as 0 and not as missing, in all that the device tells of the phase.
    private static bool IsUnused(TrialValues values, string phase)
    {
        var rounds = Enumerable.Range(0, values.Rounds.Count);
        return rounds.Any(r => values.At(values.Find($"electricity.voltage.{phase}_n"), r) == 0)
            && ((string[])[$"electricity.voltage.{phase}_n", $"electricity.current.{phase}", $"{Power}.{phase}", $"{Apparent}.{phase}"])
                .All(role => rounds.All(r => values.At(values.Find(role), r) is 0 or double.NaN));
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

        double expected = 0, least = 0, greatest = 0, most = 0, seconds = 0;
        for (var r = 1; r < values.Rounds.Count; r++)
        {
            var (a, b) = (counted(values.At(power, r - 1)), counted(values.At(power, r)));
            var span = (values.Rounds[r].At - values.Rounds[r - 1].At).TotalSeconds;
            expected += (a + b) / 2 * span / 3600;
            least += Math.Min(a, b) * span / 3600;
            greatest += Math.Max(a, b) * span / 3600;
            most = Math.Max(most, Math.Max(a, b));
            seconds += span;
        }

        var grown = values.At(energy, values.Rounds.Count - 1) - values.At(energy, 0);
        if (double.IsNaN(expected) || double.IsNaN(grown))
        {
            return;
        }

        // Registers are refreshed in steps and some seconds late; what the power was between two rounds is not known better than by both.
        var late = (3 * values.Step(energy)) + (most * 5 / 3600);
        if (Math.Max(least - grown, grown - greatest) > late + (0.25 * Math.Max(grown, expected)))
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
    /// Objects when two numbers differ by more than the tolerance, than the registers can resolve, and than loads that move between two requests explain. How much these do is told by
    /// the scatter of the difference over the rounds, by Student's distribution; a gap that is wide in nearly all rounds needs no such proof. What differs in most rounds without that proof is not judged.
    /// </summary>
    /// <param name="values">What the rounds show.</param>
    /// <param name="state">Takes the objection.</param>
    /// <param name="weight">How much it counts.</param>
    /// <param name="points">The points that the relation is about; one that is missing (-1) leaves it out.</param>
    /// <param name="shown">One number by the round, which the first point shows.</param>
    /// <param name="expected">The other number.</param>
    /// <param name="tolerance">Greatest difference of a right profile at rest, as a share.</param>
    /// <param name="relation">What should hold, in words.</param>
    /// <param name="unit">Unit of both numbers.</param>
    /// <param name="resolution">What the registers can resolve, in the unit.</param>
    /// <param name="size">What the difference is a share of, where that is more than the greater of both numbers.</param>
    /// <param name="isLimit">Whether the number shown may well be smaller.</param>
    private static void Compare(
        TrialValues values,
        ProfileTrial.State state,
        double weight,
        int[] points,
        Func<int, double> shown,
        Func<int, double> expected,
        double tolerance,
        string relation,
        string unit,
        Func<int, double> resolution,
        Func<int, double>? size = null,
        bool isLimit = false)
    {
        if (points.Contains(-1))
        {
            return;
        }

        var (gaps, rooms) = (new List<double>(values.Rounds.Count), new List<double>(values.Rounds.Count));
        var (beyond, example) = (0, -1);
        for (var r = 0; r < values.Rounds.Count; r++)
        {
            var (a, b) = (shown(r), expected(r));
            if (double.IsNaN(a) || double.IsNaN(b))
            {
                continue;
            }

            var whole = Math.Max(Math.Max(Math.Abs(a), Math.Abs(b)), size?.Invoke(r) ?? 0);
            var gap = whole == 0 ? 0 : (a - b) / whole;
            gap = isLimit ? Math.Max(0, gap) : gap;
            var allowed = tolerance + (whole == 0 ? 0 : 2 * resolution(r) / whole);
            gaps.Add(gap);
            rooms.Add(allowed);
            if (Math.Abs(gap) > allowed)
            {
                beyond++;
                example = r;
            }
        }

        if (gaps.Count == 0)
        {
            return;
        }

        if (2 * beyond <= gaps.Count)
        {
            state.Agreed++;
            return;
        }

        var mean = gaps.Average();
        var scatter = Math.Sqrt(gaps.Sum(g => (g - mean) * (g - mean)) / Math.Max(1, gaps.Count - 1));
        var chance = gaps.Count > 1 ? Student.Reach(gaps.Count - 1) * scatter / Math.Sqrt(gaps.Count) : double.PositiveInfinity;
        var wide = gaps.Count > FewRounds ? Wide : WideInFewRounds;
        if (Math.Abs(mean) > rooms.Average() + chance || 4 * gaps.Where((g, i) => Math.Abs(g) > Math.Max(wide, rooms[i])).Count() >= 3 * gaps.Count)
        {
            state.Object(weight, points, $"it does not hold that {relation}: {values.Name(points[0])} shows {Number(shown(example))}{(unit.Length > 0 ? " " + unit : "")}, the others say {Number(expected(example))}");
        }
        else
        {
            state.Doubt(weight, $"{relation}: {Percent(Math.Abs(mean))} off on the mean, which a load that moves between two requests can do too: not judged, {TooFew(gaps.Count)}");
        }
    }
}
