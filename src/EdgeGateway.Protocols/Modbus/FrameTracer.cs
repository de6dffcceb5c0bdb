using System.Buffers.Binary;

namespace EdgeGateway.Protocols.Modbus;

/// <summary>
/// Turns the bytes of a line into frames in words: who asks what, who answers, how long it took, and what is odd about it. Pure: it
/// has no clock and no line; it is told what passed and when.
/// </summary>
/// <remarks>
/// It remembers the last <see cref="Remembered"/> requests. On a serial line the
/// length of a frame comes from its content, as in <see cref="RtuFrame"/>; both directions are recognised, so that other clients and
/// their devices can be listened to.
/// </remarks>
/// <param name="format">How frames are told apart.</param>
/// <param name="report">Receives each frame, in order.</param>
public sealed class FrameTracer(FrameFormat format, Action<TracedFrame> report) : LineTracer(report)
{
    /// <summary>How many requests are remembered, to recognise late answers.</summary>
    public const int Remembered = 64;

    // The longest frame is an ASCII one: a colon, two digits for each of 254 bytes, carriage return and line feed.
    private const int LongestAscii = 513;

    private readonly List<Asked> _asked = new(Remembered);
    private int _noise;

    private enum Look
    {
        Nothing,
        Wait,
        Frame,
    }

    /// <summary>A pause inside a frame after which the rest is not awaited; more than adapters hold bytes back.</summary>
    public override TimeSpan Gap { get; init; } = TimeSpan.FromMilliseconds(80);

    /// <summary>How many requests the client may have under way at once; an answer that so many newer requests have overtaken is late.</summary>
    public int InFlight { get; set; } = 1;

