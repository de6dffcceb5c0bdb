using System.Globalization;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>A value that somebody wants written: what it means, whether the register can hold it, and whether it is inside the limits.</summary>
public static class WritableValue
{
    /// <summary>A number in the point's unit, the symbol of a state, or <c>on</c> and <c>off</c> of a coil; null when the text is none of them.</summary>
    public static decimal? Parse(string text, RegisterEncoding encoding, IReadOnlyDictionary<long, string>? symbols)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(encoding);
        text = text.Trim();
        if (symbols is not null)
        {
            foreach (var (raw, name) in symbols)
            {
                if (string.Equals(name, text, StringComparison.OrdinalIgnoreCase) && RegisterCodec.DecodeRaw(encoding, unchecked((ulong)raw), out var meant) == DecodeStatus.Ok)
                {
                    return (decimal)meant;
                }
            }
        }
        else if (encoding.Type == RegisterType.Bit && text.ToLowerInvariant() is "on" or "off")
        {
            return text.Length == 2 ? 1 : 0;
        }

        return Quantities.TryNumber(text, out var number) ? number : null;
    }

    /// <summary>Words of the register for a value, and the value that they mean: what is written is what the register can hold.</summary>
    /// <returns>False when the type cannot express the value, or when it would read as "not available".</returns>
    public static bool TryEncode(decimal value, RegisterEncoding encoding, out ushort[] words, out double written)
    {
        ArgumentNullException.ThrowIfNull(encoding);
        words = new ushort[encoding.Length];
        try
        {
            RegisterCodec.Encode(encoding, (double)value, words);
        }
        catch (ArgumentOutOfRangeException)
        {
            written = double.NaN;
            return false;
        }

        return RegisterCodec.Decode(encoding, words, out written, out _) == DecodeStatus.Ok;
    }

    /// <summary>Why the register cannot hold the value exactly, in words; null when it can. Floats hold any value that is not too large.</summary>
    public static string? NotExpressible(decimal value, RegisterEncoding encoding)
    {
        ArgumentNullException.ThrowIfNull(encoding);
        if (!TryEncode(value, encoding, out _, out var written))
        {
            return $"its register ({Name(encoding)}) cannot hold {Text(value)}";
        }

        var exact = !encoding.IsStepped || Math.Abs(written - (double)value) <= 1e-9 * Math.Max(1, Math.Abs((double)value));
        return exact ? null : $"its register ({Name(encoding)}) cannot hold {Text(value)} exactly, only {written.ToString("G9", CultureInfo.InvariantCulture)}";
    }

    /// <summary>Why a value may not be written, in words; null when it may.</summary>
    public static string? Fault(decimal value, RegisterEncoding encoding, decimal? min, decimal? max, decimal? step, decimal stepFrom, IReadOnlyList<decimal>? values)
    {
        ArgumentNullException.ThrowIfNull(encoding);
        if (values is not null)
        {
            return values.Contains(value) ? null : $"{Text(value)} is not among the declared values {string.Join(", ", values.Select(Text))}";
        }

        if (value < min || value > max || min is null || max is null)
        {
            return $"{Text(value)} is outside the limits {Text(min ?? 0)} to {Text(max ?? 0)}";
        }

        if (step is { } width && (value - stepFrom) % width != 0)
        {
            return $"{Text(value)} is not on a step of {Text(width)} from {Text(stepFrom)}";
        }

        // Rounding to the register must not lead out of the limits either.
        if (!TryEncode(value, encoding, out _, out var written))
        {
            return $"its register ({Name(encoding)}) cannot hold {Text(value)}";
        }

        // A float cannot hold most limits exactly: there the limit is the float that stands for it. A limit between two steps of a register is kept as it is.
        var (least, most, rounding) = ((double)min.Value, (double)max.Value, 0.0);
        if (encoding.IsStepped)
        {
            rounding = Math.Max((double)Math.Abs(encoding.Scale) * 1e-6, Math.Abs(written) * 1e-15);
        }
        else
        {
            TryEncode(min.Value, encoding, out _, out least);
            TryEncode(max.Value, encoding, out _, out most);
        }

        return written < Math.Min(least, most) - rounding || written > Math.Max(least, most) + rounding
            ? $"{Text(value)} would be written as {written.ToString("G9", CultureInfo.InvariantCulture)}, outside the limits {Text(min.Value)} to {Text(max.Value)}"
            : null;
    }

    private static string Text(decimal value) => value.ToString("G29", CultureInfo.InvariantCulture);

    private static string Name(RegisterEncoding encoding) =>
        $"{encoding.Type.ToString().ToLowerInvariant()}{(encoding.Scale == 1 ? "" : $" with scale {Text(encoding.Scale)}")}, {encoding.Length} register{(encoding.Length == 1 ? "" : "s")}";
}
