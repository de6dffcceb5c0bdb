using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Faults;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator;

/// <summary>One point of a simulated device.</summary>
internal sealed class PointState
{
    private readonly double _least;
    private readonly double _most;
    private readonly double _plausibleLeast;
    private readonly double _plausibleMost;

    public PointState(PointModel model, Signal signal)
    {
        Model = model;
        Signal = model.Kind == PointKind.Counter && !signal.IsCounter ? new Signal(Quantity.NeutralCounter) : signal;
        Counter = Signal.IsCounter ? new CounterRegister(model, Signal.Quantity) : null;
        (Factor, Offset) = UnitFactor.Of(signal.Quantity, model.Unit);
        (_least, _most) = Expressible(model);

        // What the plant does is never cut to what the gateway believes, except where a quantity has nothing behind it but a habit.
        var electric = signal.Quantity is >= Quantity.Voltage and <= Quantity.CurrentDistortion or Quantity.SerialNumber or Quantity.Sequence;
        _plausibleLeast = Math.Max(_least, electric ? _least : model.PlausibleMin ?? _least);
        _plausibleMost = Math.Min(_most, electric ? _most : model.PlausibleMax ?? _most);
        Neutral = signal.Quantity == Quantity.Neutral || signal.Quantity == Quantity.Healthy ? NeutralOf(model) : 0;
    }

    public PointModel Model { get; }

    public Signal Signal { get; }

    /// <summary>Set for counters.</summary>
    public CounterRegister? Counter { get; }

    public double Factor { get; }

    public double Offset { get; }

    /// <summary>Value of a point whose role the model does not know: the middle of the plausible range, in the point's unit.</summary>
    public double Neutral { get; }

    /// <summary>Number of faults that hold the point.</summary>
    public int FrozenBy { get; set; }

    public double SpikeFactor { get; set; } = 1;

    /// <summary>Faults of the sensor in force, with the second in which each began.</summary>
    public List<(Fault Fault, long Since)> Distortions { get; } = [];

    /// <summary>Value that was encoded last, in the point's unit.</summary>
    public double Value { get; set; }

    /// <summary>Brings a value into the plausible range, then spikes it, and keeps it expressible.</summary>
    public double Fit(double value, double spike) => Math.Clamp(Math.Clamp(value, _plausibleLeast, _plausibleMost) * spike, _least, _most);

    /// <summary>What the faults of the sensor make of a value, as far as the register can express it.</summary>
    public double Distort(double value, long second)
    {
        foreach (var (fault, since) in Distortions)
        {
            var hours = (second - since) / 3600.0;
            value = fault.Kind switch
            {
                FaultKind.Gain => value * fault.Strength,
                FaultKind.Offset => value + fault.Strength,
                FaultKind.GainDrift => value * (1 + (fault.Strength * hours)),
                FaultKind.OffsetDrift => value + (fault.Strength * hours),
                FaultKind.FixedValue => fault.Strength,
                _ => (long)value ^ (1L << FlagBit(Model)!.Value),
            };
        }

        return Distortions.Count == 0 ? value : Math.Clamp(value, _least, _most);
    }

    /// <summary>Number of the first bit that the gateway watches in a status point; null where it watches none.</summary>
    public static int? FlagBit(PointModel model) => model.Detectors.FirstOrDefault(static d => d.Name == "flag") is { } flag ? (int)flag.Settings.GetValueOrDefault("bit") : null;

    /// <summary>Raw value of the first symbol that contains one of the words, or null.</summary>
    public double? Symbol(ReadOnlySpan<string> words)
    {
        if (Model.Symbols is null)
        {
            return null;
        }

        foreach (var word in words)
        {
            foreach (var (raw, text) in Model.Symbols)
            {
                if (text.Contains(word, StringComparison.OrdinalIgnoreCase))
                {
                    return raw;
                }
            }
        }

        return null;
    }

    /// <summary>
    /// The power of ten that a simulated device shows in a scale register, by the unit, because points of one quantity share it: so that what a plant has fits 16 bits.
    /// </summary>
    public static short PowerOf(PointModel model) => (short)(model.Encoding.ScaleAt is null
        ? 0
        : model.Unit switch
        {
            "V" or "A" or "Cel" => -1,
            "Hz" or "%" => -2,
            "1" => -3,
            "W" or "V.A" or "var" => 2,
            _ => 0,
        });

    private static double NeutralOf(PointModel model) => model switch
    {
        { Symbols: { Count: > 0 } symbols } => symbols.Keys.Min(),
        { Kind: PointKind.State } => Quiet(model),
        { PlausibleMin: { } least, PlausibleMax: { } most } => (least + most) / 2,
        { PlausibleMax: { } most } => most / 2,
        { PlausibleMin: { } least } => least + 1,
        _ => 1,
    };

    // Contacts that open on alarm are closed: no watched flag reports its condition.
    private static double Quiet(PointModel model) =>
        model.Detectors.Where(static d => d.Name == "flag" && d.Settings.GetValueOrDefault("opens") > 0).Sum(static d => Math.ScaleB(1, (int)d.Settings.GetValueOrDefault("bit")));

    // One step inside the type's ends: all-ones and 0x7FFF are what devices say when they have no value.
    private static (double Least, double Most) Expressible(PointModel model)
    {
        var encoding = model.Encoding;
        var power = Math.Pow(10, PowerOf(model));
        var (least, most) = encoding.Type switch
        {
            RegisterType.UInt16 or RegisterType.UInt32 or RegisterType.UInt64 when encoding.BitCount > 0 => (0.0, Math.ScaleB(1, Math.Min((int)encoding.BitCount, 52)) - 1),
            RegisterType.Bit => (0.0, 1.0),
            RegisterType.UInt16 => (0, ushort.MaxValue - 1),
            RegisterType.Int16 => (short.MinValue + 1, short.MaxValue - 1),
            RegisterType.UInt32 => (0, uint.MaxValue - 1.0),
            RegisterType.Int32 => (int.MinValue + 1.0, int.MaxValue - 1.0),
            RegisterType.UInt64 => (0, 1e18),
            RegisterType.Int64 => (-1e18, 1e18),
            RegisterType.Float16 => (-65_000, 65_000),
            RegisterType.Bcd16 or RegisterType.Bcd32 or RegisterType.Bcd64 => (0, Math.Pow(10, Math.Min(4 * encoding.Length, 15)) - 1),
            RegisterType.Mod10 => (1 - Math.Pow(10, Math.Min(4 * encoding.Length, 15)), Math.Pow(10, Math.Min(4 * encoding.Length, 15)) - 1),
            RegisterType.DateTime => (946_684_800, 4_102_444_799),
            _ => (-1e30, 1e30),
        };
        var a = ((double)encoding.Scale * least * power) + (double)encoding.Offset;
        var b = ((double)encoding.Scale * most * power) + (double)encoding.Offset;
        return a <= b ? (a, b) : (b, a);
    }
}