    /// <inheritdoc/>
    public override void Sent(TimeSpan at, ReadOnlySpan<byte> frame)
    {
        // On TCP a frame may be interrupted by a request of ours; on a line nothing can come any more that belongs to what came before.
        if (format != FrameFormat.Tcp)
        {
            Flush();
        }

        if (TryPdu(frame, out var unit, out var transaction, out var pdu, out var check))
        {
            Request(at, frame, unit, transaction, pdu, check, isSent: true);
        }
        else
        {
            Report(new(at, true, TraceKind.Noise, $"{FrameText.Count(frame.Length, "byte")} sent that make no frame", frame.ToArray()));
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        if (Waiting.Length > 0)
        {
            Examine(isFinal: true, Last);
            ReportNoise(Waiting.Length);
        }
    }

    /// <inheritdoc/>
    protected override void Examine(TimeSpan at) => Examine(isFinal: false, at);

    /// <inheritdoc/>
    protected override void ForgetAsked() => _asked.Clear();

    private void Examine(bool isFinal, TimeSpan at)
    {
        while (Waiting.Length > _noise)
        {
            var look = Find(Waiting[_noise..], isFinal, out var length);
            if (look == Look.Wait && !isFinal)
            {
                return;
            }

            if (look != Look.Frame)
            {
                _noise++;
                continue;
            }

            var begin = _noise;
            ReportNoise(begin);
            Take(Waiting[..length]);
            Drop(length);
            Started = at;
        }
    }

    private Look Find(ReadOnlySpan<byte> bytes, bool isFinal, out int length) => format switch
    {
        FrameFormat.Tcp => FindTcp(bytes, out length),
        FrameFormat.Ascii => FindAscii(bytes, out length),
        _ => FindRtu(bytes, isFinal && _noise == 0, out length),
    };

    private static Look FindTcp(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (bytes.Length < MbapHeader.Size)
        {
            // The protocol identifier tells early: 00 00 behind the transaction.
            return (bytes.Length > 2 && bytes[2] != 0) || (bytes.Length > 3 && bytes[3] != 0) ? Look.Nothing : Look.Wait;
        }

        if (!MbapHeader.TryRead(bytes, out var header))
        {
            return Look.Nothing;
        }

        length = MbapHeader.Size + header.PduLength;
        return length <= bytes.Length ? Look.Frame : Look.Wait;
    }

    private static Look FindAscii(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (bytes[0] != ':')
        {
            return Look.Nothing;
        }

        for (var i = 1; i < bytes.Length; i++)
        {
            if (bytes[i] == '\n')
            {
                length = i + 1;
                return bytes[i - 1] == '\r' && i >= 8 && i % 2 == 0 ? Look.Frame : Look.Nothing;
            }

            if (bytes[i] != '\r' && !char.IsAsciiHexDigit((char)bytes[i]))
            {
                return Look.Nothing;
            }
        }

        return bytes.Length > LongestAscii ? Look.Nothing : Look.Wait;
    }

    private static Look FindRtu(ReadOnlySpan<byte> bytes, bool isFinal, out int length)
    {
        var reply = FrameLengths.OfReply(bytes);
        var request = FrameLengths.OfRequest(bytes);
        foreach (var candidate in (ReadOnlySpan<int>)[Math.Min(reply, request), Math.Max(reply, request)])
        {
            if (candidate >= RtuFrame.MinLength && candidate <= Math.Min(bytes.Length, RtuFrame.MaxLength) && RtuFrame.HasValidCrc(bytes[..candidate]))
            {
                length = candidate;
                return Look.Frame;
            }
        }

        // A function of a maker's own has no length in its content; only a pause ends it.
        length = bytes.Length;
        if (isFinal && bytes.Length <= RtuFrame.MaxLength && RtuFrame.HasValidCrc(bytes))
        {
            return Look.Frame;
        }

        return IsOpen(reply, bytes.Length) || IsOpen(request, bytes.Length) ? Look.Wait : Look.Nothing;
    }

    private static bool IsOpen(int length, int have) => length == 0 ? have < RtuFrame.MaxLength : length > have && length <= RtuFrame.MaxLength;

    /// <summary>Unit and PDU of a whole frame.</summary>
    private bool TryPdu(ReadOnlySpan<byte> frame, out byte unit, out int transaction, out ReadOnlySpan<byte> pdu, out CheckSum check)
    {
        (unit, transaction, check) = (0, -1, CheckSum.None);
        pdu = default;
        switch (format)
        {
            case FrameFormat.Tcp:
                if (!MbapHeader.TryRead(frame, out var header) || frame.Length != MbapHeader.Size + header.PduLength)
                {
                    return false;
                }

                (unit, transaction) = (header.Unit, header.TransactionId);
                pdu = frame[MbapHeader.Size..];
                return true;
            case FrameFormat.Ascii:
                var digits = frame.Length >= 9 && frame[0] == ':' ? frame[1..^2] : [];
                var plain = new byte[digits.Length / 2];
                if (digits.Length % 2 != 0 || plain.Length < 3 || plain.Length > RtuFrame.MaxLength || Convert.FromHexString(digits, plain, out _, out _) != System.Buffers.OperationStatus.Done)
                {
                    return false;
                }

                byte sum = 0;
                foreach (var b in plain)
                {
                    sum = unchecked((byte)(sum + b));
                }

                (unit, check) = (plain[0], sum == 0 ? CheckSum.Good : CheckSum.Wrong);
                pdu = plain.AsSpan()[1..^1];
                return true;
            default:
                if (frame.Length < RtuFrame.MinLength || frame.Length > RtuFrame.MaxLength)
                {
                    return false;
                }

                (unit, check) = (frame[0], RtuFrame.HasValidCrc(frame) ? CheckSum.Good : CheckSum.Wrong);
                pdu = frame[1..^2];
                return true;
        }
    }

    /// <summary>A whole frame came.</summary>
    private void Take(ReadOnlySpan<byte> frame)
    {
        var at = Started;
        if (!TryPdu(frame, out var unit, out var transaction, out var pdu, out var check))
        {
            Report(new(at, false, TraceKind.Noise, $"{FrameText.Count(frame.Length, "byte")} that make no frame", frame.ToArray()));
            return;
        }

        if (check == CheckSum.Wrong)
        {
            Report(new(at, false, TraceKind.Damaged, "frame with a wrong check sum", frame.ToArray()) { Unit = unit, Function = Code(pdu), Check = check });
            return;
        }

        if (format == FrameFormat.Tcp)
        {
            Reply(at, frame, unit, pdu, check, _asked.FindLast(a => a.Transaction == transaction), isByTransaction: true);
            return;
        }

        var newest = _asked.Count > 0 ? _asked[^1] : null;
        var isOurs = newest is { IsSent: true } && frame.SequenceEqual(newest.Bytes);
        if (isOurs && (newest!.Answers > 0 || !IsMirrored(pdu[0])))
        {
            Report(new(at, false, TraceKind.Echo, "our own request, heard back", frame.ToArray())
            {
                Unit = unit,
                AskedUnit = newest.Unit,
                Function = Code(pdu),
                Check = check,
                Note = newest.Answers > 0 && newest.Echoes == 0
                    ? "echo of our own request, or the answer came twice"
                    : "echo of our own request: the adapter does not switch off its receiver while it sends",
            });
            newest.Echoes++;
            return;
        }

        if (IsReply(unit, pdu, frame))
        {
            Reply(at, frame, unit, pdu, check, Match(unit, pdu), isByTransaction: false);
        }
        else
        {
            Request(at, frame, unit, -1, pdu, check, isSent: false);
        }
    }

    /// <summary>Functions whose answer repeats the request byte for byte.</summary>
    private static bool IsMirrored(byte function) => function is 5 or 6 or 8 or 22;

    private static byte Code(ReadOnlySpan<byte> pdu) => pdu.IsEmpty ? (byte)0 : (byte)(pdu[0] & ~Pdu.ExceptionFlag);

    /// <summary>Whether a serial frame is an answer; some bytes can be read both ways, and then what was asked before decides.</summary>
    private bool IsReply(byte unit, ReadOnlySpan<byte> pdu, ReadOnlySpan<byte> frame)
    {
        if (format == FrameFormat.Ascii)
        {
            // No frame length to go by: the shape of the PDU decides.
            Span<byte> rtu = stackalloc byte[RtuFrame.MaxLength];
            if (pdu.Length + 3 > rtu.Length)
            {
                return true;
            }

            pdu.CopyTo(rtu[1..]);
            var length = pdu.Length + 3;
            return IsReplyByShape(unit, pdu, FrameLengths.OfReply(rtu[..length]) == length, FrameLengths.OfRequest(rtu[..length]) == length);
        }

        return IsReplyByShape(unit, pdu, FrameLengths.OfReply(frame) == frame.Length, FrameLengths.OfRequest(frame) == frame.Length);
    }

    private bool IsReplyByShape(byte unit, ReadOnlySpan<byte> pdu, bool canReply, bool canRequest)
    {
        if (canReply != canRequest)
        {
            return canReply;
        }

        // Both, or a function of a maker's own: an answer when somebody has just asked this.
        return _asked.Count > 0 && _asked[^1] is var asked && asked.Function == Code(pdu) && asked.Unit == unit && (asked.IsSent || asked.Answers == 0)
            && (asked.ExpectedBytes < 0 || pdu.Length - 2 == asked.ExpectedBytes);
    }

    /// <summary>The request that a serial answer belongs to: the newest that it fits and that has none.</summary>
    private Asked? Match(byte unit, ReadOnlySpan<byte> pdu)
    {
        Asked? answered = null;
        for (var i = _asked.Count - 1; i >= 0; i--)
        {
            var asked = _asked[i];
            if (asked.Unit == unit && asked.Function == Code(pdu) && asked.Fits(pdu))
            {
                if (asked.Answers == 0)
                {
                    return asked;
                }

                answered ??= asked;
            }
        }

        return answered;
    }

    private void Request(TimeSpan at, ReadOnlySpan<byte> frame, byte unit, int transaction, ReadOnlySpan<byte> pdu, CheckSum check, bool isSent)
    {
        var text = FrameText.Request(pdu, out var address, out var quantity);
        if (_asked.Count == Remembered)
        {
            _asked.RemoveAt(0);
        }

        var others = !isSent && _asked.Exists(a => a.IsSent);
        _asked.Add(new(at, unit, Code(pdu), pdu[0] is >= 1 and <= 4 ? quantity ?? 0 : -1, transaction, isSent, frame.ToArray()) { Address = address });
        Report(new(at, isSent, TraceKind.Request, text, frame.ToArray())
        {
            Unit = unit,
            AskedUnit = unit,
            Function = Code(pdu),
            Address = address,
            Quantity = quantity,
            Check = check,
            Note = others ? "a request of another client: a line has room for one" : "",
        });
    }

    private void Reply(TimeSpan at, ReadOnlySpan<byte> frame, byte unit, ReadOnlySpan<byte> pdu, CheckSum check, Asked? asked, bool isByTransaction)
    {
        var newest = _asked.Count > 0 ? _asked[^1] : null;
        var latency = asked is null ? (TimeSpan?)null : at - asked.At;
        Report(new(at, false, (pdu[0] & Pdu.ExceptionFlag) != 0 ? TraceKind.Exception : TraceKind.Reply, FrameText.Reply(pdu), frame.ToArray())
        {
            Unit = unit,
            AskedUnit = (asked ?? newest)?.Unit,
            Function = Code(pdu),
            Address = asked?.Address,
            Quantity = asked?.Quantity,
            ExceptionCode = (pdu[0] & Pdu.ExceptionFlag) != 0 && pdu.Length > 1 ? pdu[1] : (byte)0,
            Check = check,
            Latency = latency,
            Note = Oddity(unit, pdu, asked, newest, latency, isByTransaction),
        });
        if (asked is not null)
        {
            asked.Answers++;
        }
    }

    private string Oddity(byte unit, ReadOnlySpan<byte> pdu, Asked? asked, Asked? newest, TimeSpan? latency, bool isByTransaction)
    {
        if (asked is null)
        {
            return newest switch
            {
                null => "answers a request from before the trace began, or of nobody",
                _ when isByTransaction => "late or stray: its transaction id is that of no request remembered",
                { Answers: 0 } when newest.Unit != unit && newest.Function == Code(pdu) => $"reply from unit {unit} to a request for unit {newest.Unit}",
                { Answers: 0 } when newest.Unit == unit && newest.Function != Code(pdu) => $"answers '{FrameText.FunctionName(Code(pdu))}' where '{FrameText.FunctionName(newest.Function)}' was asked",
                { Answers: 0 } when newest.Unit == unit => $"brings {pdu.Length - 2} bytes of data where {newest.ExpectedBytes} were asked for",
                _ => "nobody asked for it: late, or for another client",
            };
        }

        if (isByTransaction && asked.Unit != unit)
        {
            return $"reply from unit {unit} to a request for unit {asked.Unit}";
        }

        if (isByTransaction && asked.Function != Code(pdu))
        {
            return $"answers '{FrameText.FunctionName(Code(pdu))}' where '{FrameText.FunctionName(asked.Function)}' was asked";
        }

        if (asked.Answers > 0)
        {
            return "a second copy of the reply";
        }

        if (!asked.Fits(pdu))
        {
            return $"brings {pdu.Length - 2} bytes of data where {asked.ExpectedBytes} were asked for";
        }

        var newer = _asked.Count - 1 - _asked.IndexOf(asked);
        return newer >= InFlight ? $"late reply: its request was given up, {FrameText.Count(newer, "newer request")} followed within {latency!.Value.TotalMilliseconds:0} ms" : "";
    }

    /// <summary>Reports the first bytes of the buffer as what could not be read, and drops them.</summary>
    private void ReportNoise(int length)
    {
        if (length > 0)
        {
            var bytes = Waiting[..length];
            Report(Unreadable(bytes));
            Drop(length);
        }

        _noise = 0;
    }

    private TracedFrame Unreadable(ReadOnlySpan<byte> bytes)
    {
        var newest = _asked.Count > 0 ? _asked[^1] : null;
        if (newest is { IsSent: true, Answers: 0 } && format != FrameFormat.Tcp && bytes.Length < newest.Bytes.Length && newest.Bytes.AsSpan().StartsWith(bytes))
        {
            return new(Started, false, TraceKind.Echo, $"the first {FrameText.Count(bytes.Length, "byte")} of our own request, heard back", bytes.ToArray())
            {
                AskedUnit = newest.Unit,
                Note = "echo of our own request, broken off",
            };
        }

        if (format == FrameFormat.Rtu && bytes.Length >= 2 && newest is not null && bytes[0] == newest.Unit && (bytes[1] & ~Pdu.ExceptionFlag) == newest.Function)
        {
            var length = FrameLengths.OfReply(bytes);
            var frame = new TracedFrame(Started, false, TraceKind.Damaged, "", bytes.ToArray())
            {
                Unit = bytes[0],
                AskedUnit = newest.Unit,
                Function = (byte)(bytes[1] & ~Pdu.ExceptionFlag),
                Latency = Started - newest.At,
            };
            if (length > bytes.Length || length == 0)
            {
                return frame with
                {
                    Text = $"the beginning of a reply: {bytes.Length} of {(length > 0 ? length : 5 + newest.ExpectedBytes)} bytes",
                    Note = "broken off: the unit stopped sending, or bytes were lost",
                };
            }

            if (length >= RtuFrame.MinLength)
            {
                var stated = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(length - 2)..]);
                var computed = Crc16.Of(bytes[..(length - 2)]);
                return frame with
                {
                    Text = $"a reply with a wrong check sum: {stated:X4}, its bytes make {computed:X4}",
                    Check = CheckSum.Wrong,
                    Note = "damaged on the way, or two units answered at once",
                };
            }
        }

