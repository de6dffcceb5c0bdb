using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>What a rule remembers of one input.</summary>
/// <remarks>
/// Means follow by the share dt / (time constant + dt), which needs no exponential, is the same on every machine, and lags behind a ramp by exactly
/// slope times time constant.
/// </remarks>
internal struct InputTrack
{
    private bool _has;

    /// <summary>The value now, in the canonical unit; NaN when it is not there.</summary>
    public double Value { get; private set; }

    public double Quick { get; private set; }

    public double Slow { get; private set; }

    public double Peak { get; private set; }

    public double Rises { get; private set; }

    /// <summary>Takes the value of this moment; NaN when there is none.</summary>
    /// <param name="value">The value.</param>
    /// <param name="quick">Share by which the quick mean follows.</param>
    /// <param name="slow">Share by which the slow mean follows; 0: it stands still.</param>
    /// <param name="forget">Share by which the peak falls; 0: it stands still.</param>
    public void Take(double value, double quick, double slow, double forget)
    {
        var before = Value;
        Value = value;
        if (double.IsNaN(value))
        {
            return;
        }

        if (!_has)
        {
            _has = true;
            Quick = value;
            Slow = value;
            Peak = Math.Abs(value);
            return;
        }

        Quick += quick * (value - Quick);
        Slow += slow * (value - Slow);
        var size = Math.Abs(Quick);
        Peak = forget > 0 && size > Peak ? size : Peak * (1 - forget);
        Rises = (Rises * (1 - slow)) + (before <= 0 && value > 0 ? 1 : 0);
    }

    public readonly void Save(StateWriter writer)
    {
        writer.Write(_has);
        writer.Write(Value);
        writer.Write(Quick);
        writer.Write(Slow);
        writer.Write(Peak);
        writer.Write(Rises);
    }

    public void Load(ref StateReader reader)
    {
        _has = reader.ReadBoolean();
        Value = reader.ReadDouble();
        Quick = reader.ReadDouble();
        Slow = reader.ReadDouble();
        Peak = reader.ReadDouble();
        Rises = reader.ReadDouble();
    }
}
