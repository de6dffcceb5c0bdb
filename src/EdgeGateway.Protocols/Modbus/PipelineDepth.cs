namespace EdgeGateway.Protocols.Modbus;

/// <summary>
/// Finds out how many transactions a server takes at once: begins with one, tries twice as many while there is more to ask, and keeps
/// what brought more answers in the same time. Logic only; not safe for several threads.
/// </summary>
/// <remarks>
/// By Little's law n requests under way that each take t bring n / t answers a second. A server that works on one request
/// after the other takes longer for each when more wait inside it: then there is no gain, and the smaller depth is kept. A server that
/// objects gets one at a time again; what had worked before may be tried at once, more than that after an hour, then after a day.
/// </remarks>
internal sealed class PipelineDepth
{
    private const int AnswersToJudge = 16;
    private const int AnswersToRemember = 64;
    private const int WaitersToProbe = 4;
    private const int VoidProbes = 3;
    private const int Doubts = 3;
    private const double Gain = 1.15;
    private const long ProvenAnswers = 1000;
    private const long ForgivenAnswers = 100_000;

    private static readonly TimeSpan PauseAfterProven = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan PauseWithoutDemand = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan PauseWithoutGain = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongPause = TimeSpan.FromHours(24);

    private readonly int _most;
    private readonly TimeProvider _time;
    private int _ceiling;
    private long _pausedAt;
    private TimeSpan _pause;
    private int _objections;
    private int _voidProbes;
    private int _doubts;
    private long _answersInDepth;
    private long _latencies;
    private long _crowds;
    private int _answers;
    private int _warmUp;
    private int _waiters;
    private double _rate;

    /// <param name="most">Never more than so many.</param>
    /// <param name="time">Measures pauses.</param>
    public PipelineDepth(int most, TimeProvider time)
    {
        _most = _ceiling = most;
        _time = time;
    }

    /// <summary>What the server has proved to take.</summary>
    public int Depth { get; private set; } = 1;

    /// <summary>What may be under way now: <see cref="Depth"/>, or twice that during a probe.</summary>
    public int Limit { get; private set; } = 1;

    /// <summary>Whether more than <see cref="Depth"/> is being tried.</summary>
    public bool IsProbing => Limit > Depth;

    /// <summary>How often the server objected to several at once.</summary>
    public int Objections => _objections;

    /// <summary>
    /// How many requests the owner should keep under way: the depth, one more while a deeper pipeline may still be found, so that it
    /// shows whether there is more to ask.
    /// </summary>
    public int Wanted => IsProbing ? Limit : MayProbe() ? Depth + 1 : Depth;

    /// <summary>A request had to wait because as many as allowed were under way.</summary>
    public void Waited() => _waiters++;

    /// <summary>A request was answered as it should be.</summary>
    /// <param name="latency">Ticks of the clock from sending to the answer.</param>
    /// <param name="crowd">Requests that were under way when it was sent, itself among them.</param>
    public void Answered(long latency, int crowd)
    {
        if (crowd > 1 && ++_answersInDepth % ForgivenAnswers == 0)
        {
            _objections = 0;
        }

        // Requests that had less company say nothing about this depth.
        if (2 * crowd <= Limit)
        {
            return;
        }

        if (_warmUp > 0)
        {
            _warmUp--;
            return;
        }

        _latencies += Math.Max(latency, 1);
        _crowds += crowd;
        _answers++;
        if (_answers < Math.Max(AnswersToJudge, 2 * Limit))
        {
            return;
        }

        if (IsProbing)
        {
            Judge();
        }
        else if (_waiters >= WaitersToProbe && MayProbe())
        {
            _rate = Rate;
            Limit = Math.Min(2 * Depth, Ceiling());
            Restart();
        }
        else if (_answers >= AnswersToRemember)
        {
            if (_waiters == 0 && MayProbe())
            {
                // There is never more to ask: an owner that keeps one request under way has less to do.
                _ceiling = Depth;
                Pause(PauseWithoutDemand);
            }

            _answers /= 2;
            _latencies /= 2;
            _crowds /= 2;
            _waiters /= 2;
        }
    }

    /// <summary>The server does not take several at once, or not so many.</summary>
    public void Objected()
    {
        _objections++;
        Pause(_objections > 1 ? LongPause : !IsProbing && _answersInDepth >= ProvenAnswers ? PauseAfterProven : FirstPause);

        // What was being tried failed: up to what had worked it may climb again. What had worked and now fails is not trusted.
        _ceiling = IsProbing ? Depth : 1;
        Depth = Limit = 1;
        _answersInDepth = 0;
        _voidProbes = _doubts = 0;
        Restart();
    }

    /// <summary>Whether the server ties its answers to the requests could not be found out: one at a time for an hour.</summary>
    public void Unprovable()
    {
        Pause(FirstPause);
        _ceiling = Depth = Limit = 1;
        _answersInDepth = 0;
        _voidProbes = _doubts = 0;
        Restart();
    }

    /// <summary>What looked like an objection was something else, such as a device that has just died.</summary>
    public void Acquitted()
    {
        if (!IsProbing)
        {
            return;
        }

        if (++_voidProbes >= VoidProbes)
        {
            Objected();
            return;
        }

        Limit = Depth;
        Restart();
    }

    /// <summary>One of several was not answered in its whole time, though its device had answered before.</summary>
    public void Doubted()
    {
        if (++_doubts >= Doubts)
        {
            Objected();
        }
    }

    private double Rate => (double)_crowds / _latencies;

    private void Judge()
    {
        var rate = Rate;
        _voidProbes = _doubts = 0;
        if (rate >= _rate * Gain)
        {
            Depth = Limit;
            _rate = rate;
        }
        else
        {
            Limit = Depth;
            _ceiling = Depth;
            Pause(PauseWithoutGain);
        }

        Restart();
    }

    private void Restart()
    {
        _latencies = 0;
        _crowds = 0;
        _answers = 0;
        _waiters = 0;
        _warmUp = Limit;
    }

    private void Pause(TimeSpan pause)
    {
        _pause = pause;
        _pausedAt = _time.GetTimestamp();
    }

    private bool MayProbe() => Depth < Ceiling();

    private int Ceiling()
    {
        if (_ceiling < _most && _time.GetElapsedTime(_pausedAt) >= _pause)
        {
            _ceiling = _most;
        }

        return _ceiling;
    }
}
