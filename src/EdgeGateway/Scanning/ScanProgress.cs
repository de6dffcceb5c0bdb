namespace EdgeGateway.Scanning;

/// <summary>How far a scan is.</summary>
/// <param name="Stage">What is being done, in words.</param>
/// <param name="Done">Steps done.</param>
/// <param name="Total">Steps in all.</param>
internal readonly record struct ScanProgress(string Stage, int Done, int Total);

/// <summary>Who watches a scan.</summary>
internal interface IScanView
{
    /// <summary>A step was done.</summary>
    void Step(ScanProgress progress);

    /// <summary>A unit was found and examined.</summary>
    void Found(FoundUnit unit);
}
