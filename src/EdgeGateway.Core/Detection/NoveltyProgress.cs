namespace EdgeGateway.Core.Detection;

/// <summary>How far the detector for any gauge is on a point.</summary>
/// <param name="Point">Index of the point.</param>
/// <param name="Values">Values that it has learnt from; 0 before the first.</param>
/// <param name="SpeaksFrom">Until then it learns and says nothing; null before the first value.</param>
/// <param name="Judged">Values that it has judged since the program started; grows by one with each.</param>
/// <param name="JudgedAt">Time of the value that it judged last (the begin of its five minutes, where it judges means).</param>
/// <param name="Score">What it said of that value, 0 to 1; also while it learns.</param>
public readonly record struct NoveltyProgress(int Point, int Values, Instant? SpeaksFrom, int Judged, Instant JudgedAt, double Score)
{
    /// <summary>Whether it still learns at a time.</summary>
    public bool IsLearning(Instant now) => SpeaksFrom is not { } from || now < from;
}
