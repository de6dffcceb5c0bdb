using System.Buffers.Binary;

namespace EdgeGateway.Tracing;

/// <summary>What happened on a wire.</summary>
internal enum WireEvent : byte
{
    Sent,
    Received,
    Opened,
    Closed,
}

/// <summary>Takes what passed from a watcher, in order.</summary>
internal interface IWireReader
{
    void Take(WireEvent what, TimeSpan at, ReadOnlySpan<byte> bytes);
}

/// <summary>
/// One person who watches a bus: a ring of fixed size between the owner of the bus, which is never held up, and a reader of any speed.
/// What does not fit is counted and lost.
/// </summary>
internal sealed class WireWatcher : IDisposable
{
    /// <summary>Bytes of the ring; some seconds of the busiest TCP device, hours of a serial line.</summary>
    public const int DefaultSize = 256 * 1024;

    // Kind, ticks, length.
    private const int Header = 1 + 8 + 4;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly byte[] _ring;
    private byte[] _chunk = new byte[1024];
    private int _start;
    private int _count;
    private long _lost;
    private bool _isSignalled;

    public WireWatcher(int size = DefaultSize) => _ring = new byte[size];

    /// <summary>True when nothing more will come.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Called by the owner of the bus: copies, never waits, allocates nothing.</summary>
    public void Put(WireEvent what, TimeSpan at, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            // Once something is lost, nothing newer comes in before the reader has been told where the hole is.
            if (_lost > 0 || _count + Header + bytes.Length > _ring.Length)
            {
                _lost++;
                return;
            }

            Span<byte> header = stackalloc byte[Header];
            header[0] = (byte)what;
            BinaryPrimitives.WriteInt64LittleEndian(header[1..], at.Ticks);
            BinaryPrimitives.WriteInt32LittleEndian(header[9..], bytes.Length);
            Append(header);
            Append(bytes);
            Signal();
        }
    }

    /// <summary>Nothing more will come; what is in the ring can still be taken.</summary>
    public void End()
    {
        lock (_gate)
        {
            HasEnded = true;
            Signal();
        }
    }

    /// <summary>Waits until there is something to take, or the end, at most <paramref name="wait"/>.</summary>
    public async Task WaitAsync(TimeSpan wait, CancellationToken cancel)
    {
        if (await _signal.WaitAsync(wait, cancel).ConfigureAwait(false))
        {
            lock (_gate)
            {
                _isSignalled = false;
            }
        }
    }

    /// <summary>Takes what there is, at most <paramref name="most"/> events.</summary>
    /// <param name="reader">Receives them.</param>
    /// <param name="most">Bounds what one call takes.</param>
    /// <param name="lost">Events that had no room since the last call that took all; they are newer than those taken.</param>
    /// <returns>True when there is more to take.</returns>
    public bool Drain(IWireReader reader, int most, out long lost)
    {
        lost = 0;
        Span<byte> header = stackalloc byte[Header];
        for (var taken = 0; taken < most; taken++)
        {
            WireEvent what;
            TimeSpan at;
            int length;
            lock (_gate)
            {
                if (_count == 0)
                {
                    (lost, _lost) = (_lost, 0);
                    return false;
                }

                Remove(header);
                what = (WireEvent)header[0];
                at = TimeSpan.FromTicks(BinaryPrimitives.ReadInt64LittleEndian(header[1..]));
                length = BinaryPrimitives.ReadInt32LittleEndian(header[9..]);
                if (_chunk.Length < length)
                {
                    _chunk = new byte[length];
                }

                Remove(_chunk.AsSpan(0, length));
            }

            reader.Take(what, at, _chunk.AsSpan(0, length));
        }

        return true;
    }

    public void Dispose() => _signal.Dispose();

    private void Signal()
    {
        if (!_isSignalled)
        {
            _isSignalled = true;
            _signal.Release();
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        var at = (_start + _count) % _ring.Length;
        var first = Math.Min(bytes.Length, _ring.Length - at);
        bytes[..first].CopyTo(_ring.AsSpan(at));
        bytes[first..].CopyTo(_ring);
        _count += bytes.Length;
    }

    private void Remove(Span<byte> bytes)
    {
        var first = Math.Min(bytes.Length, _ring.Length - _start);
        _ring.AsSpan(_start, first).CopyTo(bytes);
        _ring.AsSpan(0, bytes.Length - first).CopyTo(bytes[first..]);
        _start = (_start + bytes.Length) % _ring.Length;
        _count -= bytes.Length;
    }
}
