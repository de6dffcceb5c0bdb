using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>Decides which surprises become alarms from one number that a user can name: how many false alarms a day are acceptable.</summary>
/// <remarks>
/// The level begins where noise without faults, of several kinds, exceeds it as often as the budget allows (measured; <c>docs/novelty.md</c>). Each alarm, true or false, halves what is
/// allowed, and time gives it back at the pace of the budget. So, whatever the signal does: alarms in a time &lt;= budget x time + <see cref="MostAhead"/>.
/// One budget may be shared by the points of a device: each gets an equal part of the time's share, an alarm of one makes all of them ask for more, and the bound holds for all together.
/// </remarks>
public sealed class AlarmBudget
{
    /// <summary>Alarms that the points of a budget can be ahead of its budget at most: from there on no surprise is large enough.</summary>
    public const int MostAhead = 12;

    private const double Ln2 = 0.69314718055994531;
    private const double MillisecondsPerDay = 86_400_000;

    // Of a thousand values of noise 0.8 exceed a surprise of 3; the share falls with its power 1.6.
    private const double ReferenceSurprise = 3;
    private const double ReferenceShare = 8e-4;
    private const double LargestShare = 2e-3;
    private const double SmallestShare = 1e-9;

    /// <summary>So many times rarer than the budget asks for is grave.</summary>
    private const double Grave = 10;

    private static readonly int[] Days = [1000, 300, 100, 30, 10, 3, 1];

    private readonly double _perDay;
    private double _tightening = 1;

    /// <param name="perDay">Acceptable false alarms a day, above 0.</param>
    /// <param name="points">Points that share them.</param>
    public AlarmBudget(double perDay, int points = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perDay);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(points);
        _perDay = perDay / points;
    }

    /// <summary>The surprise that is an alarm now, for values that come every <paramref name="period"/>.</summary>
    public double Level(TimeSpan period) => Level(_tightening, Share(_perDay, period));

    /// <summary>Whether a surprise would be an alarm although only a tenth of the false alarms were acceptable.</summary>
    public bool IsGrave(double surprise, TimeSpan period) => surprise >= Level(Grave, Share(_perDay, period));

    /// <summary>In how many days noise without faults, of values that come every <paramref name="period"/>, is as surprising less than once: 1, 3, 10, 30, 100, 300 or 1,000; 0 when it is so more often.</summary>
    public static int RarerThanDays(double surprise, TimeSpan period) => Array.Find(Days, days => surprise >= Level(1, Share(1.0 / days, period)));

    /// <summary>Whether a verdict is an alarm.</summary>
    /// <param name="verdict">Of the detector, each once and in order.</param>
    /// <param name="period">The detector's <see cref="NoveltyDetector.Period"/>.</param>
    public bool Observe(in NoveltyVerdict verdict, TimeSpan period)
    {
        _tightening = Math.Max(1, _tightening * (1 - (Ln2 * Share(_perDay, period))));
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

    /// <summary>The surprise that a share of the values of noise exceeds, when it is to be rarer by a factor.</summary>
    private static double Level(double rarer, double share)
    {
        // x^(1/1.6) from square roots, whose bits are the same everywhere.
        var root = Math.Sqrt(Math.Sqrt(Math.Sqrt(ReferenceShare * rarer / share)));
        return Math.Max(NoveltyDetector.LeastSurprise, ReferenceSurprise * root * root * root * root * root);
    }

    /// <summary>Share of values that may be false alarms.</summary>
    private static double Share(double perDay, TimeSpan period) => Math.Clamp(perDay * period.TotalMilliseconds / MillisecondsPerDay, SmallestShare, LargestShare);
}
