using System.Text;

namespace EdgeGateway.Simulator.Signals;

/// <summary>Noise as a pure function of (seed, name, time): the same arguments give the same number, in whatever order they are asked for.</summary>
internal readonly struct Noise
{
    private readonly ulong _key;

    public Noise(ulong seed, string name)
    {
        _key = Mix(seed ^ Fnv1a(name));
    }

    private Noise(ulong key)
    {
        _key = key;
    }

    /// <summary>An independent source below this one.</summary>
    public Noise Channel(uint number) => new(unchecked(Mix(_key + (0x9E3779B97F4A7C15UL * (number + 1UL)))));

    /// <summary>Evenly distributed in [0, 1), one number for each <paramref name="index"/>.</summary>
    public double At(long index) => (Bits(index) >> 11) * (1.0 / (1UL << 53));

    /// <summary>All 64 bits for one <paramref name="index"/>.</summary>
    public ulong Bits(long index) => unchecked(Mix(_key ^ (ulong)(index * 0x2545F4914F6CDD1DL)));

    /// <summary>A smooth curve in [-1, 1] that turns about once in <paramref name="period"/> seconds.</summary>
    public double Smooth(long second, int period)
    {
        var cell = Math.DivRem(second, period, out var rest);
        if (rest < 0)
        {
            rest += period;
            cell--;
        }

        var x = (double)rest / period;
        var weight = x * x * (3 - (2 * x));
        var from = (2 * At(cell)) - 1;
        var to = (2 * At(cell + 1)) - 1;
        return from + ((to - from) * weight);
    }

    /// <summary>White noise in [-1, 1], one number a second.</summary>
    public double White(long second) => (2 * At(second)) - 1;

    // splitmix64 (Steele, Lea, Flood 2014): passes BigCrush, six operations.
    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z += 0x9E3779B97F4A7C15UL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }

    private static ulong Fnv1a(string text)
    {
        var hash = 0xCBF29CE484222325UL;
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            hash = unchecked((hash ^ b) * 0x100000001B3UL);
        }

        return hash;
    }
}
