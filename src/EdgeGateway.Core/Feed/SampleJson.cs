using System.Buffers;
using System.Buffers.Text;

namespace EdgeGateway.Core.Feed;

/// <summary>
/// The record of a sample with a value, byte for byte as <see cref="RecordJson.Sample"/> writes it, at a third of the cost: there are thousands a second, and all but
/// three fields of them are the same each time. One thread at a time.
/// </summary>
internal sealed class SampleJson
{
    // What stands beside the names of the point: time 24, value 32, raw 18, quality 9, and the names of these fields.
    private const int RoomBesidePoint = 192;

    private readonly byte[] _timeText = new byte[24];
    private Instant? _time;

    /// <summary>Writes the record; false when it needs more than the common fields, and nothing was written.</summary>
    public bool TryWrite(IBufferWriter<byte> output, RecordJson.PointText point, in Sample sample)
    {
        if (point.Symbols is not null || !sample.Quality.HasValue || sample.Quality.Reason != QualityReason.None || !double.IsFinite(sample.Value))
        {
            return false;
        }

        if (_time != sample.Time && !Remember(sample.Time))
        {
            return false;
        }

        var start = point.SampleStart;
        var bytes = output.GetSpan(start.Length + RoomBesidePoint);
        start.CopyTo(bytes);
        var at = start.Length;
        _timeText.CopyTo(bytes[at..]);
        at += _timeText.Length;
        at += Put("\",\"value\":"u8, bytes[at..]);
        at += Number(sample.Value, bytes[at..]);
        at += Put(",\"raw\":\"0x"u8, bytes[at..]);
        Utf8Formatter.TryFormat(sample.Raw, bytes[at..], out var digits, new StandardFormat('x'));
        at += digits;
        at += Put(sample.Quality.Status == QualityStatus.Good ? "\",\"quality\":\"good\"}"u8 : "\",\"quality\":\"uncertain\"}"u8, bytes[at..]);
        output.Advance(at);
        return true;
    }

    /// <summary>Writes the shortest digits that give the same number back.</summary>
    /// <remarks>
    /// Most values of meters have at most three decimals. When a whole number of thousandths, of at most 15 digits, divided by 1,000 is the number again, then these are
    /// its shortest digits: two different decimals of at most 15 digits are never the same double (DBL_DIG).
    /// </remarks>
    internal static int Number(double value, Span<byte> bytes)
    {
        if (BitConverter.DoubleToInt64Bits(value) == 0)
        {
            bytes[0] = (byte)'0';
            return 1;
        }

        var scaled = value * 1000;
        if (Math.Abs(scaled) is >= 1 and < 1e15)
        {
            var whole = Math.Round(scaled);
            if (whole / 1000 == value)
            {
                return Thousandths((long)whole, bytes);
            }
        }

        Utf8Formatter.TryFormat(value, bytes, out var length);
        return length;
    }

    private static int Thousandths(long value, Span<byte> bytes)
    {
        var at = 0;
        if (value < 0)
        {
            bytes[at++] = (byte)'-';
            value = -value;
        }

        var (units, rest) = Math.DivRem(value, 1000);
        Utf8Formatter.TryFormat(units, bytes[at..], out var length);
        at += length;
        if (rest == 0)
        {
            return at;
        }

        bytes[at++] = (byte)'.';
        bytes[at++] = (byte)('0' + (rest / 100));
        if (rest % 100 != 0)
        {
            bytes[at++] = (byte)('0' + (rest / 10 % 10));
            if (rest % 10 != 0)
            {
                bytes[at++] = (byte)('0' + (rest % 10));
            }
        }

        return at;
    }

    private static int Put(ReadOnlySpan<byte> text, Span<byte> bytes)
    {
        text.CopyTo(bytes);
        return text.Length;
    }

    // The samples of a read share their time.
    private bool Remember(Instant time)
    {
        _time = null;
        if (RecordJson.Text(time, _timeText) != _timeText.Length)
        {
            return false;
        }

        _time = time;
        return true;
    }
}
