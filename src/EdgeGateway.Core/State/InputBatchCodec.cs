using System.Buffers;
using System.Buffers.Binary;

namespace EdgeGateway.Core.State;

/// <summary>The compact form of an input batch in the sample log: about 4 to 8 bytes for each sample.</summary>
/// <remarks>
/// Payload: <c>number | now | boot id, 16 bytes | monotonic ms | flags, 1 byte [| step in ticks] [| release through] [| offset in ms] | count | CRC-32 of all values, 4 bytes</c>,
/// then for each sample one control byte and what it announces:
/// <list type="bullet">
/// <item>bit 0: the point is not the one after the point before: the difference follows</item>
/// <item>bit 1: the time is not that of the sample before: the difference in ms follows</item>
/// <item>bit 2: the quality is not good: status, reason, detail follow</item>
/// <item>bit 3: the value cannot be derived from the raw register: its 8 bytes follow</item>
/// <item>bits 4 and 5: the raw register is 0, a variable-length number, 4 bytes or 8 bytes</item>
/// </list>
/// Flags: bit 0, the clock stepped; bits 1 and 2, the <see cref="TimeQuality"/>; bit 3, held; bit 4, releases held batches; bit 5, with an offset.
/// Numbers are LEB128, signed ones zigzag. A value that a bad sample lacks is <see cref="double.NaN"/>; any other is what
/// <c>valueOf(point, raw)</c> gives, and the CRC of the values notices when it gives something else than it did at writing.
/// </remarks>
public static class InputBatchCodec
{
    private const int MaxSampleLength = 1 + 5 + 10 + 3 + 8 + 10;
    private const int MaxHeaderLength = 10 + 10 + 16 + 10 + 1 + 10 + 10 + 10 + 5 + 4;
    private const byte PointFollows = 1;
    private const byte TimeFollows = 2;
    private const byte QualityFollows = 4;
    private const byte ValueFollows = 8;
    private const byte RawVarint = 1 << 4;
    private const byte Raw32 = 2 << 4;
    private const byte Raw64 = 3 << 4;
    private const byte RawMask = 3 << 4;
    private const byte Known = 0x3F;

    private const byte HasStep = 1;
    private const int QualityShift = 1;
    private const byte IsHeld = 8;
    private const byte HasRelease = 16;
    private const byte HasOffset = 32;

