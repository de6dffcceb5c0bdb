using System.Threading.Channels;
using EdgeGateway.Core;

namespace EdgeGateway.Hosting;

/// <summary>What a poller read, stamped on the monotonic clock; the pipeline's loop makes a <see cref="Sample"/> of it.</summary>
/// <param name="Point">Index of the point.</param>
/// <param name="Monotonic">When the reply arrived, in milliseconds of <see cref="GatewayClock.Monotonic"/>.</param>
/// <param name="Value">Value in the point's unit; NaN when there is none.</param>
/// <param name="Raw">Register image, right-aligned.</param>
/// <param name="Quality">Trust, or why there is no value.</param>
public readonly record struct Reading(int Point, long Monotonic, double Value, ulong Raw, Quality Quality)
{
    /// <summary>What a text point reads; null for numbers, and where nothing was read. A text makes no sample.</summary>
    public string? Text { get; init; }
}

/// <summary>The bounded queue between the pollers and the pipeline. Full: the pollers wait, nothing is dropped.</summary>
public sealed class ReadingQueue(TimeProvider time) : IDisposable
{
    /// <summary>Most readings in memory (requirement O-11).</summary>
    public const int Capacity = 20_000;

    /// <summary>A group of this size is processed without waiting for the end of the commit window.</summary>
    public const int GroupSize = 8_192;

    private readonly Channel<Reading> _channel = Channel.CreateBounded<Reading>(new BoundedChannelOptions(Capacity)
    {
        FullMode = BoundedChannelFullMode.Wait,
        SingleReader = true,
        SingleWriter = false,
    });

    private readonly Alarm _alarm = new(time);
    private readonly Lock _gate = new();
    private readonly Lock _group = new();

    private NewestReadings? _newest;
    private int _waiting;
    private long? _fullSince;
    private long _fullUntil;

    /// <summary>Readings that wait.</summary>
    public int Count => _channel.Reader.Count;

    /// <summary>
    /// From now on, while nothing can be stored, notes the newest of each point in <paramref name="newest"/>; and a full queue counts what it cannot take
    /// there instead of making the pollers wait, so that the values at the centre stay live. Null: as before.
    /// </summary>
    internal void Note(NewestReadings? newest) => Volatile.Write(ref _newest, newest);

    /// <summary>As <see cref="Count"/>, and never in the middle of what was appended by one <see cref="TryWrite"/>.</summary>
    public int CountOfWholeGroups
    {
        get
        {
            lock (_group)
            {
                return _channel.Reader.Count;
            }
        }
    }

    /// <summary>Appends the readings of one reply, so that they stay neighbours and belong to one commit.</summary>
    /// <returns>How many were appended; fewer than all only when the queue is full. Append the others with <see cref="WriteAsync"/>.</returns>
    public int TryWrite(ReadOnlySpan<Reading> group)
    {
        lock (_group)
        {
            var written = 0;
            while (written < group.Length && _channel.Writer.TryWrite(group[written]))
            {
                Volatile.Read(ref _newest)?.Set(group[written]);
                written++;
            }

            return written;
        }
    }

    /// <summary>Appends a reading; waits while the queue is full.</summary>
    public ValueTask WriteAsync(in Reading reading, CancellationToken cancel)
    {
        Volatile.Read(ref _newest)?.Set(reading);
        if (_channel.Writer.TryWrite(reading))
        {
            return ValueTask.CompletedTask;
        }

        _alarm.Wake();
        return WriteLaterAsync(reading, cancel);
    }

    /// <summary>
    /// A time in which pollers waited for room and could not poll, once it is over; each is told once. Two that follow each other before anybody asks are
    /// told as one.
    /// </summary>
    /// <param name="least">Shorter ones are forgotten: the queue evens them out.</param>
    /// <param name="since">How long ago it began.</param>
    /// <param name="until">How long ago it ended.</param>
    public bool TryTakeFull(TimeSpan least, out TimeSpan since, out TimeSpan until)
    {
        since = until = TimeSpan.Zero;
        lock (_gate)
        {
            if (_waiting > 0 || _fullSince is not { } from)
            {
                return false;
            }

            _fullSince = null;
            since = time.GetElapsedTime(from);
            until = time.GetElapsedTime(_fullUntil);
            return since - until >= least;
        }
    }

    /// <summary>To be called after a group of writes: wakes the pipeline when there is enough to be worth a commit.</summary>
    public void Written()
    {
        if (_channel.Reader.Count >= GroupSize)
        {
            _alarm.Wake();
        }
    }

    /// <summary>Waits until the commit window is over or a group is full.</summary>
    public ValueTask WaitAsync(TimeSpan window) => _alarm.WaitAsync(window);

    /// <summary>Ends the wait of the pipeline now.</summary>
    public void Wake() => _alarm.Wake();

    /// <summary>The oldest reading that waits, without taking it.</summary>
    public bool TryPeek(out Reading reading) => _channel.Reader.TryPeek(out reading);

    public bool TryRead(out Reading reading) => _channel.Reader.TryRead(out reading);

    public void Dispose() => _alarm.Dispose();

    private async ValueTask WriteLaterAsync(Reading reading, CancellationToken cancel)
    {
        lock (_gate)
        {
            _waiting++;
            _fullSince ??= time.GetTimestamp();
        }

        try
        {
            while (!_channel.Writer.TryWrite(reading))
            {
                if (Volatile.Read(ref _newest) is { } newest)
                {
                    newest.CountNotKept();
                    return;
                }

                await WaitForRoomAsync(cancel).ConfigureAwait(false);
            }
        }
        finally
        {
            lock (_gate)
            {
                _waiting--;
                _fullUntil = time.GetTimestamp();
            }
        }
    }

    /// <summary>Waits for room, or a second: whether the store fails may show only while somebody waits.</summary>
    private async ValueTask WaitForRoomAsync(CancellationToken cancel)
    {
        using var look = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var timer = time.CreateTimer(static look => ((CancellationTokenSource)look!).Cancel(), look, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        try
        {
            await _channel.Writer.WaitToWriteAsync(look.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // The second is over.
        }
        finally
        {
            await timer.DisposeAsync().ConfigureAwait(false);
        }
    }
}
