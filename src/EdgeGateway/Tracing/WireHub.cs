using EdgeGateway.Buses;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Tracing;

/// <summary>Everybody who watches one bus. The client is tapped only while somebody does, so that a trace costs nothing otherwise.</summary>
internal sealed class WireHub(IWatchedBus bus, TimeProvider time) : IModbusTap
{
    /// <summary>How many may watch one bus at once.</summary>
    public const int MostWatchers = 4;

    private readonly Lock _gate = new();
    private readonly long _begin = time.GetTimestamp();
    private readonly DateTimeOffset _beginUtc = time.GetUtcNow();
    private WireWatcher[] _watchers = [];
    private bool _hasEnded;

    /// <summary>How many requests may be under way now.</summary>
    public int InFlight => bus.MaxInFlight;

    /// <summary>Time since the hub was made; the clock of all that it reports.</summary>
    public TimeSpan Now => time.GetElapsedTime(_begin);

    /// <summary>The wall clock at a time of <see cref="Now"/>.</summary>
    public DateTimeOffset WallClock(TimeSpan at) => _beginUtc + at;

    /// <summary>Begins to watch; null when <see cref="MostWatchers"/> do already.</summary>
    public WireWatcher? Attach()
    {
        lock (_gate)
        {
            if (_watchers.Length == MostWatchers)
            {
                return null;
            }

            var watcher = new WireWatcher();
            if (_hasEnded)
            {
                watcher.End();
                return watcher;
            }

            _watchers = [.. _watchers, watcher];
            bus.Watch(this);
            return watcher;
        }
    }

    /// <summary>Ends watching.</summary>
    public void Detach(WireWatcher watcher)
    {
        lock (_gate)
        {
            _watchers = [.. _watchers.Where(w => w != watcher)];
            if (_watchers.Length == 0)
            {
                bus.Watch(null);
            }
        }

        watcher.End();
    }

    /// <summary>The gateway stops: all watchers are told.</summary>
    public void End()
    {
        lock (_gate)
        {
            _hasEnded = true;
            bus.Watch(null);
            foreach (var watcher in _watchers)
            {
                watcher.End();
            }
        }
    }

    /// <inheritdoc/>
    public void Sent(ReadOnlySpan<byte> frame) => Put(WireEvent.Sent, frame);

    /// <inheritdoc/>
    public void Received(ReadOnlySpan<byte> bytes) => Put(WireEvent.Received, bytes);

    /// <inheritdoc/>
    public void LineChanged(bool isOpen) => Put(isOpen ? WireEvent.Opened : WireEvent.Closed, []);

    private void Put(WireEvent what, ReadOnlySpan<byte> bytes)
    {
        var at = Now;
        foreach (var watcher in _watchers)
        {
            watcher.Put(what, at, bytes);
        }
    }
}
