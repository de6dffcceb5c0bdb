using System.Globalization;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Diagnosis;

/// <summary>How well a profile explains what a device shows.</summary>
/// <param name="Profile">The profile.</param>
/// <param name="Percent">0 to 99; a help for the choice, not a probability.</param>
/// <param name="IsPossible">False when the device contradicts the profile.</param>
/// <param name="Reasons">What speaks for it and against it, in words, the strongest first.</param>
public sealed record ProfileFit(DeviceProfile Profile, int Percent, bool IsPossible, IReadOnlyList<string> Reasons);

/// <summary>Judges profiles by what a device shows of itself: names, identify probes, and whether its numbers make sense together. A pure function.</summary>
/// <remarks>
/// Physics decides where names are missing: mains voltage and frequency are known beforehand, V x I x power factor is the power, phases
/// add up to the total. A device that answers 0 wherever it is asked proves nothing by answering. Neither does a raw signal of an input module, which takes any number: it counts for half, and a
/// module of raw signals ranks behind whatever is identified or fits by physics.
/// </remarks>
public static class ProfileFits
{
    // Values of one moment are read by several requests; loads move meanwhile.
    private const double Agrees = 0.05;

    private const int FewPoints = 8;

    // What a point counts whose register could hold nothing else.
    private const double WorthOfRaw = 0.5;

    // Identity and physics of this weight are no chance: a type register, or the mains and V x I.
    private const double Convincing = 15;

    // Puts a profile right behind another.
    private const double Behind = 0.5;

