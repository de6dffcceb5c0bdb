using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>A straight line y = a + b x that is learned from pairs as they come and forgets old ones: weighted least squares in recursive form.</summary>
/// <remarks>
/// Kept as means and moments about them, which neither overflows nor loses digits. It says nothing before it has its confidence: enough pairs, x that has
/// varied, y that follows x, and an x within what was learned.
/// </remarks>
internal struct LinearRelation
{
    private const double LeastPairs = 60;
    private const double LeastCorrelation = 0.5;
    private const double Reach = 3.5;
    private double _weight;
    private double _meanX;
    private double _meanY;
    private double _xx;
    private double _xy;
    private double _yy;
    private double _pairs;

    /// <summary>Standard deviation of y about the line.</summary>
    public readonly double Scatter => _weight > 2 ? Math.Sqrt(Math.Max(0, _yy - (_xx > 0 ? _xy * Slope : 0)) / (_weight - 2)) : double.NaN;

    private readonly double Slope => _xy / _xx;

    /// <summary>What the line says of y; NaN where it has no confidence.</summary>
    public readonly double Predict(double x)
    {
        // The correlation, and the reach, without a division: this is asked at each sample.
        if (_pairs < LeastPairs || _weight <= 2 || !(_xx > 0 && _yy > 0) || _xy * _xy < LeastCorrelation * _xx * _yy)
        {
            return double.NaN;
        }

        var away = x - _meanX;
        return away * away * _weight <= Reach * Reach * _xx ? _meanY + (Slope * away) : double.NaN;
    }

    /// <summary>Learns a pair.</summary>
    /// <param name="x">The cause.</param>
    /// <param name="y">What follows it.</param>
    /// <param name="forget">Share of its weight that everything older loses, 0 to 1.</param>
    public void Learn(double x, double y, double forget)
    {
        var keep = 1 - forget;
        _weight = (_weight * keep) + 1;
        _pairs = Math.Min(_pairs + 1, 1e9);
        var dx = x - _meanX;
        var dy = y - _meanY;
        var share = 1 / _weight;
        _meanX += dx * share;
        _meanY += dy * share;
        _xx = (_xx * keep) + (dx * (x - _meanX));
        _xy = (_xy * keep) + (dx * (y - _meanY));
        _yy = (_yy * keep) + (dy * (y - _meanY));
    }

    public readonly void Save(StateWriter writer)
    {
        writer.Write(_weight);
        writer.Write(_meanX);
        writer.Write(_meanY);
        writer.Write(_xx);
        writer.Write(_xy);
        writer.Write(_yy);
        writer.Write(_pairs);
    }

    public void Load(ref StateReader reader)
    {
        _weight = reader.ReadDouble();
        _meanX = reader.ReadDouble();
        _meanY = reader.ReadDouble();
        _xx = reader.ReadDouble();
        _xy = reader.ReadDouble();
        _yy = reader.ReadDouble();
        _pairs = reader.ReadDouble();
    }
}
