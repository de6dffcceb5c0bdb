using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Detection;

/// <summary>
/// Keeps a defect of one rule away from all else (requirement P-2): a detector that throws has found nothing in that sample, and sees the next one. It is counted.
/// </summary>
/// <remarks>The same samples throw again in replay, so that recovery comes to the same records.</remarks>
public sealed class RuleFaults
{
    /// <summary>How often a rule threw.</summary>
    public long Count { get; private set; }

    /// <summary>Which rule threw last, and why; null when none did.</summary>
    public (string Rule, Exception Fault)? Last { get; private set; }

    /// <summary>Lets a detector see a sample.</summary>
    /// <param name="detector">The rule.</param>
    /// <param name="sample">The judged sample.</param>
    /// <param name="device">Device of the sample's point.</param>
    /// <param name="point">Id of the point.</param>
    internal AnomalyRecord? Observe(IDetector detector, in Sample sample, string device, string point)
    {
        try
        {
            return detector.Observe(sample);
        }
#pragma warning disable CA1031 // Whatever a rule throws is its own; it is counted, and told by who feeds the pipeline.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Count++;
            Last = ($"{detector.GetType().Name} of {device}.{point}", e);
            return null;
        }
    }
}
