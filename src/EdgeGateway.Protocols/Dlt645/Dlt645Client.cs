using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Dlt645;

/// <summary>Reads meters on a line, or behind a device server on the network. DL/T 645-2007. It never writes to a meter.</summary>
/// <remarks>
/// A client has one owner, which asks one question after the other. An answer is recognised by address, function and identifier; what is to another question is thrown away and
/// counted. Frames hold no number: an answer that comes after its time and to the same question as is asked now is taken. It is then the right quantity of the right meter, and as
/// old as the time limit at most. Further frames carry a number and cannot be mixed up.
/// </remarks>
public sealed class Dlt645Client : IAsyncDisposable
{
    // A line that never falls silent is a broken one: the question is sent in the end, and the outcome will tell.
    private const int MostNoise = 2048;
    private const int MostFollowing = 255;
    private const int MostAddresses = 32;

    private readonly LineOpener _opener;
    private readonly Dlt645Options _options;
    private readonly TimeProvider _time;
    private readonly byte[] _request = new byte[Dlt645Frame.MostWakeUp + Dlt645Frame.MaxLength];
    private readonly byte[] _buffer = new byte[1024];
    private readonly byte[] _data = new byte[byte.MaxValue];
    private Dlt645Counters _counters;
    private int _requestLength;
    private int _length;

    /// <summary>A client for a line that is opened by the first question, and anew after it was lost.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option cannot be.</exception>
    public Dlt645Client(OpenByteLine open, Dlt645Options options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        _opener = new(open, time);
        _options = options;
        _time = time;
    }

    /// <summary>What this client has seen so far.</summary>
    public Dlt645Counters Counters => _counters;

    /// <summary>Sees every byte that goes out and comes in; null when nobody watches. May be set at any time.</summary>
    public ILineTap? Tap { get; set; }

