using System.Globalization;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Diagnosis;

/// <summary>What a device showed in one round of reading.</summary>
/// <param name="At">When, since the first round.</param>
/// <param name="Registers">The registers, with addresses as the profile states them.</param>
public sealed record TrialRound(TimeSpan At, RegisterSnapshot Registers);

/// <summary>Something that cannot be true of the device, and what would make it true.</summary>
/// <param name="Points">The points concerned, the likeliest first.</param>
/// <param name="What">What is wrong, in words.</param>
/// <param name="Cure">The change of the profile that explains what was read best; null when none does.</param>
/// <param name="Others">Other changes that would explain it, the better first.</param>
public sealed record TrialFinding(IReadOnlyList<string> Points, string What, string? Cure, IReadOnlyList<string> Others);

/// <summary>How a profile fares on a device.</summary>
/// <param name="Findings">What is wrong; empty when nothing was found.</param>
/// <param name="Agreed">How many relations between values were judged and held.</param>
/// <param name="NotJudged">What could not be judged, and why, in words.</param>
/// <param name="WantsMoreRounds">Whether something that should hold did not, but in too few rounds to tell it from a load that moved: reading on tells.</param>
public sealed record TrialResult(IReadOnlyList<TrialFinding> Findings, int Agreed, IReadOnlyList<string> NotJudged, bool WantsMoreRounds);

/// <summary>Judges by physics whether a profile reads a device rightly, and finds the change that would make it right. A pure function.</summary>
/// <remarks>
/// <para>
/// V x I x power factor is the active power, apparent power is V x I, phases add up to the total, voltages between phases follow from those to neutral, energy grows as the power says and never falls, and no
/// value is astronomic. What contradicts itself is tried again with one thing changed: the word order, the address by one, the scale by a power of ten, the sign, signed or unsigned, two
/// phases exchanged; for one point or for all. The change after which least is left to object to is proposed, and the search goes on with it.
/// </para>
/// <para>
/// Values of one round are read by several requests, and loads move meanwhile: relations are judged over all rounds, against what these themselves show of that. What the rounds are too few for is
/// not judged, and said. One round finds what is wide of any load; two tell everything about a load at rest.
/// </para>
/// </remarks>
public static class ProfileTrial
{
    private const int MostFindings = 12;
    private const double WorthIt = 0.5;

    private static readonly string[] Phases = ["l1", "l2", "l3"];

    // Families whose phases can be taken for each other.
    private static readonly (string Prefix, string[] Parts)[] Families =
    [
        ("electricity.voltage", ["l1_n", "l2_n", "l3_n"]),
        ("electricity.current", Phases),
        ("electricity.power.active", Phases),
        ("electricity.power.apparent", Phases),
        ("electricity.power.reactive", Phases),
        ("electricity.power.factor", Phases),
        ("electricity.energy.active.import", Phases),
        ("electricity.energy.active.export", Phases),
    ];

    private static readonly int[] Steps = [-1, 1];
    private static readonly decimal[] Factors = [1000, 0.001m, 10, 0.1m, 100, 0.01m];

    /// <summary>The runs of registers that have to be read for a trial.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="withNeighbours">Also the register before and behind each point, which shows addresses that are wrong by one.</param>
    public static IReadOnlyList<ReadRequest> Requests(DeviceProfile profile, bool withNeighbours)
    {
        ArgumentNullException.ThrowIfNull(profile);
        var requests = ReadPlanner
            .Plan(profile.Points.Where(p => !p.WriteOnly).Select((p, i) => (i, p.Encoding)), ReadLimits.Of(profile), ReadCost.Network(ReadCost.AssumedLatency, profile.MinGap))
            .Select(r => r.Request)
            .ToList();
        if (!withNeighbours)
        {
            return requests;
        }

        foreach (var point in profile.Points.Where(p => !p.WriteOnly && p.Encoding.Type != RegisterType.Text))
        {
            var (first, end) = ((int)point.Encoding.Address, point.Encoding.Address + point.Encoding.Length);
            foreach (var address in (ReadOnlySpan<int>)[first - 1, end])
            {
                if (address is >= 0 and <= ushort.MaxValue)
                {
                    requests.Add(new(point.Encoding.Table, (ushort)address, 1));
                }
            }
        }

        return [.. requests.Distinct()];
    }

