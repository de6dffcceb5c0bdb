using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Aggregation;

/// <summary>The exact decimal reading of a counter, made from the register image rather than from the measured double.</summary>
internal static class CounterReading
{
    /// <summary>Readings at or beyond this size (in the point's unit) are not believed: 1e14 kWh is more than the world uses in a year.</summary>
    public const decimal Largest = 100_000_000_000_000m;

    /// <summary>Raw x scale + offset, exact for integers, to 15 digits for floats. False when there is no number or it is not believed.</summary>
    public static bool TryOf(RegisterEncoding encoding, ulong raw, out decimal reading)
    {
        reading = 0;
        if (RegisterCodec.DecodeRaw(encoding, raw, out var value) != DecodeStatus.Ok || Math.Abs(value) >= (double)Largest)
        {
            return false;
        }

        reading = RegisterCodec.ReadingOf(encoding, raw);
        return Math.Abs(reading) < Largest;
    }

    /// <summary>Growth of the smallest step the register can show at <paramref name="reading"/>, in the point's unit.</summary>
    /// <param name="encoding">How the counter is read.</param>
    /// <param name="reading">The reading.</param>
    /// <param name="raw">Its register image, which names the step where that stands in a register.</param>
    public static decimal StepAt(RegisterEncoding encoding, decimal reading, ulong raw) => encoding.Type switch
    {
        // One unit in the last place of an 11, a 24 and a 53 bit significand, as a share of the number; 15 digits survive in decimal.
        RegisterType.Float16 => Math.Abs(reading) * 0.001m,
        RegisterType.Float32 => Math.Abs(reading) * 0.00000012m,
        RegisterType.Float64 => Math.Abs(reading) * 0.000000000000002m,
        _ => RegisterCodec.StepOf(encoding, raw),
    };

    /// <summary>
    /// The register's own width in the point's unit; null for floats, which do not roll over, for 64 bits, and where the scale stands in a register. Signed registers end at
    /// their sign bit.
    /// </summary>
    public static decimal? WidthOf(RegisterEncoding encoding) => encoding.ScaleAt is not null ? null : encoding.Type switch
    {
        RegisterType.UInt16 or RegisterType.UInt32 when encoding.BitCount > 0 => (1UL << encoding.BitCount) * encoding.Scale,
        RegisterType.UInt16 => 65_536m * encoding.Scale,
        RegisterType.Int16 => 32_768m * encoding.Scale,
        RegisterType.UInt32 => 4_294_967_296m * encoding.Scale,
        RegisterType.Int32 => 2_147_483_648m * encoding.Scale,
        RegisterType.Bcd16 => 10_000m * encoding.Scale,
        RegisterType.Bcd32 => 100_000_000m * encoding.Scale,
        RegisterType.Mod10 when encoding.Length == 2 => 100_000_000m * encoding.Scale,
        RegisterType.Mod10 when encoding.Length == 3 => 1_000_000_000_000m * encoding.Scale,
        _ => null,
    };
}
