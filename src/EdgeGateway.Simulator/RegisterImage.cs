using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Simulator;

/// <summary>The registers and bits of one device, and which of them exist.</summary>
internal sealed class RegisterImage
{
    private readonly Bank[] _banks = new Bank[4];

    /// <summary>Makes room for all of <paramref name="encodings"/>.</summary>
    /// <param name="encodings">The places that exist.</param>
    /// <param name="gapsExist">Whether addresses between them exist too, and read as 0.</param>
    public RegisterImage(IReadOnlyList<RegisterEncoding> encodings, bool gapsExist)
    {
        foreach (var table in Enum.GetValues<RegisterTable>())
        {
            var first = int.MaxValue;
            var end = 0;
            foreach (var encoding in encodings)
            {
                if (encoding.Table == table)
                {
                    first = Math.Min(first, encoding.Span.First);
                    end = Math.Max(end, encoding.Span.End);
                }
            }

            var bank = new Bank(end == 0 ? 0 : first, new ushort[end == 0 ? 0 : end - first], new bool[end == 0 ? 0 : end - first]);
            bank.Exists.AsSpan().Fill(gapsExist);
            foreach (var encoding in encodings)
            {
                if (encoding.Table == table)
                {
                    bank.Exists.AsSpan(encoding.Address - first, encoding.Length).Fill(true);
                    if (encoding.ScaleAt is { } scale)
                    {
                        bank.Exists[scale - first] = true;
                    }
                }
            }

            _banks[(int)table] = bank;
        }
    }

    /// <summary>The words of one point's span, for writing.</summary>
    public Span<ushort> At(RegisterEncoding encoding)
    {
        var bank = _banks[(int)encoding.Table];
        return bank.Words.AsSpan(encoding.Span.First - bank.First, encoding.Span.Length);
    }

    /// <summary>Copies registers (or bits as 0 and 1) into <paramref name="words"/>; false when one of the addresses does not exist.</summary>
    public bool TryRead(RegisterTable table, int address, Span<ushort> words)
    {
        var bank = _banks[(int)table];
        var start = address - bank.First;
        if (start < 0 || start + words.Length > bank.Words.Length || bank.Exists.AsSpan(start, words.Length).Contains(false))
        {
            return false;
        }

        bank.Words.AsSpan(start, words.Length).CopyTo(words);
        return true;
    }

    private readonly record struct Bank(int First, ushort[] Words, bool[] Exists);
}
