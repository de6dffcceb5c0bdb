using System.Buffers;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>What came out of a connection: a packet, the end of the stream, or a breach of the protocol.</summary>
internal readonly record struct MqttFrame(FrameHeader Header, ReadOnlyMemory<byte> Body, bool AtEnd, MqttBreach? Breach)
{
    public static MqttFrame End { get; } = new(default, default, AtEnd: true, null);

    public static MqttFrame Broken(MqttBreach breach) => new(default, default, AtEnd: false, breach);
}

/// <summary>
/// Packets over a byte stream. One reader; any number of senders, who write into a buffer that one loop empties, so that many small
/// packets leave in one write. Buffers grow with what arrives, never with what a header claims.
/// </summary>
internal sealed class MqttConnection(
    Stream stream, MqttProtocolVersion version, int maxIncomingPacketSize, TimeProvider time, MqttCounters counters) : IAsyncDisposable
{
    private const int InitialBuffer = 4096;
    private const int KeptBuffer = 64 * 1024;
    private const long NotListening = long.MinValue;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _hasOutput = new(0);
    private byte[] _incoming = new byte[InitialBuffer];
    private int _start;
    private int _end;

    // From the shared pool: a message of a hundred kilobytes each second must not be a new array, and a cleared one, each time.
    private byte[] _filling = ArrayPool<byte>.Shared.Rent(InitialBuffer);
    private byte[] _emptying = ArrayPool<byte>.Shared.Rent(InitialBuffer);
    private int _filled;
    private bool _signalled;
    private volatile bool _completed;
    private TaskCompletionSource? _progress;
    private long _queued;
    private long _written;
    private long _lastReceived = time.GetTimestamp();
    private long _lastSent = time.GetTimestamp();
    private long _listeningSince = NotListening;

    /// <summary>The version of this connection.</summary>
    public MqttProtocolVersion Version => version;

    /// <summary>Called by the sending loop after each write with the number of bytes written since the start.</summary>
    public Action<long>? Written { get; set; }

    /// <summary>Bytes queued and not written yet.</summary>
    public long Pending => Interlocked.Read(ref _queued) - Interlocked.Read(ref _written);

    /// <summary>Timestamp of the last byte read.</summary>
    public long LastReceived => Interlocked.Read(ref _lastReceived);

    /// <summary>How long nothing came although we listened; zero while the reading pauses: what is not read is no silence of the server.</summary>
    public TimeSpan Silence => Interlocked.Read(ref _listeningSince) is not NotListening and var since ? time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>Timestamp of the last write.</summary>
    public long LastSent => Interlocked.Read(ref _lastSent);

    /// <summary>The next packet. Its body is valid until the next call.</summary>
    /// <exception cref="IOException">The network broke the connection.</exception>
    public async ValueTask<MqttFrame> ReadAsync(CancellationToken cancel)
    {
        while (true)
        {
            var arrived = _incoming.AsSpan(_start, _end - _start);
            switch (FrameHeader.Read(arrived, version, maxIncomingPacketSize, out var header, out var breach))
            {
                case FrameStatus.Breach:
                    return MqttFrame.Broken(breach);
                case FrameStatus.Known when arrived.Length >= header.PacketLength:
                    var body = _incoming.AsMemory(_start + header.HeaderLength, header.BodyLength);
                    _start += header.PacketLength;
                    return new(header, body, AtEnd: false, null);
            }

            MakeRoom();
            Interlocked.Exchange(ref _listeningSince, time.GetTimestamp());
            var read = await stream.ReadAsync(_incoming.AsMemory(_end), cancel).ConfigureAwait(false);
            Interlocked.Exchange(ref _listeningSince, NotListening);
            if (read == 0)
            {
                return MqttFrame.End;
            }

            _end += read;
            counters.CountBytesIn(read);
            Interlocked.Exchange(ref _lastReceived, time.GetTimestamp());
        }
    }

    /// <summary>
    /// Queues a packet and returns the position of its last byte, to be compared with what <see cref="Written"/> reports; never reached after
    /// <see cref="SendLast"/>, which leaves no room for others.
    /// </summary>
    public long Send<T>(in T packet)
        where T : IPacket
    {
        var size = PacketEncoder.Measure(packet, version);
        lock (_gate)
        {
            if (_completed)
            {
                return long.MaxValue;
            }

            PacketEncoder.Write(packet, version, Reserve(size));
            return Queued(size);
        }
    }

    /// <summary>Queues a packet that is encoded already.</summary>
    public long Send(ReadOnlySpan<byte> encoded)
    {
        lock (_gate)
        {
            if (_completed)
            {
                return long.MaxValue;
            }

            encoded.CopyTo(Reserve(encoded.Length));
            return Queued(encoded.Length);
        }
    }

    /// <summary>Writes what is queued, again and again, until <see cref="SendLast"/>, cancellation, or the network breaks.</summary>
    public async Task SendQueuedAsync(CancellationToken cancel)
    {
        while (!_completed || Pending > 0)
        {
            await _hasOutput.WaitAsync(cancel).ConfigureAwait(false);
            await FlushAsync(cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Queues DISCONNECT and ends <see cref="SendQueuedAsync"/> once it is written: nothing may follow. MQTT 5.0, 3.14.4.</summary>
    public void SendLast(in DisconnectPacket farewell)
    {
        lock (_gate)
        {
            Send(farewell);
            _completed = true;
            Wake();
        }
    }

    /// <summary>Waits while more than <paramref name="limit"/> bytes are queued.</summary>
    public async ValueTask WaitForRoomAsync(long limit, CancellationToken cancel)
    {
        while (Pending > limit)
        {
            Task progress;
            lock (_gate)
            {
                _progress ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
                progress = _progress.Task;
            }

            if (Pending > limit)
            {
                await progress.WaitAsync(cancel).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Writes what is queued now. Only for use while <see cref="SendQueuedAsync"/> does not run.</summary>
    public async ValueTask FlushAsync(CancellationToken cancel)
    {
        int count;
        lock (_gate)
        {
            _signalled = false;
            (_filling, _emptying) = (_emptying, _filling);
            count = _filled;
            _filled = 0;
        }

        if (count > 0)
        {
            await stream.WriteAsync(_emptying.AsMemory(0, count), cancel).ConfigureAwait(false);
            await stream.FlushAsync(cancel).ConfigureAwait(false);
            counters.CountBytesOut(count);
            Interlocked.Exchange(ref _lastSent, time.GetTimestamp());
            if (_emptying.Length > KeptBuffer)
            {
                ArrayPool<byte>.Shared.Return(_emptying);
                _emptying = ArrayPool<byte>.Shared.Rent(InitialBuffer);
            }

            var position = Interlocked.Add(ref _written, count);
            TaskCompletionSource? progress;
            lock (_gate)
            {
                progress = _progress;
                _progress = null;
            }

            progress?.SetResult();
            Written?.Invoke(position);
        }
    }

    /// <summary>Closes the stream, which ends reading and sending.</summary>
    public async ValueTask CloseAsync()
    {
        // A stream that breaks while it is closed has nothing more to tell: the cause is known already.
        try
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
        }
    }

    /// <summary>Closes the stream; reading and sending must have ended, because a disposed semaphore never wakes those who wait.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        lock (_gate)
        {
            // Answers that waited for a save may come after this: nobody is woken for them any more.
            _signalled = true;
        }

        _hasOutput.Dispose();
    }

    private void MakeRoom()
    {
        if (_start == _end)
        {
            _start = _end = 0;
            if (_incoming.Length > KeptBuffer)
            {
                _incoming = new byte[InitialBuffer];
            }
        }

        if (_end < _incoming.Length)
        {
            return;
        }

        if (_start > 0)
        {
            _incoming.AsSpan(_start, _end - _start).CopyTo(_incoming);
            _end -= _start;
            _start = 0;
        }
        else
        {
            Array.Resize(ref _incoming, (int)Math.Min(_incoming.Length * 2L, Math.Max(maxIncomingPacketSize, InitialBuffer)));
        }
    }

    private Span<byte> Reserve(int size)
    {
        var needed = _filled + size;
        if (needed > _filling.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Max(needed, Math.Min(_filling.Length * 2L, Array.MaxLength)));
            _filling.AsSpan(0, _filled).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_filling);
            _filling = larger;
        }

        return _filling.AsSpan(_filled, size);
    }

    private long Queued(int size)
    {
        _filled += size;
        var position = Interlocked.Add(ref _queued, size);
        Wake();
        return position;
    }

    private void Wake()
    {
        if (!_signalled)
        {
            _signalled = true;
            _hasOutput.Release();
        }
    }
}
