using System.Globalization;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Diagnosis;

/// <summary>The values of a trial in canonical units (V, A, W, W.h, 1), by point and round; NaN where there is none.</summary>
internal sealed class TrialValues
{
    // Beyond these no device of a site measures, in canonical units; a value that is wrong by words or by type usually is.
    private static readonly (Dimension Dimension, double Most)[] Bounds =
    [
        (Dimension.Voltage, 1e6), (Dimension.Current, 1e5), (Dimension.ActivePower, 1e9), (Dimension.ReactivePower, 1e9), (Dimension.ApparentPower, 1e9),
        (Dimension.ActiveEnergy, 1e13), (Dimension.ReactiveEnergy, 1e13), (Dimension.ApparentEnergy, 1e13), (Dimension.Frequency, 1e5), (Dimension.Temperature, 3000),
        (Dimension.Angle, 720), (Dimension.RotationalSpeed, 1e5), (Dimension.Speed, 200), (Dimension.Pressure, 1e9),
    ];

    private readonly ProfilePoint[] _points;
    private readonly double[][] _values;
    private readonly double[] _steps;
    private readonly bool[] _refused;
    private readonly string?[] _broken;

    public TrialValues(ProfilePoint[] points, RegisterEncoding[] encodings, IReadOnlyList<TrialRound> rounds)
    {
        _points = points;
        Rounds = rounds;
        _values = new double[points.Length][];
        _steps = new double[points.Length];
        _refused = new bool[points.Length];
        _broken = new string?[points.Length];
        for (var i = 0; i < points.Length; i++)
        {
            _values[i] = [.. rounds.Select(r => Read(i, encodings[i], r.Registers))];
        }
    }

    public IReadOnlyList<TrialRound> Rounds { get; }

    /// <summary>Place of the point with a role, or -1.</summary>
    public int Find(string role) => Array.FindIndex(_points, p => p.Role == role);

    public string Name(int point) => _points[point].Id;

    public bool IsRefused(int point) => _refused[point];

    public double At(int point, int round) => point < 0 ? double.NaN : _values[point][round];

    /// <summary>What one step of the register is, in canonical units.</summary>
    public double Step(int point) => _steps[point];

    /// <summary>Why the value alone cannot be, or null.</summary>
    public string? Absurdity(int point)
    {
        if (_broken[point] is { } words)
        {
            return words;
        }

        var (p, unit) = (_points[point], Units.Find(_points[point].Unit)!);
        foreach (var value in _values[point])
        {
            if (double.IsNaN(value))
            {
                continue;
            }

            var shown = (value - (double)unit.Offset) / (double)unit.Factor;
            if (shown < p.PlausibleMin || shown > p.PlausibleMax)
            {
                return $"{p.Id} would be {Number(shown)} {p.Unit}, outside what is plausible";
            }

            if (!p.Encoding.IsStepped && value != 0 && Math.Abs(value) < 1e-9)
            {
                return $"{p.Id} would be {Number(shown)} {p.Unit}, which is next to nothing";
            }

            var most = Array.Find(Bounds, b => b.Dimension == unit.Dimension).Most;
            if ((most > 0 && Math.Abs(value) > most) || Math.Abs(value) > 1e18)
            {
                return $"{p.Id} would be {Number(shown)} {p.Unit}, which cannot be";
            }

            if (p.Role.StartsWith("electricity.power.factor", StringComparison.Ordinal) && Math.Abs(value) > 1.011)
            {
                return $"{p.Id} would be {Number(value)}, and a power factor is never beyond 1";
            }

            if (p.Role == "electricity.frequency" && value != 0 && value is < 15 or > 450)
            {
                return $"{p.Id} would be {Number(value)} Hz, and no grid has that";
            }

            if (p.Counter is not null && value < 0)
            {
                return $"{p.Id} would be {Number(shown)} {p.Unit}, and a counter is never negative";
            }
        }

        return null;
    }

    public static string Number(double value) => value.ToString("G5", CultureInfo.InvariantCulture);

    public static string Percent(double share) => $"{(100 * share).ToString("G3", CultureInfo.InvariantCulture)} %";

    /// <summary>That so many rounds do not do.</summary>
    public static string TooFew(int rounds) => $"{(rounds == 1 ? "1 round is" : $"{rounds} rounds are")} too few";

    private double Read(int i, RegisterEncoding encoding, RegisterSnapshot registers)
    {
        Span<ushort> words = stackalloc ushort[250];
        var span = encoding.Span;
        if (span.Length > words.Length || Units.Find(_points[i].Unit) is not { } unit)
        {
            return double.NaN;
        }

        words = words[..span.Length];
        switch (registers.Get(encoding.Table, span.First, words))
        {
            case RegisterState.Refused:
                _refused[i] = true;
                return double.NaN;
            case RegisterState.Unknown:
                return double.NaN;
        }

        var status = RegisterCodec.Decode(encoding, words, out var value, out var raw);
        if (status == DecodeStatus.Invalid)
        {
            return double.NaN;
        }

        if (status != DecodeStatus.Ok)
        {
            // A float that is no number is how many meters say 'not available'; digits, dates and powers of ten that are none are wrong.
            _broken[i] ??= status == DecodeStatus.NotANumber ? null : $"{_points[i].Id} is no number";
            return double.NaN;
        }

        _steps[i] = encoding.IsStepped ? (double)RegisterCodec.StepOf(encoding, raw) * (double)unit.Factor : Math.Abs(value) * (double)unit.Factor * FloatStep(encoding.Type);
        return (value * (double)unit.Factor) + (double)unit.Offset;
    }

    private static double FloatStep(RegisterType type) => type switch
    {
        RegisterType.Float16 => 1e-3,
        RegisterType.Float32 => 1.2e-7,
        _ => 1e-15,
    };
}
