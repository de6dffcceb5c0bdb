namespace EdgeGateway.Protocols.Dlt645;

/// <summary>Frames on the line. DL/T 645-2007, 5.2.</summary>
/// <remarks>
/// <c>[FE ...] 68 | A0 .. A5 | 68 | C | L | L bytes of data, each + 33 | CS | 16</c>. CS is the sum, modulo 256, of all bytes from the first 68 to the last of the data. FE
/// bytes wake receivers up and belong to no frame.
/// </remarks>
public static class Dlt645Frame
{
    /// <summary>What is sent before a frame to wake the receiver up.</summary>
    public const byte WakeUp = 0xFE;

    /// <summary>Most wake-up bytes that the standard knows.</summary>
    public const int MostWakeUp = 4;

    /// <summary>Bytes of a frame without data.</summary>
    public const int MinLength = 12;

    /// <summary>Bytes of the longest frame that the length byte can announce.</summary>
    public const int MaxLength = MinLength + byte.MaxValue;

    /// <summary>Most bytes of data in the answer to a read, identifier included. DL/T 645-2007, 5.2.4.</summary>
    public const int MaxReadData = 200;

    private const byte Start = 0x68;
    private const byte End = 0x16;
    private const byte Offset = 0x33;
    private const int HeaderLength = 10;

    /// <summary>Writes a frame with its wake-up bytes.</summary>
    /// <param name="destination">Receives <paramref name="wakeUp"/> + <see cref="MinLength"/> + the data's bytes.</param>
    /// <param name="address">Whom it is for, or who answers.</param>
    /// <param name="control">The control byte.</param>
    /// <param name="data">At most 255 bytes, without what is added on the wire.</param>
    /// <param name="wakeUp">Number of FE bytes in front, 0 to 255; <see cref="MostWakeUp"/> is usual.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> destination, MeterAddress address, Dlt645Control control, ReadOnlySpan<byte> data, int wakeUp = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, byte.MaxValue);
        ArgumentOutOfRangeException.ThrowIfNegative(wakeUp);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wakeUp, byte.MaxValue);
        destination[..wakeUp].Fill(WakeUp);
        var frame = destination.Slice(wakeUp, MinLength + data.Length);
        frame[0] = Start;
        address.Write(frame[1..]);
        frame[7] = Start;
        frame[8] = control.Value;
        frame[9] = (byte)data.Length;
        for (var i = 0; i < data.Length; i++)
        {
            frame[HeaderLength + i] = unchecked((byte)(data[i] + Offset));
        }

        frame[^2] = Sum(frame[..^2]);
        frame[^1] = End;
        return wakeUp + frame.Length;
    }

    /// <summary>Finds the first whole frame; what stands before it is noise, wake-up bytes, or damaged.</summary>
    /// <param name="bytes">What came so far, in one go or in lumps.</param>
    /// <param name="strictness">Which deviations are refused; others are told, and taken where the check sum vouches for the frame.</param>
    /// <remarks>No sequence of bytes makes it throw. It looks at every byte at most once for each frame that could begin in front of it.</remarks>
    public static Dlt645Found Find(ReadOnlySpan<byte> bytes, Dlt645Strictness strictness = Dlt645Strictness.Usual)
    {
        var refused = RefusedBy(strictness);
        var (damaged, pending) = (default(Dlt645Found), default(Dlt645Found));
        for (var at = 0; at < bytes.Length; at++)
        {
            if (bytes[at] != Start)
            {
                continue;
            }

            var rest = bytes[at..];
            if (rest.Length > 7 && rest[7] != Start)
            {
                continue;
            }

            var length = rest.Length < HeaderLength ? 0 : MinLength + rest[9];
            if (length == 0 || rest.Length < length)
            {
                pending = pending.Kind == Dlt645FoundKind.Incomplete ? pending : new(Dlt645FoundKind.Incomplete, at, length, Dlt645Deviations.None);
                continue;
            }

            var frame = rest[..length];
            var deviations = DeviationsOf(bytes[..at], frame);
            var isWhole = Sum(frame[..^2]) == frame[^2] && (deviations & refused) == Dlt645Deviations.None;
            if (isWhole)
            {
                return new(Dlt645FoundKind.Frame, at, length, deviations);
            }

            if (damaged.Kind != Dlt645FoundKind.WrongCheckSum && damaged.Kind != Dlt645FoundKind.Deviating)
            {
                damaged = new(Sum(frame[..^2]) == frame[^2] ? Dlt645FoundKind.Deviating : Dlt645FoundKind.WrongCheckSum, at, length, deviations);
            }
        }

        return damaged.Kind != Dlt645FoundKind.Nothing ? damaged : pending;
    }

    /// <summary>Takes a whole frame apart.</summary>
    /// <param name="frame">The frame from its first 68 to its end, as <see cref="Find"/> gave it.</param>
    /// <param name="data">Receives the data without what is added on the wire; at least 255 bytes.</param>
    /// <param name="address">Whom it is for, or who answers.</param>
    /// <param name="control">The control byte.</param>
    /// <returns>Bytes of data.</returns>
    public static int Read(ReadOnlySpan<byte> frame, Span<byte> data, out MeterAddress address, out Dlt645Control control)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frame.Length, MinLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(frame.Length, MinLength + frame[9], nameof(frame));
        address = MeterAddress.Read(frame[1..]);
        control = new(frame[8]);
        var length = frame[9];
        for (var i = 0; i < length; i++)
        {
            data[i] = unchecked((byte)(frame[HeaderLength + i] - Offset));
        }

        return length;
    }

    private static Dlt645Deviations RefusedBy(Dlt645Strictness strictness) => strictness switch
    {
        Dlt645Strictness.Lenient => Dlt645Deviations.None,
        Dlt645Strictness.Strict => Dlt645Deviations.LongWakeUp | Dlt645Deviations.WrongEnd | Dlt645Deviations.LongData,
        _ => Dlt645Deviations.WrongEnd,
    };

    private static Dlt645Deviations DeviationsOf(ReadOnlySpan<byte> before, ReadOnlySpan<byte> frame)
    {
        var wakeUp = 0;
        while (wakeUp < before.Length && before[^(wakeUp + 1)] == WakeUp)
        {
            wakeUp++;
        }

        return (wakeUp > MostWakeUp ? Dlt645Deviations.LongWakeUp : Dlt645Deviations.None)
            | (frame[^1] != End ? Dlt645Deviations.WrongEnd : Dlt645Deviations.None)
            | (frame[9] > MaxReadData ? Dlt645Deviations.LongData : Dlt645Deviations.None);
    }

    private static byte Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0;
        foreach (var b in bytes)
        {
            sum += b;
        }

        return (byte)(sum & 0xFF);
    }
}

