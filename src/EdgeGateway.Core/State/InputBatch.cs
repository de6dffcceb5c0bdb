namespace EdgeGateway.Core.State;

/// <summary>
/// Everything the pipeline was fed in one commit: the unit of the sample log. Feeding the same batches in the same order to the
/// same state gives the same records, which is how the gateway recovers and how an auditor recomputes.
/// </summary>
/// <param name="Number">Position in the sample log, from 1, without gaps.</param>
/// <param name="Now">Gateway time to which the pipeline is advanced after the samples.</param>
/// <param name="BootId">Kernel boot in which the samples were taken.</param>
/// <param name="MonotonicMilliseconds">The boot's monotonic clock at <paramref name="Now"/>, so that samples can be re-dated within their boot, also by another process.</param>
/// <param name="ClockStep">When the wall clock stepped since the batch before: how far, else null. Applied before the samples.</param>
/// <param name="Samples">Samples in the order of processing.</param>
public readonly record struct InputBatch(
    long Number,
    Instant Now,
    Guid BootId,
    long MonotonicMilliseconds,
    TimeSpan? ClockStep,
    ReadOnlyMemory<Sample> Samples)
{
    /// <summary>What was known of the clock when the samples were dated.</summary>
    public TimeQuality Quality { get; init; }

    /// <summary>True while the clock is not set and the samples wait for their dates: the pipeline gets them with <see cref="Release"/>.</summary>
    public bool Held { get; init; }

    /// <summary>Processes held batches; such a batch has nothing else in it. Null in all others.</summary>
    public HeldRelease? Release { get; init; }
}
