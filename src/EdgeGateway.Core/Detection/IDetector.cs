using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Detection;

/// <summary>
/// Watches one point. Sees every judged sample of it once, in order of time, and may only use what it has seen: no clock, no look-ahead.
/// </summary>
/// <remarks>Allocates nothing unless it returns a record. The same samples give the same records on every machine.</remarks>
public interface IDetector
{
    /// <summary>Doubt that the finding now standing throws on the point's samples; none when the value itself is not in doubt.</summary>
    QualityReason Doubt { get; }

    /// <summary>Takes the next sample; returns a record when a finding is raised, changes its severity, or is cleared.</summary>
    AnomalyRecord? Observe(in Sample sample);

    /// <summary>Observation ends with a change of configuration: clears each finding that stands, under the identity it was raised with.</summary>
    void End(Instant now, IFeedSink sink);

    /// <summary>The wall clock was set: every time that is kept moves by <paramref name="milliseconds"/>, except the published beginning of a finding, which names it.</summary>
    void Shift(long milliseconds);

    /// <summary>Writes the complete state.</summary>
    void Save(StateWriter writer);

    /// <summary>Reads what <see cref="Save"/> wrote; afterwards the detector answers as if never interrupted.</summary>
    void Load(ref StateReader reader);
}
