using System.Globalization;

namespace EdgeGateway.Core.Configuration;

/// <summary>The quantities that people write in configuration files: numbers, durations, sizes, powers, ratios.</summary>
public static class Quantities
{
    /// <summary>An integer of the YAML 1.2 core schema: decimal, <c>0x</c> hexadecimal or <c>0o</c> octal.</summary>
    public static bool TryInteger(string text, out Int128 value)
    {
        value = 0;
        var style = text.StartsWith("0x", StringComparison.Ordinal) ? 16 : text.StartsWith("0o", StringComparison.Ordinal) ? 8 : 10;
        if (style == 10)
        {
            return text.Length <= 30 && Int128.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
        }

        if (text.Length is < 3 or > 24)
        {
            return false;
        }

        foreach (var c in text.AsSpan(2))
        {
            if (!char.IsAsciiHexDigit(c) || (style == 8 && c is < '0' or > '7'))
            {
                return false;
            }

            value = (value * style) + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }

        return true;
    }

    /// <summary>A number: an integer, or a decimal fraction with or without exponent.</summary>
    public static bool TryNumber(string text, out decimal value)
    {
        if (TryInteger(text, out var integer))
        {
            value = 0;
            if (Int128.Abs(integer) > (Int128)1e27)
            {
                return false;
            }

            value = (decimal)integer;
            return true;
        }

        return decimal.TryParse(text, NumberStyles.Float & ~NumberStyles.AllowLeadingWhite & ~NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>A duration: a number and one of ms, s, m (or min), h, d; <c>0</c> needs no unit.</summary>
    public static bool TryDuration(string text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        if (text == "0")
        {
            return true;
        }

        if (!TrySplit(text, out var number, out var unit) || number < 0)
        {
            return false;
        }

        decimal? milliseconds = unit switch
        {
            "ms" => 1,
            "s" => 1_000,
            "m" or "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => null,
        };
        if (milliseconds is null || number > 36_500m * 86_400_000m / milliseconds)
        {
            return false;
        }

        var exact = number * milliseconds.Value;
        if (exact != decimal.Truncate(exact))
        {
            return false;
        }

        value = TimeSpan.FromMilliseconds((long)exact);
        return true;
    }

    /// <summary>A size in bytes: a whole number and one of B, kB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024).</summary>
    public static bool TrySize(string text, out long bytes)
    {
        bytes = 0;
        if (!TrySplit(text, out var number, out var unit) || number < 0)
        {
            return false;
        }

        long? factor = unit switch
        {
            "B" => 1,
            "kB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1_024,
            "MiB" => 1_048_576,
            "GiB" => 1_073_741_824,
            _ => null,
        };
        if (factor is null || number > 1_000_000_000_000_000m / factor)
        {
            return false;
        }

        bytes = (long)(number * factor.Value);
        return true;
    }

    /// <summary>A power: a number and one of W, kW, MW.</summary>
    public static bool TryPower(string text, out decimal watts)
    {
        watts = 0;
        if (!TrySplit(text, out var number, out var unit) || number > 1e12m)
        {
            return false;
        }

        decimal? factor = unit switch { "W" => 1, "kW" => 1_000, "MW" => 1_000_000, _ => null };
        watts = number * (factor ?? 0);
        return factor is not null;
    }

    /// <summary>A transformer ratio: <c>200/5</c> (primary/secondary) or the plain factor <c>40</c>.</summary>
    public static bool TryRatio(string text, out decimal ratio)
    {
        var slash = text.IndexOf('/');
        if (slash < 0)
        {
            return TryNumber(text, out ratio) && ratio > 0 && ratio <= 1e6m;
        }

        ratio = 0;
        if (!TryNumber(text[..slash].Trim(), out var primary) || !TryNumber(text[(slash + 1)..].Trim(), out var secondary)
            || primary <= 0 || secondary <= 0 || primary > 1e9m || secondary > 1e9m || secondary < 1e-9m)
        {
            return false;
        }

        ratio = primary / secondary;
        return ratio <= 1e6m;
    }

    private static bool TrySplit(string text, out decimal number, out string unit)
    {
        var end = text.Length;
        while (end > 0 && char.IsAsciiLetter(text[end - 1]))
        {
            end--;
        }

        unit = text[end..];
        return TryNumber(text[..end].TrimEnd(' '), out number);
    }
}