/// <summary>What <see cref="Dlt645Frame.Find"/> found.</summary>
/// <param name="Kind">Whether there is a frame.</param>
/// <param name="At">Where it begins.</param>
/// <param name="Length">Its bytes; 0 when that is not known yet.</param>
/// <param name="Deviations">Where it is not as the standard says.</param>
public readonly record struct Dlt645Found(Dlt645FoundKind Kind, int At, int Length, Dlt645Deviations Deviations);

/// <summary>Whether there is a frame.</summary>
public enum Dlt645FoundKind
{
    /// <summary>Nothing that could be one.</summary>
    Nothing,

    /// <summary>One may have begun, and its rest has not come.</summary>
    Incomplete,

    /// <summary>One whose check sum is wrong, and no good one behind it.</summary>
    WrongCheckSum,

    /// <summary>One whose check sum is right, that is refused because it deviates from the standard.</summary>
    Deviating,

    /// <summary>A whole one.</summary>
    Frame,
}

/// <summary>Which deviations from the standard are refused. A frame with a wrong check sum always is.</summary>
public enum Dlt645Strictness
{
    /// <summary>None: whatever its check sum vouches for is taken, also without its end.</summary>
    Lenient,

    /// <summary>A last byte that is not 16. Many wake-up bytes and long data harm nobody.</summary>
    Usual,

    /// <summary>All.</summary>
    Strict,
}

/// <summary>Where a frame is not as the standard says, and can be understood all the same.</summary>
[Flags]
public enum Dlt645Deviations
{
    /// <summary>It is as the standard says.</summary>
    None = 0,

    /// <summary>More than four wake-up bytes: meters behind slow radio converters do that.</summary>
    LongWakeUp = 1,

    /// <summary>The last byte is not 16.</summary>
    WrongEnd = 2,

    /// <summary>More than 200 bytes of data.</summary>
    LongData = 4,
}
