namespace EdgeGateway.Integration.Gateway;

/// <summary>The system's clocks with a monotonic one that can stand still: a simulated site that follows it keeps its counters as they are.</summary>
internal sealed class PausableTime : TimeProvider
{
    private readonly Lock _gate = new();
    private long _behind;
    private long? _stoodAt;

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _stoodAt ?? base.GetTimestamp() - _behind;
        }
    }

    /// <summary>Stands still from now on.</summary>
    public void Pause()
    {
        lock (_gate)
        {
            _stoodAt ??= base.GetTimestamp() - _behind;
        }
    }

    /// <summary>Goes on from where it stood.</summary>
    public void Go()
    {
        lock (_gate)
        {
            if (_stoodAt is { } at)
            {
                _behind = base.GetTimestamp() - at;
                _stoodAt = null;
            }
        }
    }
}
