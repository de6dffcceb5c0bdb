using System.Runtime.CompilerServices;
using EdgeGateway.Core.Accounting;

namespace EdgeGateway.Core.Cems;

/// <summary>What no stack gives: a value beyond is refused, so that nothing computed from those inside overflows.</summary>
internal static class CemsLimits
{
    /// <summary>Largest flow, concentration or mass that is taken, in whatever unit.</summary>
    public const decimal Largest = 1_000_000_000_000m;

    /// <summary>Refuses a quantity below zero or beyond <see cref="Largest"/>.</summary>
    /// <exception cref="EmissionRefusedException">It is so.</exception>
    public static void RequireQuantity(decimal value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        EmissionRefusedException.IfNoShare(value, Largest, name);

    /// <summary>Refuses a state in which no gas can be.</summary>
    /// <exception cref="EmissionRefusedException">It is at or below absolute zero or vacuum, or beyond every stack.</exception>
    public static void RequireState(decimal celsius, decimal pascal)
    {
        EmissionRefusedException.IfNotPositive(273.15m + celsius, "The absolute temperature of the gas");
        EmissionRefusedException.IfNoShare(273.15m + celsius, 10_000, "The absolute temperature of the gas in K");
        EmissionRefusedException.IfNotPositive(pascal, "The absolute pressure of the duct");
        EmissionRefusedException.IfNoShare(pascal, 10_000_000, "The absolute pressure of the duct in Pa");
    }

    /// <summary>Refuses a share of moisture that leaves no dry gas.</summary>
    /// <exception cref="EmissionRefusedException">It is below 0 or 100 and above.</exception>
    public static void RequireMoisture(decimal percent)
    {
        if (percent is < 0 or >= 100)
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"The moisture is {percent} %; it must be 0 to below 100 %: at 100 % there is no dry gas."));
        }
    }

    /// <summary>A moisture that must be there: a dry analyser's value says nothing of wet gas without it, and 0 is never assumed.</summary>
    /// <exception cref="EmissionRefusedException">There is none, or it cannot be.</exception>
    public static decimal RequireMoisture(decimal? percent, string equation)
    {
        if (percent is not { } value)
        {
            throw new EmissionRefusedException($"{equation} needs the moisture of the gas and none is known: measure it, or configure the default of the fuel; it is never taken as 0.");
        }

        RequireMoisture(value);
        return value;
    }
}
