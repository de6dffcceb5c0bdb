namespace EdgeGateway.Following;

/// <summary>Where the parts of the gateway look whether somebody follows a sample: nearly always nobody, and then that is all they do.</summary>
internal sealed class Follower
{
    private SampleFollow? _current;

    /// <summary>The sample that is followed; null when none is.</summary>
    public SampleFollow? Current => Volatile.Read(ref _current);

    /// <summary>Begins; false when another one is followed already.</summary>
    public bool TryBegin(SampleFollow follow) => Interlocked.CompareExchange(ref _current, follow, null) is null;

    /// <summary>Nobody follows it any more.</summary>
    public void End(SampleFollow follow) => Interlocked.CompareExchange(ref _current, null, follow);
}
