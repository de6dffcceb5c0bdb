using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>
/// What the gateway writes to storage (requirement O-12): since the store was made, and a day at the pace of the last 24 hours. Counted by the kernel for the
/// process (<c>/proc/self/io</c>, write_bytes: whole pages that were made dirty), so journals of the file system and the card's own work come on top.
/// </summary>
/// <remarks>The totals are saved with each checkpoint; after a crash up to a minute is missing. Thread-safe.</remarks>
internal sealed class FlashWear
{
    /// <summary>Counters in the store.</summary>
    public const string BytesCounter = "written-bytes";

    /// <inheritdoc cref="BytesCounter"/>
    public const string SamplesCounter = "samples";

    private const int MarksKept = 96;
    private static readonly TimeSpan MarkInterval = TimeSpan.FromMinutes(15);

    private readonly Lock _gate = new();
    private readonly Queue<Mark> _marks = new(MarksKept + 1);
    private readonly TimeProvider _time;
    private readonly Func<long?> _written;
    private readonly Func<long> _samples;
    private readonly long _bytesBefore;
    private readonly long _samplesBefore;
    private readonly long _origin;
    private Mark _newest;

    /// <param name="counters">The store's counters, as recovered.</param>
    /// <param name="samples">Samples taken by this process so far.</param>
    /// <param name="time">Clock.</param>
    /// <param name="written">Bytes that the process has written so far; null where the system does not say.</param>
    public FlashWear(IReadOnlyDictionary<string, long> counters, Func<long> samples, TimeProvider time, Func<long?>? written = null)
    {
        _time = time;
        _written = written ?? SqliteStore.ProcessBytesWritten;
        _samples = samples;
        _bytesBefore = counters.GetValueOrDefault(BytesCounter);
        _samplesBefore = counters.GetValueOrDefault(SamplesCounter);
        _origin = time.GetTimestamp();
        _newest = Now();
        _marks.Enqueue(_newest);
    }

    private readonly record struct Mark(TimeSpan At, long Bytes);

    /// <summary>Counters to be saved with a checkpoint.</summary>
    public IEnumerable<(string Name, long Value)> Counters()
    {
        lock (_gate)
        {
            var now = Now();
            if (now.At - _newest.At >= MarkInterval)
            {
                _newest = now;
                _marks.Enqueue(now);
                if (_marks.Count > MarksKept + 1)
                {
                    _marks.Dequeue();
                }
            }

            return [(BytesCounter, _bytesBefore + now.Bytes), (SamplesCounter, _samplesBefore + _samples())];
        }
    }

    /// <summary>The figures of this moment; null where the system does not count.</summary>
    public Figures? Read()
    {
        if (_written() is null)
        {
            return null;
        }

        lock (_gate)
        {
            var now = Now();
            var since = _marks.Peek();
            var samples = _samplesBefore + _samples();
            var bytes = _bytesBefore + now.Bytes;
            return new Figures(
                bytes,
                now.At > since.At ? (long)((now.Bytes - since.Bytes) * (TimeSpan.FromDays(1) / (now.At - since.At))) : 0,
                samples > 0 ? (double)bytes / samples : null);
        }
    }

    private Mark Now() => new(_time.GetElapsedTime(_origin), _written() ?? 0);

    /// <summary>What was written.</summary>
    /// <param name="TotalBytes">Since the store was made, all processes.</param>
    /// <param name="BytesPerDay">At the pace of the last 24 hours, or since the start when that is less.</param>
    /// <param name="BytesPerSample">Mean over all samples; null before the first.</param>
    public readonly record struct Figures(long TotalBytes, long BytesPerDay, double? BytesPerSample);
}