    /// <summary>Appends the frame of <paramref name="batch"/> to <paramref name="output"/>; allocates only when the buffer must grow.</summary>
    /// <param name="batch">What to write.</param>
    /// <param name="valueOf">Value of a point for a raw register; must not throw, also for points it does not know (NaN).</param>
    /// <param name="output">Receives the frame.</param>
    public static void Encode(in InputBatch batch, Func<int, ulong, double> valueOf, IBufferWriter<byte> output)
    {
        var samples = batch.Samples.Span;
        var frame = output.GetSpan(StoredFrame.HeaderLength + MaxHeaderLength + checked(samples.Length * MaxSampleLength));
        var at = StoredFrame.HeaderLength;
        WriteUnsigned(frame, ref at, checked((ulong)batch.Number));
        WriteSigned(frame, ref at, batch.Now.UnixMilliseconds);
        batch.BootId.TryWriteBytes(frame[at..], bigEndian: true, out _);
        at += 16;
        WriteSigned(frame, ref at, batch.MonotonicMilliseconds);
        frame[at++] = (byte)((batch.ClockStep.HasValue ? HasStep : 0) | ((int)batch.Quality << QualityShift) | (batch.Held ? IsHeld : 0)
            | (batch.Release is { } end ? HasRelease | (end.Offset.HasValue ? HasOffset : 0) : 0));
        if (batch.ClockStep is { } step)
        {
            WriteSigned(frame, ref at, step.Ticks);
        }

        if (batch.Release is { } release)
        {
            WriteUnsigned(frame, ref at, checked((ulong)release.Through));
            if (release.Offset is { } offset)
            {
                WriteSigned(frame, ref at, offset);
            }
        }

        WriteUnsigned(frame, ref at, (ulong)samples.Length);
        var crcAt = at;
        at += 4;
        var crc = 0u;
        var point = -1;
        var time = batch.Now.UnixMilliseconds;
        foreach (ref readonly var sample in samples)
        {
            var controlAt = at++;
            byte control = 0;
            var expected = unchecked(point + 1);
            if (sample.Point != expected)
            {
                control |= PointFollows;
                WriteSigned(frame, ref at, unchecked(sample.Point - expected));
            }

            if (sample.Time.UnixMilliseconds != time)
            {
                control |= TimeFollows;
                WriteSigned(frame, ref at, unchecked(sample.Time.UnixMilliseconds - time));
            }

            if (sample.Quality != Quality.Good)
            {
                control |= QualityFollows;
                frame[at++] = (byte)sample.Quality.Status;
                frame[at++] = (byte)sample.Quality.Reason;
                frame[at++] = sample.Quality.Detail;
            }

            var bits = BitConverter.DoubleToUInt64Bits(sample.Value);
            if (bits != BitConverter.DoubleToUInt64Bits(Derive(sample.Point, sample.Raw, sample.Quality, valueOf)))
            {
                control |= ValueFollows;
                BinaryPrimitives.WriteUInt64LittleEndian(frame[at..], bits);
                at += 8;
            }

            control |= WriteRaw(frame, ref at, sample.Raw);
            crc = AddValue(crc, bits);
            frame[controlAt] = control;
            point = sample.Point;
            time = sample.Time.UnixMilliseconds;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(frame[crcAt..], crc);
        StoredFrame.Seal(frame[..at], FrameKind.Batch);
        output.Advance(at);
    }

    /// <summary>Reads the number of the batch without decoding its samples.</summary>
    public static FrameStatus TryReadNumber(ReadOnlySpan<byte> frame, out long number)
    {
        number = 0;
        var status = StoredFrame.Open(frame, FrameKind.Batch, out var payload);
        if (status != FrameStatus.Intact)
        {
            return status;
        }

        var at = 0;
        if (!TryReadUnsigned(payload, ref at, out var value) || value > long.MaxValue)
        {
            return FrameStatus.Malformed;
        }

        number = (long)value;
        return FrameStatus.Intact;
    }

    /// <summary>Decodes a frame. No bytes make it throw; whatever is wrong is said in the result.</summary>
    /// <param name="frame">The bytes; more may follow the frame.</param>
    /// <param name="valueOf">The same function as at writing; must not throw, also for points it does not know.</param>
    /// <param name="samples">Buffer that is used for the samples, replaced by a larger one where needed.</param>
    /// <param name="batch">The batch; its samples lie in <paramref name="samples"/> and live until that is used again.</param>
    public static FrameStatus TryDecode(ReadOnlySpan<byte> frame, Func<int, ulong, double> valueOf, ref Sample[] samples, out InputBatch batch)
    {
        batch = default;
        var status = StoredFrame.Open(frame, FrameKind.Batch, out var payload);
        return status != FrameStatus.Intact ? status : TryDecodePayload(payload, valueOf, ref samples, out batch);
    }

    private static FrameStatus TryDecodePayload(ReadOnlySpan<byte> payload, Func<int, ulong, double> valueOf, ref Sample[] samples, out InputBatch batch)
    {
        batch = default;
        var at = 0;
        if (!TryReadUnsigned(payload, ref at, out var number) || number > long.MaxValue || !TryReadSigned(payload, ref at, out var now) || payload.Length - at < 16)
        {
            return FrameStatus.Malformed;
        }

        var boot = new Guid(payload.Slice(at, 16), bigEndian: true);
        at += 16;
        if (!TryReadSigned(payload, ref at, out var monotonic) || at >= payload.Length)
        {
            return FrameStatus.Malformed;
        }

        var flags = payload[at++];
        if ((flags & ~Known) != 0 || (flags & (HasRelease | HasOffset)) == HasOffset)
        {
            return FrameStatus.Malformed;
        }

        TimeSpan? step = null;
        if ((flags & HasStep) != 0)
        {
            if (!TryReadSigned(payload, ref at, out var ticks))
            {
                return FrameStatus.Malformed;
            }

            step = new TimeSpan(ticks);
        }

        HeldRelease? release = null;
        if ((flags & HasRelease) != 0)
        {
            long offset = 0;
            if (!TryReadUnsigned(payload, ref at, out var through) || through > long.MaxValue || ((flags & HasOffset) != 0 && !TryReadSigned(payload, ref at, out offset)))
            {
                return FrameStatus.Malformed;
            }

            release = new HeldRelease((long)through, (flags & HasOffset) != 0 ? offset : null);
        }

        // Each sample takes at least one byte, so that a count that lies cannot make us reserve more than 40 times the frame.
        if (!TryReadUnsigned(payload, ref at, out var count) || payload.Length - at < 4 || count > (ulong)(payload.Length - at - 4))
        {
            return FrameStatus.Malformed;
        }

        var recorded = BinaryPrimitives.ReadUInt32LittleEndian(payload[at..]);
        at += 4;
        if ((ulong)samples.Length < count)
        {
            samples = new Sample[Math.Max((int)count, Math.Min(samples.Length * 2L, int.MaxValue / 64))];
        }

        var crc = 0u;
        var point = -1;
        var time = now;
        for (var i = 0; i < (int)count; i++)
        {
            if (!TryReadSample(payload, ref at, valueOf, ref point, ref time, out samples[i]))
            {
                return FrameStatus.Malformed;
            }

            crc = AddValue(crc, BitConverter.DoubleToUInt64Bits(samples[i].Value));
        }

        if (at != payload.Length)
        {
            return FrameStatus.Malformed;
        }

        batch = new InputBatch((long)number, new Instant(now), boot, monotonic, step, samples.AsMemory(0, (int)count))
        {
            Quality = (TimeQuality)((flags >> QualityShift) & 3),
            Held = (flags & IsHeld) != 0,
            Release = release,
        };
        return crc == recorded ? FrameStatus.Intact : FrameStatus.ValuesDiffer;
    }

    private static bool TryReadSample(
        ReadOnlySpan<byte> payload, ref int at, Func<int, ulong, double> valueOf, ref int point, ref long time, out Sample sample)
    {
        sample = default;
        if (at >= payload.Length)
        {
            return false;
        }

        var control = payload[at++];
        if ((control & ~Known) != 0)
        {
            return false;
        }

        unchecked
        {
            point++;
            if ((control & PointFollows) != 0)
            {
                if (!TryReadSigned(payload, ref at, out var difference))
                {
                    return false;
                }

                point += (int)difference;
            }

            if ((control & TimeFollows) != 0)
            {
                if (!TryReadSigned(payload, ref at, out var difference))
                {
                    return false;
                }

                time += difference;
            }
        }

        var quality = Quality.Good;
        if ((control & QualityFollows) != 0)
        {
            if (payload.Length - at < 3)
            {
                return false;
            }

            quality = new Quality((QualityStatus)payload[at], (QualityReason)payload[at + 1], payload[at + 2]);
            at += 3;
        }

        double? verbatim = null;
        if ((control & ValueFollows) != 0)
        {
            if (payload.Length - at < 8)
            {
                return false;
            }

            verbatim = BitConverter.UInt64BitsToDouble(BinaryPrimitives.ReadUInt64LittleEndian(payload[at..]));
            at += 8;
        }

        if (!TryReadRaw(payload, ref at, control, out var raw))
        {
            return false;
        }

        sample = new Sample(point, new Instant(time), verbatim ?? Derive(point, raw, quality, valueOf), raw, quality);
        return true;
    }

    private static double Derive(int point, ulong raw, Quality quality, Func<int, ulong, double> valueOf) =>
        quality.HasValue ? valueOf(point, raw) : double.NaN;

    private static uint AddValue(uint crc, ulong bits)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, bits);
        return Crc32.Of(bytes, crc);
    }

    private static byte WriteRaw(Span<byte> to, ref int at, ulong raw)
    {
        switch (raw)
        {
            case 0:
                return 0;
            case < 1UL << 21:
                WriteUnsigned(to, ref at, raw);
                return RawVarint;
            case <= uint.MaxValue:
                BinaryPrimitives.WriteUInt32LittleEndian(to[at..], (uint)raw);
                at += 4;
                return Raw32;
            case < 1UL << 49:
                WriteUnsigned(to, ref at, raw);
                return RawVarint;
            default:
                BinaryPrimitives.WriteUInt64LittleEndian(to[at..], raw);
                at += 8;
                return Raw64;
        }
    }

    private static bool TryReadRaw(ReadOnlySpan<byte> from, ref int at, byte control, out ulong raw)
    {
        raw = 0;
        switch (control & RawMask)
        {
            case 0:
                return true;
            case RawVarint:
                return TryReadUnsigned(from, ref at, out raw);
            case Raw32 when from.Length - at >= 4:
                raw = BinaryPrimitives.ReadUInt32LittleEndian(from[at..]);
                at += 4;
                return true;
            case Raw64 when from.Length - at >= 8:
                raw = BinaryPrimitives.ReadUInt64LittleEndian(from[at..]);
                at += 8;
                return true;
            default:
                return false;
        }
    }

    private static void WriteUnsigned(Span<byte> to, ref int at, ulong value)
    {
        while (value >= 0x80)
        {
            to[at++] = (byte)(value & 0x7F | 0x80);
            value >>= 7;
        }

        to[at++] = (byte)value;
    }

    private static void WriteSigned(Span<byte> to, ref int at, long value) => WriteUnsigned(to, ref at, unchecked((ulong)((value << 1) ^ (value >> 63))));

    private static bool TryReadUnsigned(ReadOnlySpan<byte> from, ref int at, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && at < from.Length; shift += 7)
        {
            var b = from[at++];
            value |= unchecked((ulong)(b & 0x7F) << shift);
            if (b < 0x80)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryReadSigned(ReadOnlySpan<byte> from, ref int at, out long value)
    {
        var ok = TryReadUnsigned(from, ref at, out var zigzag);
        value = unchecked((long)(zigzag >> 1) ^ -(long)(zigzag & 1));
        return ok;
    }
}