    /// <summary>Judges a profile by what a device showed.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="rounds">At least one; the growth of energies needs two that are far enough apart.</param>
    public static TrialResult Judge(DeviceProfile profile, IReadOnlyList<TrialRound> rounds)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(rounds);
        var points = profile.Points.Where(p => !p.WriteOnly && p.Encoding.Type is not (RegisterType.Text or RegisterType.DateTime)).ToArray();
        var encodings = points.Select(p => p.Encoding).ToArray();
        var state = Look(points, encodings, rounds);
        var first = state;
        var findings = new List<TrialFinding>();
        while (state.Cost > 0 && findings.Count < MostFindings)
        {
            var tried = Changes(points, encodings, state)
                .Select(change => (Change: change, After: Look(points, change.Apply(encodings), rounds)))
                .Where(t => t.After.Cost < state.Cost && t.After.Strain < state.Strain - WorthIt)
                .OrderBy(t => t.After.Strain + t.Change.Unlikely)
                .ThenBy(t => t.Change.Unlikely)
                .Take(4)
                .ToList();
            if (tried.Count == 0)
            {
                break;
            }

            var (best, after) = tried[0];
            var mended = state.Objections.Where(o => !after.Objections.Any(a => a.Words == o.Words)).OrderByDescending(o => o.Weight).ToList();
            findings.Add(new(
                best.Points,
                string.Join("; ", mended.Take(3).Select(o => o.Words).DefaultIfEmpty(state.Objections[0].Words)),
                best.Words,
                [.. tried.Skip(1).Select(t => t.Change.Words)]));
            encodings = best.Apply(encodings);
            state = after;
        }

