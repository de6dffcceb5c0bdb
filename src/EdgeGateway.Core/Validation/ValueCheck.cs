using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Validation;

/// <summary>Judges the values of one point: is it a number, is it plausible, can it have changed so fast.</summary>
internal sealed class ValueCheck(PointModel point)
{
    /// <summary>Beyond this size a value is no measurement; it would spoil sums for everyone after it.</summary>
    public const double Largest = 1e30;

    // Counters have their own rule for growth (CounterTrack).
    private readonly double _rate = point.Kind == PointKind.Counter ? double.PositiveInfinity : point.MaxRatePerSecond ?? double.PositiveInfinity;
    private bool _has;
    private double _value;
    private long _time;

    /// <summary>The sample with its final quality; a doubt that the sample already carries is kept.</summary>
    public Sample Judge(in Sample sample)
    {
        var quality = sample.Quality;
        if (quality.Status is not (QualityStatus.Good or QualityStatus.Uncertain))
        {
            var bad = quality.Status == QualityStatus.Bad ? quality : Quality.Bad(QualityReason.InvalidCode);
            return sample with { Value = double.NaN, Quality = bad };
        }

        if (!(Math.Abs(sample.Value) <= Largest))
        {
            return sample with { Value = double.NaN, Quality = Quality.Bad(QualityReason.NotANumber) };
        }

        if (!point.IsPlausible(sample.Value))
        {
            quality = Quality.Uncertain(QualityReason.OutOfRange);
        }
        else if (IsTooFast(sample.Value, sample.Time.UnixMilliseconds) && quality.IsGood)
        {
            quality = Quality.Uncertain(QualityReason.RateOfChange);
        }

        _has = true;
        _value = sample.Value;
        _time = sample.Time.UnixMilliseconds;
        return sample with { Quality = quality };
    }

    public void Shift(long milliseconds) => _time += milliseconds;

    public void Save(StateWriter writer)
    {
        writer.Write(_has);
        writer.Write(_value);
        writer.Write(_time);
    }

    public void Load(ref StateReader reader)
    {
        _has = reader.ReadBoolean();
        _value = reader.ReadDouble();
        _time = reader.ReadInt64();
    }

    private bool IsTooFast(double value, long time) =>
        _has && time > _time && Math.Abs(value - _value) * 1000 > _rate * (time - _time);
}
