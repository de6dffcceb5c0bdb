namespace EdgeGateway.Core.Detection.Scoring;

/// <summary>A recorded series with the windows in which something was wrong.</summary>
/// <param name="Name">Category and file.</param>
/// <param name="Category">What it is scored together with.</param>
/// <param name="Times">Time of each row, in the order of the file; may repeat or step back.</param>
/// <param name="Values">Value of each row.</param>
/// <param name="Windows">In order, not overlapping.</param>
public sealed record LabelledSeries(string Name, string Category, IReadOnlyList<Instant> Times, IReadOnlyList<double> Values, IReadOnlyList<RowRange> Windows);

/// <summary>Rows of a series, both ends included, counted from 0.</summary>
public readonly record struct RowRange(int First, int Last)
{
    /// <summary>How many rows.</summary>
    public int Length => Last - First + 1;
}

/// <summary>What a detector said of a series: one score a row, the higher the less usual.</summary>
public sealed record ScoredSeries(LabelledSeries Series, IReadOnlyList<double> Scores)
{
    // Rows that count for nothing while a detector learns: 15 %, at most 750.
    private const double ProbationShare = 0.15;
    private const int LongestProbation = 750;

    /// <summary>The first row that counts.</summary>
    public int FirstJudged => Math.Min((int)(ProbationShare * Scores.Count), LongestProbation);
}
