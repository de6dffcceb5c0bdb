using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>
/// Watches the loops that do the work: the owner of each bus, the commit loop, each uplink (requirement P-1). The commit loop feeds the service
/// manager's watchdog from its own turns, and only while every other loop turns too; a timer of its own only tells who is blocked.
/// </summary>
internal sealed class LoopWatch : IDisposable
{
    /// <summary>How long a turn of a loop may take before the loop counts as blocked.</summary>
    public static readonly TimeSpan TurnLimit = TimeSpan.FromSeconds(20);

    /// <summary>A loop that has been blocked for this long beyond its limit does not come back: the service manager is asked to act now.</summary>
    private static readonly TimeSpan Hopeless = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    private readonly ServiceManager? _manager;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly List<(Heartbeat Beat, Func<bool>? Excused)> _loops = [];
    private readonly HashSet<Heartbeat> _told = [];
    private readonly long _feedInterval;
    private ITimer? _timer;
    private Func<string>? _word;
    private string? _toldWord;
    private long _nextFeed;
    private bool _triggered;

    /// <param name="manager">Who started the program and watches it; null when nobody does.</param>
    /// <param name="time">Monotonic clock.</param>
    /// <param name="log">Told which loop is blocked, and when it goes on.</param>
    public LoopWatch(ServiceManager? manager, TimeProvider time, ILogger log)
    {
        _manager = manager;
        _time = time;
        _log = log;
        _feedInterval = (long)((manager?.WatchdogInterval / 6 ?? TimeSpan.Zero).TotalSeconds * time.TimestampFrequency);
        _nextFeed = time.GetTimestamp();
    }

    /// <summary>The loops that do not turn, with how long; empty while all is well.</summary>
    public IReadOnlyList<string> Blocked
    {
        get
        {
            lock (_gate)
            {
                return [.. _loops.Where(IsBlocked).Select(l => Describe(l.Beat))];
            }
        }
    }

    /// <summary>A loop to be watched.</summary>
    /// <param name="name">What it is, for people.</param>
    /// <param name="limit">How long one of its turns may take; <see cref="TurnLimit"/> when shorter than that.</param>
    /// <param name="excused">True while it waits for something that is not its fault, such as room in the queue while the disk cannot be written.</param>
    public Heartbeat Add(string name, TimeSpan limit = default, Func<bool>? excused = null)
    {
        var beat = new Heartbeat(name, limit > TurnLimit ? limit : TurnLimit, _time);
        lock (_gate)
        {
            _loops.Add((beat, excused));
        }

        return beat;
    }

    /// <summary>A loop that another watch has watched before and that went on.</summary>
    /// <param name="beat">Its sign of life.</param>
    /// <param name="excused">As for <see cref="Add"/>.</param>
    public void Adopt(Heartbeat beat, Func<bool>? excused = null)
    {
        lock (_gate)
        {
            _loops.Add((beat, excused));
        }
    }

    /// <summary>Begins to tell who is blocked, and the service manager in one line how the gateway is.</summary>
    /// <param name="word">That line; called every few seconds, from a timer.</param>
    public void Start(Func<string> word)
    {
        _word = word;
        _timer = _time.CreateTimer(static watch => ((LoopWatch)watch!).Look(), this, LookInterval, LookInterval);
    }

    /// <summary>Called by the commit loop at each of its turns: feeds the watchdog when that is due and every loop turns.</summary>
    public void Feed()
    {
        if (_manager?.WatchdogInterval is null || _time.GetTimestamp() < _nextFeed)
        {
            return;
        }

        lock (_gate)
        {
            if (_loops.Exists(IsBlocked))
            {
                return;
            }
        }

        _nextFeed = _time.GetTimestamp() + _feedInterval;
        _manager.Send("WATCHDOG=1");
    }

    /// <summary>Ends the watching: what follows is the stop, which has its own time limit.</summary>
    public void Stop() => _timer?.Dispose();

    public void Dispose() => Stop();

    private static bool IsBlocked((Heartbeat Beat, Func<bool>? Excused) loop) => loop.Beat.Overdue > TimeSpan.Zero && loop.Excused?.Invoke() != true;

    private static string Describe(Heartbeat beat) => $"{beat.Name} has not turned for {(beat.Limit + beat.Overdue).TotalSeconds:F0} s";

    /// <summary>Tells what changed.</summary>
    private void Look()
    {
        lock (_gate)
        {
            foreach (var loop in _loops)
            {
                if (loop.Excused?.Invoke() == true)
                {
                    // When the excuse ends it gets its whole time again.
                    loop.Beat.Beat();
                }

                if (!IsBlocked(loop))
                {
                    if (_told.Remove(loop.Beat))
                    {
                        Log.LoopTurnsAgain(_log, loop.Beat.Name);
                    }
                }
                else
                {
                    if (_told.Add(loop.Beat))
                    {
                        Log.LoopBlocked(_log, loop.Beat.Name, (loop.Beat.Limit + loop.Beat.Overdue).TotalSeconds);
                    }

                    if (loop.Beat.Overdue > Hopeless && !_triggered && _manager?.WatchdogInterval is not null)
                    {
                        _triggered = true;
                        _manager.Send($"STATUS=Blocked: {Describe(loop.Beat)}\nWATCHDOG=trigger");
                    }
                }
            }
        }

        if (_manager is not null && _word?.Invoke() is { } word && word != _toldWord)
        {
            _toldWord = word;
            _manager.Send($"STATUS={word}");
        }
    }
}
