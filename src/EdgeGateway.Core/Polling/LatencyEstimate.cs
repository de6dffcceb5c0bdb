namespace EdgeGateway.Core.Polling;

/// <summary>
/// How long it is worth to wait for a device, learned from its answers as TCP learns its retransmission time (RFC 6298): smoothed
/// latency plus four times its mean deviation, and never less than three times what 99 of 100 answers took.
/// </summary>
/// <remarks>
/// It is generous on purpose: an answer that is given up too early is a value lost and, on a serial line, a late answer to be guarded
/// against. What it saves is the time that is lost with a device that is dead. The time that the bytes travel on a serial wire does
/// not belong to it.
/// </remarks>
public sealed class LatencyEstimate
{
    /// <summary>Answers after which the estimate is used; before, the ceiling is.</summary>
    public const int AnswersNeeded = 16;

    private const double SmoothingGain = 1.0 / 8;
    private const double DeviationGain = 1.0 / 4;
    private const int Deviations = 4;
    private const int TailFactor = 3;

    private double _smoothed;
    private double _deviation;
    private long _answers;
    private long _tail;
    private long _usual;

    /// <summary>What the answers took.</summary>
    public LatencyHistogram Histogram { get; } = new();

    /// <summary>Whether enough answers came to say something.</summary>
    public bool IsKnown => _answers >= AnswersNeeded;

    /// <summary>Takes in the latency of an answer.</summary>
    public void Answered(TimeSpan latency)
    {
        var ticks = (double)Math.Max(latency.Ticks, 0);
        if (_answers == 0)
        {
            (_smoothed, _deviation) = (ticks, ticks / 2);
        }
        else
        {
            _deviation += DeviationGain * (Math.Abs(ticks - _smoothed) - _deviation);
            _smoothed += SmoothingGain * (ticks - _smoothed);
        }

        Histogram.Add(latency);
        if (++_answers % AnswersNeeded == 0)
        {
            _tail = TailFactor * Histogram.Quantile(0.99).Ticks;
        }

        _usual = (long)Math.Max(_smoothed + (Deviations * _deviation), _tail);
    }

    /// <summary>The time limit of the next request.</summary>
    /// <param name="floor">Never less than this, however quick the device: a busy processor or one lost packet is no outage.</param>
    /// <param name="ceiling">Never more than this; it also holds while little is known, and wins over the floor.</param>
    /// <param name="failures">Requests in a row without an answer: each doubles the limit, so that a device that became slow is heard.</param>
    public TimeSpan Limit(TimeSpan floor, TimeSpan ceiling, int failures)
    {
        if (!IsKnown)
        {
            return ceiling;
        }

        var ticks = Math.Max(_usual, floor.Ticks) << Math.Clamp(failures, 0, 10);
        return ticks < ceiling.Ticks ? TimeSpan.FromTicks(ticks) : ceiling;
    }
}