    /// <summary>Reads the data of one identifier, with the frames that follow where one does not hold them.</summary>
    /// <param name="meter">The meter; never the broadcast. The wildcard only with one meter on the line.</param>
    /// <param name="identifier">What is asked.</param>
    /// <param name="destination">Receives the data behind the identifier, least significant byte first.</param>
    /// <param name="timeout">Time for the meter to begin each answer, connecting included; time on a serial wire is added by the client.</param>
    /// <param name="cancel">Abandons the question.</param>
    /// <exception cref="ArgumentException">Broadcasts are answered by nobody; a time limit of nothing.</exception>
    public async ValueTask<Dlt645Outcome> ReadAsync(
        MeterAddress meter, DataIdentifier identifier, Memory<byte> destination, TimeSpan timeout, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(meter.IsBroadcast, true, nameof(meter));
        var (outcome, reply) = await AskAsync(meter, Dlt645Function.Read, identifier, 0, timeout, cancel).ConfigureAwait(false);
        var read = 0;
        for (var number = 1; ; number++)
        {
            if (!outcome.IsOk)
            {
                return outcome;
            }

            // Behind the identifier of a further frame stand the data and the frame's number.
            var isFurther = number > 1;
            var payload = outcome.Length - DataIdentifier.Length - (isFurther ? 1 : 0);
            if (read + payload > destination.Length)
            {
                return new(Dlt645Status.Malformed, read, Detail: $"more than {destination.Length} bytes of data for {identifier}");
            }

            _data.AsSpan(DataIdentifier.Length, payload).CopyTo(destination.Span[read..]);
            read += payload;
            if (!reply.HasMore)
            {
                return read == 0 ? new(Dlt645Status.NoValue) : new(Dlt645Status.Ok, read);
            }

            if (number > MostFollowing)
            {
                return new(Dlt645Status.Malformed, read, Detail: "the meter announces more frames than can be numbered");
            }

            (outcome, reply) = await AskAsync(meter, Dlt645Function.ReadNext, identifier, (byte)number, timeout, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Asks whoever hears it for the address, and listens for the whole of <paramref name="timeout"/>: with one meter on the line it names itself.</summary>
    /// <param name="timeout">How long meters may take to answer.</param>
    /// <param name="cancel">Stops listening.</param>
    /// <returns>Ok and one address, or <see cref="Dlt645Status.Collision"/> and those that could be understood.</returns>
    public async ValueTask<(Dlt645Outcome Outcome, IReadOnlyList<MeterAddress> Meters)> IdentifyAsync(TimeSpan timeout, CancellationToken cancel = default)
    {
        var deadline = new Deadline(_time, timeout);
        var (failure, line) = await SendAsync(MeterAddress.Wildcard, Dlt645Function.ReadAddress, ReadOnlyMemory<byte>.Empty, deadline, cancel).ConfigureAwait(false);
        if (line is null)
        {
            return (failure, []);
        }

        List<MeterAddress> meters = [];
        var (answers, isDamaged, isPartial) = (0, false, false);
        var refused = Dlt645Deviations.None;
        var reply = new Deadline(_time, deadline.Left + TimeOf(_requestLength + Dlt645Frame.MinLength + MeterAddress.Length));
        while (true)
        {
            while (Take(out var found, out var frame))
            {
                if (found.Kind != Dlt645FoundKind.Frame)
                {
                    isDamaged = true;
                    refused |= found.Kind == Dlt645FoundKind.Deviating ? found.Deviations : Dlt645Deviations.None;
                    continue;
                }

                var length = Dlt645Frame.Read(frame, _data, out var from, out var control);
                if (!control.IsReply)
                {
                    _counters.Echoes++;
                }
                else if (control is { Function: Dlt645Function.ReadAddress, IsRefusal: false } && length == MeterAddress.Length && from.IsMeter)
                {
                    answers++;
                    if (!meters.Contains(from) && meters.Count < MostAddresses)
                    {
                        meters.Add(from);
                    }
                }
            }

            isPartial = HasUnfinished();
            var count = reply.Left > TimeSpan.Zero ? await ReceiveAsync(line, reply.Left, cancel).ConfigureAwait(false) : 0;
            if (count < 0)
            {
                return (await LostAsync().ConfigureAwait(false), meters);
            }

            if (count == 0)
            {
                break;
            }
        }

        _counters.Replies += answers;
        return (meters.Count, isDamaged || isPartial) switch
        {
            (1, false) => (new(Dlt645Status.Ok, MeterAddress.Length), meters),
            (0, _) when refused != Dlt645Deviations.None => (new(Dlt645Status.Malformed, Detail: Refusal(refused)), meters),
            (0, false) => (new(Dlt645Status.Timeout, Detail: "no meter answered the question for its address"), meters),
            _ => (new(Dlt645Status.Collision, Detail: meters.Count > 0 ? $"understood: {string.Join(", ", meters)}" : "nothing could be understood"), meters),
        };
    }

    /// <summary>Closes the line for good.</summary>
    public ValueTask DisposeAsync() => _opener.DisposeAsync();

    /// <summary>Asks one question and waits for its answer; the data, identifier included, stand in the client's own buffer.</summary>
    private async ValueTask<(Dlt645Outcome Outcome, Dlt645Control Reply)> AskAsync(
        MeterAddress meter, Dlt645Function function, DataIdentifier identifier, byte number, TimeSpan timeout, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        var deadline = new Deadline(_time, timeout);
        var asked = new byte[DataIdentifier.Length + (function == Dlt645Function.ReadNext ? 1 : 0)];
        identifier.Write(asked);
        if (function == Dlt645Function.ReadNext)
        {
            asked[^1] = number;
        }

        var (failure, line) = await SendAsync(meter, function, asked, deadline, cancel).ConfigureAwait(false);
        if (line is null)
        {
            return (failure, default);
        }

        // The kernel takes the question at once and sends it at the pace of the line; the answer has to travel as well.
        var reply = new Deadline(_time, deadline.Left + TimeOf(_requestLength + Dlt645Frame.MaxLength));
        var other = new Dlt645Outcome(Dlt645Status.Timeout);
        while (true)
        {
            while (Take(out var found, out var frame))
            {
                if (found.Kind != Dlt645FoundKind.Frame)
                {
                    other = found.Kind == Dlt645FoundKind.WrongCheckSum ? new(Dlt645Status.CorruptFrame) : new(Dlt645Status.Malformed, Detail: Refusal(found.Deviations));
                    continue;
                }

                var (outcome, control, isOurs) = Judge(frame, meter, function, identifier, number);
                if (isOurs)
                {
                    _counters.Replies++;
                    return (outcome, control);
                }

                other = outcome.Status == Dlt645Status.Timeout ? other : outcome;
            }

            var isUnfinished = HasUnfinished();
            var isEnding = isUnfinished || other.Status is Dlt645Status.CorruptFrame or Dlt645Status.Malformed;
            var wait = isEnding && _options.ReplyGap < reply.Left ? _options.ReplyGap : reply.Left;
            var count = wait > TimeSpan.Zero ? await ReceiveAsync(line, wait, cancel).ConfigureAwait(false) : 0;
            if (count < 0)
            {
                return (await LostAsync().ConfigureAwait(false), default);
            }

            if (count == 0)
            {
                return (isUnfinished && other.Status == Dlt645Status.Timeout ? new(Dlt645Status.ShortReply) : other, default);
            }
        }
    }

    /// <summary>What a whole frame means for the question; a Timeout that is not ours says nothing.</summary>
    private (Dlt645Outcome Outcome, Dlt645Control Control, bool IsOurs) Judge(ReadOnlySpan<byte> frame, MeterAddress meter, Dlt645Function function, DataIdentifier identifier, byte number)
    {
        var length = Dlt645Frame.Read(frame, _data, out var from, out var control);
        if (!control.IsReply)
        {
            if (frame.SequenceEqual(_request.AsSpan(_options.WakeUp, _requestLength - _options.WakeUp)))
            {
                _counters.Echoes++;
                return (new(Dlt645Status.Timeout), control, false);
            }

            return (new(Dlt645Status.WrongReply, Detail: $"another client asks {from}"), control, false);
        }

        if (from != meter && !meter.IsWildcard)
        {
            return (new(Dlt645Status.WrongAddress, Detail: $"asked {meter}, answered {from}"), control, false);
        }

        if (control.Function != function)
        {
            _counters.LateDiscarded++;
            return (new(Dlt645Status.Timeout), control, false);
        }

        if (control.IsRefusal)
        {
            return (new(Dlt645Status.Refused, Refusals: length > 0 ? (Dlt645Refusals)_data[0] : Dlt645Refusals.None), control, true);
        }

        var isFurther = function == Dlt645Function.ReadNext;
        if (length < DataIdentifier.Length + (isFurther ? 1 : 0))
        {
            return (new(Dlt645Status.Malformed, Detail: $"{length} bytes of data are no answer to a read"), control, true);
        }

        if (DataIdentifier.Read(_data) != identifier || (isFurther && _data[length - 1] != number))
        {
            _counters.LateDiscarded++;
            return (new(Dlt645Status.Timeout), control, false);
        }

        return (new(Dlt645Status.Ok, length), control, true);
    }

    /// <summary>Opens the line if it is not, waits for silence, and sends; no line when that failed.</summary>
    private async ValueTask<(Dlt645Outcome Failure, IByteLine? Line)> SendAsync(
        MeterAddress meter, Dlt645Function function, ReadOnlyMemory<byte> data, Deadline deadline, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        for (var mayReopen = _opener.Line is not null; ; mayReopen = false)
        {
            if (_opener.Line is null)
            {
                var opened = await _opener.OpenAsync(deadline.Left, cancel).ConfigureAwait(false);
                if (!opened.IsOk)
                {
                    return (new(Dlt645Status.NotConnected, Detail: opened.Detail), null);
                }

                _counters.Connects++;
                Tap?.LineChanged(isOpen: true);
            }

            if (_opener.Line is not { } line)
            {
                return (new(Dlt645Status.NotConnected, Detail: LineOpener.Refusal.Detail), null);
            }

            if (await FallSilentAsync(line, deadline, cancel).ConfigureAwait(false))
            {
                _requestLength = Dlt645Frame.Write(_request, meter, Dlt645Control.Request(function), data.Span, _options.WakeUp);
                _counters.Requests++;
                Tap?.Sent(_request.AsSpan(0, _requestLength));
                if (await line.WriteAsync(_request.AsMemory(0, _requestLength), deadline.Left + TimeOf(_requestLength), cancel).ConfigureAwait(false))
                {
                    return (default, line);
                }

                return (await LostAsync().ConfigureAwait(false), null);
            }

            // A device server closed an idle connection, or an adapter was plugged in anew: it shows only now, and nothing was asked yet.
            var lost = await LostAsync().ConfigureAwait(false);
            if (!mayReopen)
            {
                return (lost, null);
            }
        }
    }

    /// <summary>Throws away what comes until nothing comes for long enough; false when the line is lost.</summary>
    private async ValueTask<bool> FallSilentAsync(IByteLine line, Deadline deadline, CancellationToken cancel)
    {
        _length = 0;
        for (var thrown = 0; thrown < MostNoise;)
        {
            var count = await ReceiveAsync(line, _options.Silence, cancel).ConfigureAwait(false);
            if (count < 0)
            {
                return false;
            }

            while (Take(out var found, out _))
            {
                _counters.LateDiscarded += found.Kind == Dlt645FoundKind.Frame ? 1 : 0;
            }

            thrown += count;
            if (count == 0 || deadline.Left == TimeSpan.Zero)
            {
                break;
            }
        }

        _length = 0;
        return true;
    }

    private async ValueTask<int> ReceiveAsync(IByteLine line, TimeSpan wait, CancellationToken cancel)
    {
        if (_length == _buffer.Length)
        {
            // A line that chatters without end: what could still be the start of a frame is kept.
            Drop(_length - Dlt645Frame.MaxLength);
        }

        var count = await line.ReadAsync(_buffer.AsMemory(_length), wait, cancel).ConfigureAwait(false);
        if (count > 0)
        {
            Tap?.Received(_buffer.AsSpan(_length, count));
            _length += count;
        }

        return count;
    }

    /// <summary>Takes the first frame out of the buffer: a whole one, or one that is damaged and behind which nothing is awaited.</summary>
    private bool Take(out Dlt645Found found, out ReadOnlySpan<byte> frame)
    {
        found = Dlt645Frame.Find(_buffer.AsSpan(0, _length), _options.Strictness);
        frame = default;
        switch (found.Kind)
        {
            case Dlt645FoundKind.Frame:
                _counters.Count(found.Deviations);
                frame = _buffer.AsSpan(found.At, found.Length).ToArray();
                Drop(found.At + found.Length);
                return true;
            case Dlt645FoundKind.WrongCheckSum:
                // One byte on: what looked like a start may have been noise in front of one.
                _counters.CheckSumErrors++;
                Drop(found.At + 1);
                return true;
            case Dlt645FoundKind.Deviating:
                _counters.Refused++;
                _counters.Count(found.Deviations);

                // Without its end the length is in doubt, and a frame may begin inside.
                Drop(found.At + (found.Deviations.HasFlag(Dlt645Deviations.WrongEnd) ? 1 : found.Length));
                return true;
            default:
                return false;
        }
    }

    private static string Refusal(Dlt645Deviations deviations) => deviations.HasFlag(Dlt645Deviations.WrongEnd)
        ? "its check sum is right, and it does not end with 16: only a lenient client takes such answers"
        : $"the frame deviates from the standard: {deviations}";

    private bool HasUnfinished() => Dlt645Frame.Find(_buffer.AsSpan(0, _length), _options.Strictness).Kind == Dlt645FoundKind.Incomplete;

    private void Drop(int count)
    {
        _buffer.AsSpan(count, _length - count).CopyTo(_buffer);
        _length -= count;
    }

    private async ValueTask<Dlt645Outcome> LostAsync()
    {
        Tap?.LineChanged(isOpen: false);
        await _opener.CloseAsync().ConfigureAwait(false);
        return new(Dlt645Status.NotConnected, Detail: "the line was closed or broke: was the adapter unplugged?");
    }

    private TimeSpan TimeOf(int characters) => _options.Line?.TimeOf(characters) ?? TimeSpan.Zero;
}
