using System.Numerics;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Hj212;

/// <summary>What a link has seen.</summary>
public sealed class Hj212Counters
{
    private readonly long[] _deviations = new long[32];
    private long _deviating;

    /// <summary>Packets with a right check sum.</summary>
    public long Packets { get; internal set; }

    /// <summary>Packets sent, repetitions included.</summary>
    public long Sent { get; internal set; }

    /// <summary>What looked like a packet, with a length that is no number or too large.</summary>
    public long WrongLengths { get; internal set; }

    /// <summary>Packets without CR LF where they should end.</summary>
    public long WrongEnds { get; internal set; }

    /// <summary>Packets with a wrong check sum.</summary>
    public long WrongCrcs { get; internal set; }

    /// <summary>Packets refused because the link is strict.</summary>
    public long Refused { get; internal set; }

    /// <summary>Bytes between packets.</summary>
    public long Noise { get; internal set; }

    /// <summary>Packets taken or refused that deviate from the standard in any way.</summary>
    public long DeviatingPackets => _deviating;

    /// <summary>What looked like a packet and was none: wrong length, end or check sum.</summary>
    public long Damaged => WrongLengths + WrongEnds + WrongCrcs;

    /// <summary>How many packets were taken or refused that deviate from the standard in this way.</summary>
    /// <param name="deviation">One of the flags.</param>
    public long Deviating(Hj212Deviations deviation) => _deviations[BitOperations.TrailingZeroCount((uint)deviation) & 31];

    internal void Count(Hj212Deviations deviations)
    {
        _deviating += deviations == Hj212Deviations.None ? 0 : 1;
        for (var rest = (uint)deviations; rest != 0; rest &= rest - 1)
        {
            _deviations[BitOperations.TrailingZeroCount(rest)]++;
        }
    }
}

/// <summary>How the wait for a packet ended.</summary>
public enum Hj212Event
{
    /// <summary>A packet came.</summary>
    Packet,

    /// <summary>None came in time.</summary>
    Silence,

    /// <summary>The link is closed or broken.</summary>
    Closed,
}

/// <summary>Packets over one open line. Has one owner, that calls one method at a time. What is damaged is counted and passed over; nobody is told, as the standard wants it.</summary>
public sealed class Hj212Link : IAsyncDisposable
{
    private readonly IByteLine _line;
    private readonly bool _isStrict;
    private readonly TimeProvider _time;
    private readonly byte[] _buffer = new byte[4 * Hj212Frame.MaxLength];
    private int _length;

    /// <param name="line">The line, which the link then owns.</param>
    /// <param name="isStrict">Whether packets that deviate from the standard are refused, or taken and counted.</param>
    /// <param name="time">The clock.</param>
    public Hj212Link(IByteLine line, bool isStrict, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(time);
        (_line, _isStrict, _time) = (line, isStrict, time);
    }

    /// <summary>What was seen so far; shared with other links of one owner when it is set.</summary>
    public Hj212Counters Counters { get; init; } = new();

    /// <summary>Sees every byte that goes out and comes in; null when nobody watches.</summary>
    public ILineTap? Tap { get; set; }

    /// <summary>Waits for the next packet.</summary>
    /// <param name="wait">How long at most; zero takes what has come.</param>
    /// <param name="cancel">Ends the wait with <see cref="OperationCanceledException"/>; nothing is lost by it.</param>
    public async ValueTask<(Hj212Event Event, Hj212Packet? Packet)> ReceiveAsync(TimeSpan wait, CancellationToken cancel = default)
    {
        var deadline = new Deadline(_time, wait);
        for (var hasRead = false; ; hasRead = true)
        {
            if (Take() is { } packet)
            {
                return (Hj212Event.Packet, packet);
            }

            // Noise that never ends is silence, too.
            if (hasRead && deadline.Left == TimeSpan.Zero)
            {
                return (Hj212Event.Silence, null);
            }

            var count = await _line.ReadAsync(_buffer.AsMemory(_length), deadline.Left, cancel).ConfigureAwait(false);
            if (count < 0)
            {
                return (Hj212Event.Closed, null);
            }

            Tap?.Received(_buffer.AsSpan(_length, count));
            _length += count;
        }
    }

    /// <summary>Sends a packet.</summary>
    /// <returns>False when the link is closed, or did not take it in time.</returns>
    public ValueTask<bool> SendAsync(Hj212Packet packet, TimeSpan wait, CancellationToken cancel = default)
    {
        var frame = Hj212Frame.Write(packet);
        Counters.Sent++;
        Tap?.Sent(frame);
        return _line.WriteAsync(frame, wait, cancel);
    }

    /// <summary>Closes the line.</summary>
    public ValueTask DisposeAsync() => _line.DisposeAsync();

    /// <summary>The first packet of the buffer, or null; what is damaged goes.</summary>
    private Hj212Packet? Take()
    {
        while (true)
        {
            var found = Hj212Frame.Find(_buffer.AsSpan(0, _length));
            Counters.Noise += found.At;
            Drop(found.At);
            switch (found.Kind)
            {
                case Hj212FoundKind.Packet:
                    var packet = Hj212Packet.Parse(Hj212Frame.SegmentOf(_buffer.AsSpan(0, found.Length)), out var deviations);
                    Drop(found.Length);
                    deviations |= found.Deviations;
                    Counters.Count(deviations);
                    if (_isStrict && deviations != Hj212Deviations.None)
                    {
                        Counters.Refused++;
                        continue;
                    }

                    Counters.Packets++;
                    return packet;
                case Hj212FoundKind.WrongLength:
                    Counters.WrongLengths++;
                    Drop(1);
                    continue;
                case Hj212FoundKind.WrongEnd:
                    Counters.WrongEnds++;
                    Drop(1);
                    continue;
                case Hj212FoundKind.WrongCrc:
                    Counters.WrongCrcs++;
                    Drop(1);
                    continue;
                default:
                    // At most one packet has begun, and the buffer holds several.
                    return null;
            }
        }
    }

    private void Drop(int count)
    {
        _buffer.AsSpan(count, _length - count).CopyTo(_buffer);
        _length -= count;
    }
}
