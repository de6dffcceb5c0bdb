using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>Decides which surprises become alarms from one number that a user can name: how many false alarms a day are acceptable.</summary>
/// <remarks>
/// The level begins where noise without faults, of several kinds, exceeds it as often as the budget allows (measured; <c>docs/novelty.md</c>). Each alarm, true or false, halves what is
/// allowed, and time gives it back at the pace of the budget. So, whatever the signal does: alarms in a time &lt;= budget x time + <see cref="MostAhead"/>.
/// </remarks>
public sealed class AlarmBudget
{
    /// <summary>Alarms that a point can be ahead of its budget at most: from there on no surprise is large enough.</summary>
    public const int MostAhead = 12;

    private const double Ln2 = 0.69314718055994531;
    private const double MillisecondsPerDay = 86_400_000;

    // Of a thousand values of noise 0.8 exceed a surprise of 3; the share falls with its power 1.6.
    private const double ReferenceSurprise = 3;
    private const double ReferenceShare = 8e-4;
    private const double LargestShare = 2e-3;
    private const double SmallestShare = 1e-9;

    private readonly double _perDay;
    private double _tightening = 1;

    /// <param name="perDay">Acceptable false alarms of this point a day, above 0. A device's budget is shared by its points.</param>
    public AlarmBudget(double perDay)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perDay);
        _perDay = perDay;
    }

    /// <summary>The surprise that is an alarm now, for values that come every <paramref name="period"/>.</summary>
    public double Level(TimeSpan period)
    {
        // x^(1/1.6) from square roots, whose bits are the same everywhere.
        var scarcity = ReferenceShare * _tightening / Share(period);
        var root = Math.Sqrt(Math.Sqrt(Math.Sqrt(scarcity)));
        return Math.Max(NoveltyDetector.LeastSurprise, ReferenceSurprise * root * root * root * root * root);
    }

    /// <summary>Whether a verdict is an alarm.</summary>
    /// <param name="verdict">Of the detector, each once and in order.</param>
    /// <param name="period">The detector's <see cref="NoveltyDetector.Period"/>.</param>
    public bool Observe(in NoveltyVerdict verdict, TimeSpan period)
    {
        _tightening = Math.Max(1, _tightening * (1 - (Ln2 * Share(period))));
        if (verdict.Surprise <= NoveltyDetector.LeastSurprise || verdict.Surprise < Level(period))
        {
            return false;
        }

        _tightening *= 2;
        return true;
    }

    /// <summary>Writes the complete state.</summary>
    public void Save(StateWriter writer) => writer.Write(_tightening);

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Load(ref StateReader reader) => _tightening = reader.ReadDouble();

    /// <summary>Share of values that may be false alarms.</summary>
    private double Share(TimeSpan period) => Math.Clamp(_perDay * period.TotalMilliseconds / MillisecondsPerDay, SmallestShare, LargestShare);
}
