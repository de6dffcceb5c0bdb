namespace EdgeGateway.Core.Profiles;

/// <summary>Dates and times of day as devices hold them, and seconds since 1970 as a clock in UTC would count them.</summary>
/// <remarks>
/// Raw form: the registers joined, the first one highest. Six registers do not fit 64 bits: year (16 bits), month, day, hour, minute, second (8 bits each), a
/// register beyond a byte as 0xFF. Sources: Schneider Electric, DATETIME format of the PM5000 and iEM3000 register lists (IEC 60870-5-4); Schneider Electric 63230-300-212,
/// appendix A (PowerLogic).
/// </remarks>
internal static class DeviceTime
{
    /// <summary>Bits of the raw form of <see cref="TimeForm.Parts"/>.</summary>
    public const int PartsBits = 56;

    // Clocks are believed from 1970 to 2199, as everywhere in the product.
    private const int FirstYear = 1970;
    private const int LastYear = 2199;

    /// <summary>Seconds since 1970 with their fraction; invalid where the device says so, <see cref="DecodeStatus.BadDate"/> when it is no date.</summary>
    public static DecodeStatus Read(TimeForm form, ulong raw, out double seconds)
    {
        seconds = double.NaN;
        var (year, month, day, hour, minute, second, millisecond) = (0, 0, 0, 0, 0, 0, 0);
        switch (form)
        {
            case TimeForm.Iec:
                if ((raw >> 16 & 0x80) != 0)
                {
                    return DecodeStatus.Invalid;
                }

                // Reserved bits, day of the week and summer time are beside what is read.
                (year, month, day) = (2000 + Field(raw, 48, 0x7F), Field(raw, 40, 0x0F), Field(raw, 32, 0x1F));
                (hour, minute) = (Field(raw, 24, 0x1F), Field(raw, 16, 0x3F));
                (second, millisecond) = (Field(raw, 0, 0xFFFF) / 1000, Field(raw, 0, 0xFFFF) % 1000);
                break;
            case TimeForm.PowerLogic3 or TimeForm.PowerLogic4:
                var three = form == TimeForm.PowerLogic3 ? raw : raw >> 16;
                (month, day, year, hour) = (Field(three, 40, 0xFF), Field(three, 32, 0xFF), 1900 + Field(three, 24, 0xFF), Field(three, 16, 0xFF));
                (minute, second, millisecond) = (Field(three, 8, 0xFF), Field(three, 0, 0xFF), form == TimeForm.PowerLogic3 ? 0 : Field(raw, 0, 0xFFFF));
                break;
            case TimeForm.Bytes:
                (year, month, day) = (2000 + Field(raw, 40, 0xFF), Field(raw, 32, 0xFF), Field(raw, 24, 0xFF));
                (hour, minute, second) = (Field(raw, 16, 0xFF), Field(raw, 8, 0xFF), Field(raw, 0, 0xFF));
                break;
            case TimeForm.Bcd:
                if (!Digits.TryBcd(raw, 12, out _))
                {
                    return DecodeStatus.BadDigits;
                }

                (year, month, day) = (2000 + Two(raw, 40), Two(raw, 32), Two(raw, 24));
                (hour, minute, second) = (Two(raw, 16), Two(raw, 8), Two(raw, 0));
                break;
            default:
                year = Field(raw, 40, 0xFFFF);
                year += year < 100 ? 2000 : 0;
                (month, day) = (Field(raw, 32, 0xFF), Field(raw, 24, 0xFF));
                (hour, minute, second) = (Field(raw, 16, 0xFF), Field(raw, 8, 0xFF), Field(raw, 0, 0xFF));
                break;
        }

        var isDate = year is >= FirstYear and <= LastYear && month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month);
        if (!isDate || hour > 23 || minute > 59 || second > 59 || millisecond > 999)
        {
            return DecodeStatus.BadDate;
        }

        var ticks = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks - DateTime.UnixEpoch.Ticks;
        seconds = ((ticks / TimeSpan.TicksPerMillisecond) + millisecond) / 1000.0;
        return DecodeStatus.Ok;
    }

    /// <summary>The raw form of a time; false when the form cannot express it.</summary>
    public static bool TryWrite(TimeForm form, double seconds, out ulong raw)
    {
        raw = 0;
        if (!(seconds >= 0 && seconds < 7_258_118_400))
        {
            return false;
        }

        var inMilliseconds = form is TimeForm.Iec or TimeForm.PowerLogic4;
        var milliseconds = inMilliseconds ? (long)Math.Round(seconds * 1000) : (long)Math.Round(seconds) * 1000;
        var time = DateTime.UnixEpoch.AddTicks(milliseconds * TimeSpan.TicksPerMillisecond);
        var (epoch, most) = form switch
        {
            TimeForm.Iec => (2000, 127),
            TimeForm.PowerLogic3 or TimeForm.PowerLogic4 => (1900, 255),
            TimeForm.Bytes => (2000, 199),
            TimeForm.Bcd => (2000, 99),
            _ => (0, LastYear),
        };
        var year = time.Year - epoch;
        if (year < 0 || year > most || time.Year > LastYear)
        {
            return false;
        }

        raw = form switch
        {
            TimeForm.Iec => Join(16, year, (time.Month << 8) | time.Day, (time.Hour << 8) | time.Minute, (time.Second * 1000) + time.Millisecond),
            TimeForm.PowerLogic3 => Join(8, time.Month, time.Day, year, time.Hour, time.Minute, time.Second),
            TimeForm.PowerLogic4 => (Join(8, time.Month, time.Day, year, time.Hour, time.Minute, time.Second) << 16) | (uint)time.Millisecond,
            TimeForm.Bcd => Join(8, Bcd(year), Bcd(time.Month), Bcd(time.Day), Bcd(time.Hour), Bcd(time.Minute), Bcd(time.Second)),
            _ => Join(8, year, time.Month, time.Day, time.Hour, time.Minute, time.Second),
        };
        return true;
    }

    private static ulong Join(int bits, params ReadOnlySpan<int> fields)
    {
        ulong raw = 0;
        foreach (var field in fields)
        {
            raw = (raw << bits) | (uint)field;
        }

        return raw;
    }

    private static int Field(ulong raw, int shift, int mask) => (int)((raw >> shift) & (uint)mask);

    private static int Two(ulong raw, int shift) => (Field(raw, shift + 4, 0xF) * 10) + Field(raw, shift, 0xF);

    private static int Bcd(int number) => (number / 10 << 4) | (number % 10);
}
