using System.Runtime.CompilerServices;
using EdgeGateway.Core.Accounting.Statements;

namespace EdgeGateway.Core.Accounting;

/// <summary>An emission method was given what cannot be: it computes nothing rather than a clamped or invented number.</summary>
public sealed class EmissionRefusedException(string message) : Exception(message)
{
    /// <summary>Refuses in words that a page has in each of its languages; the message has those of English.</summary>
    public EmissionRefusedException(Refusal refusal)
        : this(refusal?.ToString() ?? throw new ArgumentNullException(nameof(refusal))) => Refusal = refusal;

    /// <summary>The same for pages in other languages; null where it is said in English alone.</summary>
    public Refusal? Refusal { get; }

    /// <summary>Refuses a quantity below zero.</summary>
    internal static void IfNegative(decimal value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value < 0)
        {
            throw new EmissionRefusedException($"{name} is {Invariant(value)}; an activity or a factor cannot be negative.");
        }
    }

    /// <summary>Refuses a quantity that is zero or below.</summary>
    internal static void IfNotPositive(decimal value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value <= 0)
        {
            throw new EmissionRefusedException($"{name} is {Invariant(value)}; it must be above zero.");
        }
    }

    /// <summary>Refuses a quantity outside 0 to <paramref name="whole"/>.</summary>
    internal static void IfNoShare(decimal value, decimal whole, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value < 0 || value > whole)
        {
            throw new EmissionRefusedException($"{name} is {Invariant(value)}; it must be 0 to {Invariant(whole)}.");
        }
    }

    private static string Invariant(decimal value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