        return new(Started, false, TraceKind.Noise, $"{FrameText.Count(bytes.Length, "byte")} that make no frame", bytes.ToArray())
        {
            AskedUnit = newest?.Unit,
            Check = CheckSum.None,
            Note = format == FrameFormat.Tcp ? "no Modbus TCP header: is another protocol, or RTU over TCP, spoken here?" : "noise, or another speed or parity",
        };
    }

    private void Drop(int length)
    {
        Remove(length);
        _noise = Math.Max(0, _noise - length);
    }

    /// <summary>A request that an answer may belong to.</summary>
    private sealed class Asked(TimeSpan at, byte unit, byte function, int quantity, int transaction, bool isSent, byte[] bytes)
    {
        public TimeSpan At => at;

        public byte Unit => unit;

        public byte Function => function;

        public int Transaction => transaction;

        public bool IsSent => isSent;

        public byte[] Bytes => bytes;

        public int? Quantity => quantity >= 0 ? quantity : null;

        public int? Address { get; init; }

        public int Answers { get; set; }

        public int Echoes { get; set; }

        /// <summary>Bytes of data that a read brings; -1 when the function does not say.</summary>
        public int ExpectedBytes => function is 1 or 2 ? (quantity + 7) / 8 : function is 3 or 4 ? 2 * quantity : -1;

        public bool Fits(ReadOnlySpan<byte> pdu) =>
            (pdu[0] & Pdu.ExceptionFlag) != 0 || ExpectedBytes < 0 || pdu.Length - 2 == ExpectedBytes;
    }
}
