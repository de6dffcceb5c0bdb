namespace EdgeGateway.Core.Detection.Novelty;

/// <summary>What a novelty detector says of one value.</summary>
/// <param name="Surprise">0 for the usual and in the quiet time after an event; above 2.5 only for the first value of an event, or when it becomes much louder.</param>
/// <param name="Cause">What was unusual most.</param>
/// <param name="Distance">How far that was from the nearest known level, or from what the hour usually brings; in the unit of the point.</param>
/// <param name="Learning">True while too little is known to judge.</param>
public readonly record struct NoveltyVerdict(double Surprise, NoveltyCause Cause, double Distance, bool Learning)
{
    private const double Half = 10;

    /// <summary>The surprise before the quiet time and the doubt about a point that cries often were taken into account: tells whether an event goes on.</summary>
    public double Loudness { get; init; }

    /// <summary>What was unusual: the value, or the mean; in the unit of the point.</summary>
    public double Seen { get; init; }

    /// <summary>What it is compared with: the nearest level known, or what this hour usually brings.</summary>
    public double Expected { get; init; }

    /// <summary>Whether it lies above or below every level known, not between two of them.</summary>
    public bool IsBeyond { get; init; }

    /// <summary>The surprise from 0 to 1, as benchmarks want it: surprise / (surprise + 10).</summary>
    public double Score => Surprise / (Surprise + Half);

    /// <summary>The surprise of a <see cref="Score"/>.</summary>
    public static double SurpriseOf(double score) => Half * score / (1 - score);
}

/// <summary>What is unusual about a value.</summary>
public enum NoveltyCause : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The value is at a level where the point has not been lately.</summary>
    Value,

    /// <summary>The mean of the last 24 values is.</summary>
    ShortMean,

    /// <summary>The mean of the last 288 values is.</summary>
    LongMean,

    /// <summary>The last 12 values differ from what their hours usually bring.</summary>
    Hour,
}