    /// <summary>Judges whether what was read so far allows the profile at all: its identify probes.</summary>
    public static bool PassesProbes(DeviceProfile profile, RegisterSnapshot registers)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentNullException.ThrowIfNull(registers);
        var evidence = new Evidence();
        Probes(profile, registers, evidence);
        return evidence.IsPossible;
    }

    /// <summary>Ranks profiles, the best first.</summary>
    /// <param name="profiles">The candidates.</param>
    /// <param name="registers">What was read.</param>
    /// <param name="names">What the device says of itself by functions 43/14 and 17; empty when it says nothing.</param>
    public static IReadOnlyList<ProfileFit> Rank(IEnumerable<DeviceProfile> profiles, RegisterSnapshot registers, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(profiles);
        var judged = profiles.Select(p => (Profile: p, Evidence: Judge(p, registers, names))).ToArray();

        // Raw signals fit whatever answers, so that many of them outweigh a device that refuses some registers of its profile.
        var best = judged.Where(j => j.Evidence.IsPossible && j.Evidence.Proof >= Convincing && j.Evidence.Points > 0).Select(j => j.Evidence.Points).DefaultIfEmpty(double.PositiveInfinity).Max();
        return
        [
            .. judged
                .Select(j => (j.Profile, j.Evidence, Points: IsRaw(j.Profile) && j.Evidence.Proof < Convincing ? Math.Min(j.Evidence.Points, best - Behind) : j.Evidence.Points))
                .OrderByDescending(j => j.Evidence.IsPossible)
                .ThenByDescending(j => j.Points)
                .ThenBy(j => j.Profile.Id, StringComparer.Ordinal)
                .Select(j => new ProfileFit(j.Profile, j.Evidence.IsPossible ? Percents(j.Points) : 0, j.Evidence.IsPossible, j.Evidence.Reasons)),
        ];
    }

    private static int Percents(double points) => (int)Math.Clamp(100 * (1 - Math.Exp(-points / 45)), 0, 99);

    private static Evidence Judge(DeviceProfile profile, RegisterSnapshot registers, IReadOnlyList<string> names)
    {
        var evidence = new Evidence();
        Names(profile, names, evidence);
        Probes(profile, registers, evidence);
        var values = Values(profile, registers, evidence);
        Mains(values, evidence);
        Products(values, evidence);
        Sums(values, evidence);
        Lines(values, evidence);
        return evidence;
    }

    // Most of its points take any number.
    private static bool IsRaw(DeviceProfile profile) => 2 * profile.Points.Count(IsRaw) > profile.Points.Count;

    /// <summary>Whether a point is a signal of a module, for which at least half of all numbers that its register can hold are plausible.</summary>
    private static bool IsRaw(ProfilePoint point)
    {
        if (!point.Role.StartsWith("signal.", StringComparison.Ordinal))
        {
            return false;
        }

        var encoding = point.Encoding;
        (double Least, double Most)? holds = encoding.Type switch
        {
            RegisterType.Bit => (0, 1),
            RegisterType.UInt16 or RegisterType.UInt32 when encoding.BitCount > 0 => (0, Math.ScaleB(1, encoding.BitCount) - 1),
            RegisterType.UInt16 => (0, ushort.MaxValue),
            RegisterType.Int16 => (short.MinValue, short.MaxValue),
            RegisterType.UInt32 => (0, uint.MaxValue),
            RegisterType.Int32 => (int.MinValue, int.MaxValue),
            _ => null,
        };
        if (holds is not { } all || encoding.Scale == 0)
        {
            return false;
        }

        var (a, b) = (Shown(all.Least), Shown(all.Most));
        var (least, most) = (Math.Min(a, b), Math.Max(a, b));
        return Math.Min(most, point.PlausibleMax ?? most) - Math.Max(least, point.PlausibleMin ?? least) >= (most - least) / 2;

        double Shown(double raw) => (raw * (double)encoding.Scale) + (double)encoding.Offset;
    }

    private static void Names(DeviceProfile profile, IReadOnlyList<string> names, Evidence evidence)
    {
        if (names.Count == 0)
        {
            return;
        }

        var said = Plain(string.Join(' ', names));
        if (profile.Models.FirstOrDefault(m => Plain(m) is { Length: >= 3 } model && said.Contains(model, StringComparison.Ordinal)) is { } named)
        {
            evidence.Prove(50, $"the device names itself: it says {named}");
        }
        else if (Plain(profile.Vendor) is { Length: >= 3 } vendor && said.Contains(vendor, StringComparison.Ordinal))
        {
            evidence.Prove(20, $"the device names its maker: {profile.Vendor}");
        }
    }

    private static string Plain(string text) => string.Concat(text.Where(char.IsLetterOrDigit)).ToUpperInvariant();

    private static void Probes(DeviceProfile profile, RegisterSnapshot registers, Evidence evidence)
    {
        if (profile.SunSpec is { } sunSpec)
        {
            // Its addresses mean nothing before the model was found in the device's list: DeviceProfile.At.
            evidence.Exclude($"its SunSpec model {sunSpec.Number} was not found on the device");
            return;
        }

        Span<ushort> words = stackalloc ushort[125];
        foreach (var probe in profile.Identify)
        {
            var span = probe.Encoding.Span;
            var at = $"{span.First} (0x{span.First:X4})";
            var state = registers.Get(probe.Encoding.Table, span.First, words[..span.Length]);
            if (probe.AnyOf.Count > 0)
            {
                if (state != RegisterState.Read)
                {
                    // A type register is missing from some firmware; the rest of the device has to convince then.
                    evidence.Add(state == RegisterState.Refused ? -15 : 0, $"its type register {at} is {(state == RegisterState.Refused ? "refused" : "not read")}");
                    continue;
                }

                _ = RegisterCodec.Decode(probe.Encoding, words[..span.Length], out _, out var raw);
                if (probe.AnyOf.TryGetValue(raw, out var model))
                {
                    evidence.Prove(50, $"its type register {at} names {model}");
                }
                else
                {
                    evidence.Exclude($"its type register {at} holds 0x{raw:X}, which is another model");
                }
            }
            else if (state == RegisterState.Read)
            {
                var what = probe.Point ?? $"register {at}";
                var status = RegisterCodec.Decode(probe.Encoding, words[..span.Length], out var value, out _);
                if (status != DecodeStatus.Ok || value < probe.Min || value > probe.Max)
                {
                    evidence.Exclude(status == DecodeStatus.Ok ? $"{what} would be {Number(value)}, which cannot be" : $"{what} would be no number");
                }
                else
                {
                    var isRaw = profile.Points.FirstOrDefault(p => p.Id == probe.Point) is { } asked && IsRaw(asked);
                    evidence.Add(value == 0 || isRaw ? 0 : 5, $"{what} reads {Number(value)}");
                }
            }
            else if (state == RegisterState.Refused)
            {
                evidence.Exclude($"it refuses {probe.Point ?? $"register {at}"}");
            }
            else
            {
                evidence.Exclude($"{probe.Point ?? $"register {at}"} was not read");
            }
        }
    }

    /// <summary>Decodes all points, in canonical units, and weighs how many are there, alive and plausible.</summary>
    private static Dictionary<string, double> Values(DeviceProfile profile, RegisterSnapshot registers, Evidence evidence)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        Span<ushort> words = stackalloc ushort[125];
        var (read, refused, alive, nonsense, raw) = (0, 0, 0, 0, 0);
        string? example = null;
        foreach (var point in profile.Points)
        {
            var span = point.Encoding.Span;
            if (span.Length > words.Length)
            {
                continue;
            }

            var state = registers.Get(point.Encoding.Table, span.First, words[..span.Length]);
            refused += state == RegisterState.Refused ? 1 : 0;
            if (state != RegisterState.Read)
            {
                continue;
            }

            read++;
            raw += IsRaw(point) ? 1 : 0;
            if (point.Encoding.Type == RegisterType.Text)
            {
                // A text proves something when it holds letters, and nothing when it is empty.
                alive += IsText(words[..span.Length]) ? 1 : 0;
                continue;
            }

            var status = RegisterCodec.Decode(point.Encoding, words[..span.Length], out var value, out _);
            if (status == DecodeStatus.Invalid)
            {
                continue;
            }

            var unit = Units.Find(point.Unit);
            if (status != DecodeStatus.Ok || !IsPlausible(point, value))
            {
                nonsense++;
                example ??= $"{point.Id} would be {(status == DecodeStatus.Ok ? $"{Number(value)} {point.Unit}" : "no number")}";
                continue;
            }

            alive += value != 0 ? 1 : 0;
            if (unit is not null)
            {
                values[point.Role] = (value * (double)unit.Factor) + (double)unit.Offset;
            }
        }

        if (read + refused == 0)
        {
            return values;
        }

        var share = read / (double)(read + refused);
        // Few points prove little: one of two says no more than one of some.
        var life = alive / (double)Math.Max(read, FewPoints);
        if (refused > 0)
        {
            evidence.Add(-60 * (1 - share), $"it refuses {refused} of the {read + refused} points");
        }

        if (nonsense > 0)
        {
            evidence.Add(-40.0 * nonsense / read, $"{nonsense} of {read} values cannot be: {example}");
        }

        if (read > 0)
        {
            evidence.Add(
                ((20 * share) + Math.Min(10, 2 * Math.Log2(1 + alive))) * life * (1 - ((1 - WorthOfRaw) * raw / read)),
                alive == 0 ? $"all {read} points answer, and all read 0, which proves nothing"
                    : raw == read ? $"{alive} of {profile.Points.Count} points show a value other than 0, but a raw signal takes any number"
                    : $"{alive} of {profile.Points.Count} points show a plausible value other than 0");
        }

        return values;
    }

    private static bool IsText(ReadOnlySpan<ushort> words)
    {
        var letters = 0;
        foreach (var word in words)
        {
            foreach (var b in (ReadOnlySpan<int>)[word >> 8, word & 0xFF])
            {
                if (b is not 0 and (< 0x20 or > 0x7E))
                {
                    return false;
                }

                letters += b > 0x20 ? 1 : 0;
            }
        }

        return letters >= 2;
    }

    private static bool IsPlausible(ProfilePoint point, double value)
    {
        if (value < point.PlausibleMin || value > point.PlausibleMax)
        {
            return false;
        }

        // A float read with the wrong word order is astronomic or next to nothing.
        return point.Encoding.IsStepped || value == 0 || Math.Abs(value) is > 1e-9 and < 1e15;
    }

    private static void Mains(Dictionary<string, double> values, Evidence evidence)
    {
        if (values.TryGetValue("electricity.frequency", out var hertz) && hertz != 0)
        {
            var isMains = hertz is > 49 and < 51 or > 59 and < 61;
            evidence.Prove(isMains ? 8 : -4, $"frequency {hertz:0.00} Hz {(isMains ? "is that of the mains" : "is not that of the mains")}");
        }

        Voltages(["electricity.voltage.l1_n", "electricity.voltage.l2_n", "electricity.voltage.l3_n"], "voltages");
        Voltages(["electricity.voltage.l1_l2", "electricity.voltage.l2_l3", "electricity.voltage.l3_l1"], "voltages between phases");

        void Voltages(string[] roles, string what)
        {
            var volts = roles.Where(values.ContainsKey).Select(r => values[r]).Where(v => v != 0).ToArray();
            if (volts.Length == 0)
            {
                return;
            }

            // Everything from 100 V transformers to 690 V; phases of one supply lie close together.
            var isSupply = volts.All(v => v is > 50 and < 1000) && volts.Max() < 1.15 * volts.Min();
            var range = volts.Max() - volts.Min() < 0.5 ? $"{volts.Max():0.#} V" : $"{volts.Min():0.#} to {volts.Max():0.#} V";
            evidence.Prove(isSupply ? 6 + volts.Length : -6, $"{what} {range} {(isSupply ? "plausible" : "are not those of one supply")}");
        }
    }

    /// <summary>V x I x power factor = P, phase by phase; P against S where no power factor is shown.</summary>
    private static void Products(Dictionary<string, double> values, Evidence evidence)
    {
        var (worst, count) = (0.0, 0);
        foreach (var phase in (ReadOnlySpan<string>)["l1", "l2", "l3"])
        {
            // A single-phase meter shows its only phase as the whole.
            if (!Find($"electricity.voltage.{phase}_n", out var volts)
                || !Find($"electricity.current.{phase}", out var amperes)
                || !(Find($"electricity.power.active.{phase}", out var watts) || (IsSingle(phase) && Find("electricity.power.active", out watts))))
            {
                continue;
            }

            var apparent = Math.Abs(volts * amperes);
            if (apparent < 1)
            {
                continue;
            }

            if (Find($"electricity.power.factor.{phase}", out var factor) || (IsSingle(phase) && Find("electricity.power.factor", out factor)))
            {
                worst = Math.Max(worst, Math.Abs((apparent * Math.Abs(factor)) - Math.Abs(watts)) / Math.Max(apparent, Math.Abs(watts)));
                count++;
            }
            else if (Math.Abs(watts) > apparent * (1 + Agrees))
            {
                worst = 1;
                count++;
            }
        }

        if (count > 0)
        {
            evidence.Prove(
                worst <= Agrees ? 10 : -12,
                worst <= Agrees ? $"V x I x power factor agrees with the power within {Percent(worst)}" : "V x I x power factor does not agree with the power");
        }

        bool Find(string role, out double value) => values.TryGetValue(role, out value);
        bool IsSingle(string phase) => phase == "l1" && !values.ContainsKey("electricity.voltage.l2_n");
    }

    private static void Sums(Dictionary<string, double> values, Evidence evidence)
    {
        Sum("electricity.power.active", "active power");
        Sum("electricity.power.apparent", "apparent power");
        Sum("electricity.energy.active.import", "imported energy");

        void Sum(string role, string what)
        {
            double sum = 0, size = 0;
            foreach (var phase in (ReadOnlySpan<string>)["l1", "l2", "l3"])
            {
                if (!values.TryGetValue($"{role}.{phase}", out var part))
                {
                    return;
                }

                sum += part;
                size += Math.Abs(part);
            }

            if (values.TryGetValue(role, out var total) && size > 0)
            {
                var error = Math.Abs(sum - total) / size;
                evidence.Prove(
                    error <= Agrees ? 8 : -8,
                    error <= Agrees ? $"sum of phases agrees with the total {what} within {Percent(error)}" : $"sum of phases does not agree with the total {what}");
            }
        }
    }

    /// <summary>Between phases the voltage is the square root of 3 times that to neutral.</summary>
    private static void Lines(Dictionary<string, double> values, Evidence evidence)
    {
        if (values.TryGetValue("electricity.voltage.l1_n", out var phase) && values.TryGetValue("electricity.voltage.l1_l2", out var line) && phase > 0 && line > 0)
        {
            var agrees = Math.Abs((line / phase) - Math.Sqrt(3)) < 0.1;
            evidence.Prove(agrees ? 5 : -5, agrees ? "voltage between phases is 1.73 times that to neutral" : "voltages between phases and to neutral do not agree");
        }
    }

    private static string Number(double value) => value.ToString("G5", CultureInfo.InvariantCulture);

    private static string Percent(double share) => share < 0.0005 ? "0.1 %" : $"{(100 * share).ToString("0.#", CultureInfo.InvariantCulture)} %";

    private sealed class Evidence
    {
        private readonly List<(double Weight, string Words)> _reasons = [];

        public double Points { get; private set; }

        /// <summary>The part of the points that comes from names, type registers and physics.</summary>
        public double Proof { get; private set; }

        public bool IsPossible { get; private set; } = true;

        public IReadOnlyList<string> Reasons =>
            [.. _reasons.OrderByDescending(r => Math.Abs(r.Weight)).Select(r => r.Words)];

        public void Add(double weight, string words)
        {
            Points += weight;
            _reasons.Add((weight, words));
        }

        /// <summary>As <see cref="Add"/>, for what no number shows by chance.</summary>
        public void Prove(double weight, string words)
        {
            Proof += weight;
            Add(weight, words);
        }

        public void Exclude(string words)
        {
            IsPossible = false;
            Add(-100, words);
        }
    }
}