        findings.AddRange(state.Objections
            .OrderByDescending(o => o.Weight)
            .Take(MostFindings)
            .Select(o => new TrialFinding([.. o.Points.Select(p => points[p].Id)], o.Words, null, [])));
        return new(findings, first.Agreed, first.NotJudged, first.Strain > first.Cost);
    }

    private static IEnumerable<Change> Changes(ProfilePoint[] points, RegisterEncoding[] encodings, State state)
    {
        var all = Enumerable.Range(0, points.Length).ToArray();
        foreach (var step in Steps)
        {
            if (encodings.All(e => e.CanMoveBy(step)))
            {
                yield return new(all, $"all addresses are {(step > 0 ? "one too small" : "one too large")}: add {step} to every 'at' (printed numbers taken for wire addresses, or the other way round)", 0, (e, _) => e.MovedBy(step)) { Points = ["all points"] };
            }
        }

        var wide = all.Where(i => encodings[i].Length > 1).ToArray();
        if (wide.Length > 1)
        {
            yield return new(wide, $"every word order is the other one: write 'wordOrder: {Other(encodings[wide[0]])}' under 'defaults'", 0, (e, _) => Swapped(e)) { Points = ["all points"] };
        }

        foreach (var (prefix, parts) in Families)
        {
            var family = parts.Select(part => Array.FindIndex(points, p => p.Role == $"{prefix}.{part}")).ToArray();
            if (family.Contains(-1) || !family.Any(state.IsSuspect))
            {
                continue;
            }

            foreach (var order in TrialPhases.Orders)
            {
                var from = order.Select(o => encodings[family[o]]).ToArray();
                var names = family.Where((f, i) => order[i] != i).Select(f => points[f].Id).ToArray();
                yield return new(family, $"the phases of {string.Join(", ", names)} are exchanged: exchange their addresses", 0.4, (_, i) => from[Array.IndexOf(family, i)]) { Points = names };
            }
        }

        for (var i = 0; i < points.Length; i++)
        {
            if (!state.IsSuspect(i))
            {
                continue;
            }

            var (point, encoding, only) = (points[i], encodings[i], new[] { i });
            Change Of(string words, double unlikely, RegisterEncoding changed) => new(only, $"{point.Id}: {words}", unlikely, (_, _) => changed) { Points = [point.Id] };
            if (encoding.Length > 1)
            {
                yield return Of($"the word order is the other one: write 'wordOrder: {Other(encoding)}'", 0.1, Swapped(encoding));
            }

            foreach (var step in Steps)
            {
                var moved = encoding.Address + step;
                if (moved is >= 0 and <= ushort.MaxValue)
                {
                    var at = encoding with { Address = (ushort)moved };
                    yield return Of($"the address is wrong by one: write 'at: {moved}'", 0.2, at);
                    if (encoding.Length > 1)
                    {
                        yield return Of($"the address is wrong by one and the word order is the other one: write 'at: {moved}' and 'wordOrder: {Other(encoding)}'", 0.6, Swapped(at));
                    }
                }
            }

            if (encoding.Type is not RegisterType.Bit && encoding.BitCount == 0)
            {
                foreach (var factor in Factors)
                {
                    yield return Of(
                        $"the value is {(factor > 1 ? $"{factor:0} times too small" : $"{1 / factor:0} times too large")}: write 'scale: {Plain(encoding.Scale * factor)}'{UnitHint(point, factor)}",
                        0.3,
                        encoding with { Scale = encoding.Scale * factor, Offset = encoding.Offset * factor });
                }

                yield return Of("the sign is turned round: write the other 'sign', or a negative 'scale'", 0.3, encoding with { Scale = -encoding.Scale, Offset = -encoding.Offset });
                if (Signed(encoding.Type) is { } type)
                {
                    yield return Of($"the register is {(encoding.Type.ToString()[0] == 'U' ? "signed" : "unsigned")}: write 'type: {type.ToString().ToLowerInvariant()}'", 0.4, encoding with { Type = type });
                }
            }
        }
    }

    private static string UnitHint(ProfilePoint point, decimal factor)
    {
        var unit = Units.Find(point.Unit);
        var other = unit is null ? null : Units.All.FirstOrDefault(u => u.Dimension == unit.Dimension && u.Offset == unit.Offset && u.Factor == unit.Factor * factor);
        return other is null ? "" : $" or 'unit: {other.Code}'";
    }

    private static RegisterEncoding Swapped(RegisterEncoding e) => e.Length < 2 ? e : e with { WordOrder = e.WordOrder == WordOrder.HighFirst ? WordOrder.LowFirst : WordOrder.HighFirst };

    private static string Other(RegisterEncoding e) => e.WordOrder == WordOrder.HighFirst ? "low-first" : "high-first";

    private static RegisterType? Signed(RegisterType type) => type switch
    {
        RegisterType.UInt16 => RegisterType.Int16,
        RegisterType.Int16 => RegisterType.UInt16,
        RegisterType.UInt32 => RegisterType.Int32,
        RegisterType.Int32 => RegisterType.UInt32,
        _ => null,
    };

    private static string Plain(decimal number) => number.ToString("0.############", CultureInfo.InvariantCulture);

    /// <summary>Decodes all points in all rounds and objects to what cannot be.</summary>
    private static State Look(ProfilePoint[] points, RegisterEncoding[] encodings, IReadOnlyList<TrialRound> rounds)
    {
        var values = new TrialValues(points, encodings, rounds);
        var state = new State();
        Single(points, encodings, values, state);
        TrialRelations.Judge(values, state);
        return state;
    }

    private static void Single(ProfilePoint[] points, RegisterEncoding[] encodings, TrialValues values, State state)
    {
        for (var i = 0; i < points.Length; i++)
        {
            if (values.IsRefused(i))
            {
                state.Object(4, [i], $"the device refuses {points[i].Id}");
            }
            else if (values.Absurdity(i) is { } absurd)
            {
                state.Object(6, [i], absurd);
            }

            // Each register belongs to one point; bits share a word.
            for (var j = i + 1; j < points.Length; j++)
            {
                var (a, b) = (encodings[i], encodings[j]);
                if (a.Table == b.Table && a.Address < b.Address + b.Length && b.Address < a.Address + a.Length
                    && a.Type != RegisterType.Bit && b.Type != RegisterType.Bit && a.BitCount == 0 && b.BitCount == 0)
                {
                    state.Object(5, [i, j], $"{points[i].Id} and {points[j].Id} read the same register");
                }
            }
        }
    }

    /// <summary>What was found with one set of encodings.</summary>
    internal sealed class State
    {
        private readonly HashSet<int> _suspects = [];

        public List<(double Weight, int[] Points, string Words)> Objections { get; } = [];

        public List<string> NotJudged { get; } = [];

        public int Agreed { get; set; }

        /// <summary>Weight of what cannot be.</summary>
        public double Cost { get; private set; }

        /// <summary>The same with what should not be, but is not proved: of two changes the one that leaves less of both is the better.</summary>
        public double Strain { get; private set; }

        public bool IsSuspect(int point) => _suspects.Contains(point);

        public void Object(double weight, int[] points, string words)
        {
            Objections.Add((weight, points, words));
            _suspects.UnionWith(points);
            Cost += weight;
            Strain += weight;
        }

        public void Doubt(double weight, string words)
        {
            NotJudged.Add(words);
            Strain += weight;
        }
    }

    private sealed record Change(int[] Indexes, string Words, double Unlikely, Func<RegisterEncoding, int, RegisterEncoding> Do)
    {
        public required IReadOnlyList<string> Points { get; init; }

        public RegisterEncoding[] Apply(RegisterEncoding[] encodings)
        {
            var changed = (RegisterEncoding[])encodings.Clone();
            foreach (var i in Indexes)
            {
                changed[i] = Do(encodings[i], i);
            }

            return changed;
        }
    }
}
