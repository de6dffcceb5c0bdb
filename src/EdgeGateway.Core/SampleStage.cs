namespace EdgeGateway.Core;

/// <summary>Where in the pipeline a sample that somebody follows has arrived.</summary>
public enum SampleStage : byte
{
    /// <summary>Its value was checked against bounds, rates and the course of its counter.</summary>
    Validated,

    /// <summary>Every detector of its point has seen it; its quality is the one that counts.</summary>
    Detected,
}
