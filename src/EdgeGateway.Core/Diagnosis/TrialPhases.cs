using static EdgeGateway.Core.Diagnosis.TrialValues;

namespace EdgeGateway.Core.Diagnosis;

/// <summary>
/// Phases that are taken for each other: V x I x power factor fits the power of another phase clearly better. Loads of the phases are often within some percent, so that no tolerance shows
/// it, but an exchange does.
/// </summary>
/// <remarks>
/// By logarithms, so that an exchange is a difference of what the rounds show, and without what all phases have in common, because a load on three phases moves them together. The gaps of all
/// rounds are fitted by the share of the exchange in them: 0 when the phases are right, 1 when they are exchanged, and a half at most when it is the noise of a moving load that is
/// shared out. The exchange is held against the profile only when the share is beyond a half by more than the steps of the registers can do, and than the scatter around the fit can do by
/// Student's distribution. That takes two rounds at least, and more the more the loads move.
/// </remarks>
internal static class TrialPhases
{
    private const string Power = "electricity.power.active";

    private static readonly string[] Phases = ["l1", "l2", "l3"];

    /// <summary>The ways in which three phases can be taken for each other.</summary>
    public static IReadOnlyList<int[]> Orders { get; } = [[1, 0, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0], [2, 0, 1]];

    /// <summary>Objects to phases of voltage, current or power that are proved to be exchanged, and doubts those that seem to be.</summary>
    public static void Judge(TrialValues values, ProfileTrial.State state)
    {
        var volts = Places("electricity.voltage", "_n");
        var amperes = Places("electricity.current", "");
        var factors = Places("electricity.power.factor", "");
        foreach (var role in (ReadOnlySpan<string>)["electricity.power.apparent", Power])
        {
            var power = Places(role, "");
            if (volts.Contains(-1) || amperes.Contains(-1) || power.Contains(-1))
            {
                continue;
            }

            // Without power factors the phases are compared by their shares of the whole: a weaker sign, which needs a clearer difference.
            var isShare = role == Power && factors.Contains(-1);
            int[][] shown = role == Power && !isShare ? [volts, amperes, power, factors] : [volts, amperes, power];
            var rounds = Enumerable.Range(0, values.Rounds.Count).Select(r => PhaseLogs.Of(values, shown, r)).OfType<PhaseLogs>().ToArray();
            if (rounds.Length == 0)
            {
                continue;
            }

            var best = Orders.SelectMany(order => Enumerable.Range(0, 3).Select(which => PhaseFit.Of(rounds, order, which))).MinBy(fit => fit.Crossed)!;
            if (best.Same <= Math.Max(3 * best.Crossed, isShare ? 0.006 : 0.003))
            {
                continue;
            }

            var fits = $"V x I fits the {(role == Power ? "active" : "apparent")} power of other phases better ({Percent(best.Crossed)} off instead of {Percent(best.Same)})";
            int[] points = [.. power, .. amperes, .. volts];
            if (best.IsProved)
            {
                state.Object(2.5, points, fits);
            }
            else
            {
                state.Doubt(2.5, $"{fits}, which a load that moves and the steps of the registers can do too: not judged, {TooFew(rounds.Length)}");
            }
        }

        int[] Places(string role, string suffix) => [.. Phases.Select(phase => values.Find($"{role}.{phase}{suffix}"))];
    }

    /// <summary>Logarithms of what one round shows of the three phases, without what they have in common.</summary>
    /// <param name="Shown">Voltage, current, power and, where it is shown, power factor; by phase.</param>
    /// <param name="Gaps">How far V x I x power factor is above the power, by phase, without the mean of the phases.</param>
    /// <param name="Resolution">By how much the steps of the registers can move each gap.</param>
    private sealed record PhaseLogs(double[][] Shown, double[] Gaps, double[] Resolution)
    {
        // A power of fewer steps tells too little.
        private const int FewSteps = 20;

        public static PhaseLogs? Of(TrialValues values, int[][] places, int round)
        {
            var shown = places.Select(place => place.Select(p => Math.Log(Math.Abs(values.At(p, round)))).ToArray()).ToArray();
            if (shown.Any(logs => logs.Any(log => !double.IsFinite(log))) || places[2].Any(p => Math.Abs(values.At(p, round)) < FewSteps * values.Step(p)))
            {
                return null;
            }

            var gaps = Phases.Select((_, k) => shown[0][k] + shown[1][k] + (places.Length > 3 ? shown[3][k] : 0) - shown[2][k]).ToArray();
            var mean = gaps.Average();
            return new(
                shown,
                [.. gaps.Select(g => g - mean)],
                [.. Phases.Select((_, k) => places.Sum(place => values.Step(place[k]) / Math.Abs(values.At(place[k], round)) / 2))]);
        }

        public bool IsLike(PhaseLogs other) => Shown.Zip(other.Shown).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
    }

    /// <summary>How well one exchange of phases explains the gaps of all rounds.</summary>
    /// <param name="Same">Root mean square of the gaps as they are, as a share.</param>
    /// <param name="Crossed">The same with the phases exchanged.</param>
    /// <param name="IsProved">Whether neither steps nor scatter explain it.</param>
    private sealed record PhaseFit(double Same, double Crossed, bool IsProved)
    {
        public static PhaseFit Of(PhaseLogs[] rounds, int[] order, int which)
        {
            double square = 0, product = 0, exchange = 0, steps = 0;
            foreach (var round in rounds)
            {
                for (var k = 0; k < 3; k++)
                {
                    var difference = (round.Shown[which][k] - round.Shown[which][order[k]]) * (which == 2 ? -1 : 1);
                    square += round.Gaps[k] * round.Gaps[k];
                    product += round.Gaps[k] * difference;
                    exchange += difference * difference;
                    steps += round.Resolution[k] * Math.Abs(difference);
                }
            }

            if (exchange == 0)
            {
                return new(Mean(square), double.PositiveInfinity, false);
            }

            // Three gaps a round with the sum 0 are two numbers each; the fit takes one of all.
            var freedom = (2 * rounds.Length) - 1;
            var share = product / exchange;
            var error = Math.Sqrt(Math.Max(0, square - (share * product)) / freedom / exchange);

            // A round that repeats another says nothing new about what the steps hide.
            var told = rounds.Where((round, i) => !Array.Exists(rounds[..i], round.IsLike)).Count();
            var isProved = rounds.Length > 1 && share - 0.5 > (Student.Reach(freedom) * error) + (steps / exchange / Math.Sqrt(told));
            return new(Mean(square), Mean(square - (2 * product) + exchange), isProved);

            double Mean(double sum) => Math.Sqrt(Math.Max(0, sum) / (3 * rounds.Length));
        }
    }
}
