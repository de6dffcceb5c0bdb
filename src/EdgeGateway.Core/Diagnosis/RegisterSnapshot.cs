using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Diagnosis;

/// <summary>What is known of a register that was asked for.</summary>
public enum RegisterState : byte
{
    /// <summary>Nobody asked, or no answer came.</summary>
    Unknown,

    /// <summary>The device showed it.</summary>
    Read,

    /// <summary>The device refused it.</summary>
    Refused,
}

/// <summary>The registers of one device as far as they were read: the evidence of <see cref="ProfileFits"/>.</summary>
public sealed class RegisterSnapshot
{
    private const int Refused = -1;

    private readonly Dictionary<(RegisterTable Table, int Address), int> _words = [];

    /// <summary>Keeps what a request brought.</summary>
    public void Put(RegisterTable table, int address, ReadOnlySpan<ushort> words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            _words[(table, address + i)] = words[i];
        }
    }

    /// <summary>Keeps that a request was refused; what other requests brought stays.</summary>
    public void PutRefused(RegisterTable table, int address, int length)
    {
        for (var i = 0; i < length; i++)
        {
            _words.TryAdd((table, address + i), Refused);
        }
    }

    /// <summary>Takes a run of registers out; filled only when all of them were read.</summary>
    public RegisterState Get(RegisterTable table, int address, Span<ushort> words)
    {
        var state = RegisterState.Read;
        for (var i = 0; i < words.Length; i++)
        {
            if (!_words.TryGetValue((table, address + i), out var word))
            {
                return RegisterState.Unknown;
            }

            if (word == Refused)
            {
                state = RegisterState.Refused;
            }
            else
            {
                words[i] = (ushort)word;
            }
        }

        return state;
    }

    /// <summary>What is known of all registers of a run together.</summary>
    public RegisterState StateOf(RegisterTable table, RegisterSpan span)
    {
        Span<ushort> words = stackalloc ushort[span.Length];
        return Get(table, span.First, words);
    }
}
