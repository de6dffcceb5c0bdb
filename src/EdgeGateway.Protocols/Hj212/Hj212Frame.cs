using System.Globalization;
using System.Text;

namespace EdgeGateway.Protocols.Hj212;

/// <summary>Packets on the line: <c>##</c>, four digits of length, the data segment, four hexadecimal digits of check sum, CR LF. HJ 212-2017, 6.1 and 6.2.</summary>
public static class Hj212Frame
{
    /// <summary>Most bytes of a data segment.</summary>
    public const int MaxSegment = 1024;

    /// <summary>Bytes of a packet beside its data segment.</summary>
    public const int Overhead = 12;

    /// <summary>Bytes of the longest packet.</summary>
    public const int MaxLength = MaxSegment + Overhead;

    private const int HeaderLength = 6;
    private const int CrcLength = 4;
    private const byte Mark = (byte)'#';

    /// <summary>Writes a packet.</summary>
    /// <param name="segment">The data segment, at most <see cref="MaxSegment"/> bytes; what is longer has to be split first (<see cref="Hj212Split"/>).</param>
    /// <exception cref="ArgumentOutOfRangeException">It is longer.</exception>
    public static byte[] Write(ReadOnlySpan<byte> segment)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(segment.Length, MaxSegment);
        var frame = new byte[segment.Length + Overhead];
        Encoding.ASCII.GetBytes($"##{segment.Length:0000}", frame);
        segment.CopyTo(frame.AsSpan(HeaderLength));
        Encoding.ASCII.GetBytes($"{Hj212Crc.Of(segment):X4}\r\n", frame.AsSpan(HeaderLength + segment.Length));
        return frame;
    }

    /// <inheritdoc cref="Write(ReadOnlySpan{byte})"/>
    public static byte[] Write(Hj212Packet packet)
    {
        ArgumentNullException.ThrowIfNull(packet);
        return Write(Encoding.UTF8.GetBytes(packet.ToString()));
    }

    /// <summary>Finds the first packet, whole, damaged or begun; what stands before it is noise.</summary>
    /// <param name="bytes">What came so far.</param>
    /// <remarks>
    /// No sequence of bytes makes it throw. After one that is refused the search goes on one byte behind its first mark, never behind the length that it claims: noise can end in a mark.
    /// </remarks>
    public static Hj212Found Find(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at++)
        {
            var rest = bytes[at..];
            if (rest[0] != Mark || (rest.Length > 1 && rest[1] != Mark))
            {
                continue;
            }

            if (rest.Length < HeaderLength)
            {
                // Digits that are there must be digits: more of the same will not mend them.
                if (rest.Length > 2 && rest[2..].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
                {
                    return new(Hj212FoundKind.WrongLength, at, 0, Hj212Deviations.None);
                }

                return new(Hj212FoundKind.Incomplete, at, 0, Hj212Deviations.None);
            }

            // TryParse of bytes takes zeros behind the digits for their end.
            if (rest.Slice(2, 4).Contains((byte)0) || !int.TryParse(rest.Slice(2, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > MaxSegment)
            {
                return new(Hj212FoundKind.WrongLength, at, 0, Hj212Deviations.None);
            }

            var whole = length + Overhead;
            if (rest.Length < whole)
            {
                return new(Hj212FoundKind.Incomplete, at, whole, Hj212Deviations.None);
            }

            if (rest[whole - 2] != '\r' || rest[whole - 1] != '\n')
            {
                return new(Hj212FoundKind.WrongEnd, at, whole, Hj212Deviations.None);
            }

            var crc = rest.Slice(HeaderLength + length, CrcLength);
            if (crc.Contains((byte)0) || !ushort.TryParse(crc, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var sent) || sent != Hj212Crc.Of(rest.Slice(HeaderLength, length)))
            {
                return new(Hj212FoundKind.WrongCrc, at, whole, Hj212Deviations.None);
            }

            return new(Hj212FoundKind.Packet, at, whole, crc.ContainsAnyInRange((byte)'a', (byte)'f') ? Hj212Deviations.SmallLetters : Hj212Deviations.None);
        }

        return new(Hj212FoundKind.Nothing, bytes.Length, 0, Hj212Deviations.None);
    }

    /// <summary>The data segment of a packet that <see cref="Find"/> gave.</summary>
    public static ReadOnlySpan<byte> SegmentOf(ReadOnlySpan<byte> packet) => packet[HeaderLength..^(CrcLength + 2)];
}

/// <summary>What <see cref="Hj212Frame.Find"/> found.</summary>
/// <param name="Kind">Whether there is a packet.</param>
/// <param name="At">Where it begins; how many bytes are of no use when there is none.</param>
/// <param name="Length">Its bytes; 0 when that is not known.</param>
/// <param name="Deviations">Where its frame is not as the standard says.</param>
public readonly record struct Hj212Found(Hj212FoundKind Kind, int At, int Length, Hj212Deviations Deviations)
{
    /// <summary>Whether something that looked like a packet is refused.</summary>
    public bool IsRefused => Kind is Hj212FoundKind.WrongLength or Hj212FoundKind.WrongEnd or Hj212FoundKind.WrongCrc;
}

/// <summary>Whether there is a packet.</summary>
public enum Hj212FoundKind
{
    /// <summary>Nothing that could be one.</summary>
    Nothing,

    /// <summary>One has begun, and its rest has not come.</summary>
    Incomplete,

    /// <summary>The length is no number, or more than a packet may have.</summary>
    WrongLength,

    /// <summary>There is no CR LF where it should end.</summary>
    WrongEnd,

    /// <summary>The check sum is wrong.</summary>
    WrongCrc,

    /// <summary>A whole one.</summary>
    Packet,
}
