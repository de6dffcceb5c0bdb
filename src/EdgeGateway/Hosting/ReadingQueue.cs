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

    /// <summary>The configuration by which <see cref="Point"/> is numbered: <see cref="PointNumbers"/>.</summary>
    public int Numbering { get; init; }
}

/// <summary>The bounded queue between the pollers and the pipeline. Full: the pollers wait, nothing is dropped.</summary>
/// <remarks>
/// A ring under one lock, written and read by the reply: a channel takes its lock for each reading and copies each one at a time, which shows in the processor time of
/// a gateway that forwards every sample.
/// </remarks>
public sealed class ReadingQueue(TimeProvider time) : IDisposable
{
    /// <summary>Most readings in memory (requirement O-11).</summary>
    public const int Capacity = 20_000;

    /// <summary>A group of this size is processed without waiting for the end of the commit window.</summary>
    public const int GroupSize = 8_192;

    private const int FirstLength = 1_024;

    private readonly Alarm _alarm = new(time);
    private readonly Lock _gate = new();

    // Grows to the capacity while the store is away, and stays so.
    private Reading[] _ring = new Reading[FirstLength];
    private int _start;
    private int _count;
    private bool _hasBeenRead;
    private TaskCompletionSource? _room;
    private NewestReadings? _newest;
    private int _waiting;
    private long? _fullSince;
    private long _fullUntil;

    /// <summary>Readings that wait; never in the middle of what was appended by one <see cref="TryWrite"/>.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Whether what waits is worth a commit before its window is over: a full group, or the first readings since the start, so that it soon shows whether a gateway works.</summary>
    public bool IsWorthACommit => Count is var count && (count >= GroupSize || (count > 0 && !Volatile.Read(ref _hasBeenRead)));

    /// <summary>
    /// From now on, while nothing can be stored, notes the newest of each point in <paramref name="newest"/>; and a full queue counts what it cannot take
    /// there instead of making the pollers wait, so that the values at the centre stay live. Null: as before.
    /// </summary>
    internal void Note(NewestReadings? newest) => Volatile.Write(ref _newest, newest);

    /// <summary>Appends the readings of one reply, so that they stay neighbours and belong to one commit.</summary>
    /// <returns>How many were appended; fewer than all only when the queue is full. Append the others with <see cref="WriteAsync"/>.</returns>
    public int TryWrite(ReadOnlySpan<Reading> group)
    {
        int written;
        lock (_gate)
        {
            written = Append(group);
        }

        if (Volatile.Read(ref _newest) is { } newest)
        {
            foreach (ref readonly var reading in group[..written])
            {
                newest.Set(reading);
            }
        }

        return written;
    }

    /// <summary>Appends a reading; waits while the queue is full.</summary>
    public ValueTask WriteAsync(in Reading reading, CancellationToken cancel)
    {
        Volatile.Read(ref _newest)?.Set(reading);
        lock (_gate)
        {
            if (Append(new ReadOnlySpan<Reading>(in reading)) == 1)
            {
                return ValueTask.CompletedTask;
            }
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
        if (IsWorthACommit)
        {
            _alarm.Wake();
        }
    }

    /// <summary>Waits until the commit window is over, or a commit is worth it before (<see cref="IsWorthACommit"/>).</summary>
    public ValueTask WaitAsync(TimeSpan window) => _alarm.WaitAsync(window);

    /// <summary>Ends the wait of the pipeline now.</summary>
    public void Wake() => _alarm.Wake();

    /// <summary>The oldest reading that waits, without taking it.</summary>
    public bool TryPeek(out Reading reading)
    {
        lock (_gate)
        {
            reading = _count > 0 ? _ring[_start] : default;
            return _count > 0;
        }
    }

    /// <summary>Takes the oldest readings.</summary>
    /// <param name="readings">Receives them.</param>
    /// <returns>How many were taken; fewer than there is room for only when no more wait.</returns>
    public int Read(Span<Reading> readings)
    {
        TaskCompletionSource? room = null;
        int taken;
        lock (_gate)
        {
            taken = Math.Min(readings.Length, _count);
            var first = _ring.AsSpan(_start, Math.Min(taken, _ring.Length - _start));
            var second = _ring.AsSpan(0, taken - first.Length);
            first.CopyTo(readings);
            second.CopyTo(readings[first.Length..]);

            // So that the texts among them are not kept alive.
            first.Clear();
            second.Clear();
            _start = (_start + taken) % _ring.Length;
            Volatile.Write(ref _count, _count - taken);
            if (taken > 0)
            {
                Volatile.Write(ref _hasBeenRead, true);
                (room, _room) = (_room, null);
            }
        }

        room?.SetResult();
        return taken;
    }

    public void Dispose() => _alarm.Dispose();

    /// <summary>Appends what there is room for. Under the lock.</summary>
    private int Append(ReadOnlySpan<Reading> group)
    {
        var written = Math.Min(group.Length, Capacity - _count);
        if (_count + written > _ring.Length)
        {
            var larger = new Reading[Math.Min(Capacity, Math.Max(_ring.Length * 2, _count + written))];
            _ring.AsSpan(_start).CopyTo(larger);
            _ring.AsSpan(0, _start).CopyTo(larger.AsSpan(_ring.Length - _start));
            (_ring, _start) = (larger, 0);
        }

        var end = (_start + _count) % _ring.Length;
        var first = group[..Math.Min(written, _ring.Length - end)];
        first.CopyTo(_ring.AsSpan(end));
        group[first.Length..written].CopyTo(_ring);
        Volatile.Write(ref _count, _count + written);
        return written;
    }

    private async ValueTask WriteLaterAsync(Reading reading, CancellationToken cancel)
    {
        lock (_gate)
        {
            _waiting++;
            _fullSince ??= time.GetTimestamp();
        }

        try
        {
            while (TryAppend(reading) is { } room)
            {
                if (Volatile.Read(ref _newest) is { } newest)
                {
                    newest.CountNotKept();
                    return;
                }

                await WaitForRoomAsync(room, cancel).ConfigureAwait(false);
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

    /// <summary>Appends a reading.</summary>
    /// <returns>What completes when there may be room; null when the reading was appended.</returns>
    private Task? TryAppend(in Reading reading)
    {
        lock (_gate)
        {
            if (Append(new ReadOnlySpan<Reading>(in reading)) == 1)
            {
                return null;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    /// <summary>Waits for room, or a second: whether the store fails may show only while somebody waits.</summary>
    private async ValueTask WaitForRoomAsync(Task room, CancellationToken cancel)
    {
        try
        {
            await room.WaitAsync(TimeSpan.FromSeconds(1), time, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The second is over.
        }
    }
}
