namespace EdgeGateway.Core.Accounting;

/// <summary>An hour by which a factor can be checked.</summary>
/// <param name="Mass">Mass emitted, as measured in the stack.</param>
/// <param name="Activity">Activity of the same hour.</param>
/// <param name="MassPercent">Standard uncertainty of the mass, percent.</param>
/// <param name="ActivityPercent">Standard uncertainty of the activity, percent.</param>
/// <param name="IsAssured">Measured throughout, nothing substituted, calibration valid.</param>
public readonly record struct FactorObservation(double Mass, double Activity, double MassPercent, double ActivityPercent, bool IsAssured = true);

/// <summary>What an hour did to the factor.</summary>
/// <param name="State">Factor and variance after it.</param>
/// <param name="Nis">Normalised innovation squared.</param>
/// <param name="Refusal">Why it did not move the factor: <c>gated</c> or <c>not-quality-assured</c>; null when it did.</param>
public readonly record struct FactorStep(AdaptiveFactor State, double Nis, string? Refusal);

/// <summary>
/// A factor that follows what the stack shows (scalar Kalman filter with an innovation gate). It is a second, labelled figure: official totals keep the
/// official factor until a person approves this one.
/// </summary>
/// <param name="Factor">Mass for one of the activity.</param>
/// <param name="Variance">Its variance.</param>
/// <param name="RefusedInRow">Assured hours that were refused since one last moved it.</param>
public readonly record struct AdaptiveFactor(double Factor, double Variance, int RefusedInRow = 0)
{
    /// <summary>Refusals in a row after which the factor is trusted less: the fuel or the plant has changed.</summary>
    public const int RefusalsUntilDoubt = 3;

    /// <summary>The 0.1 % point of chi-square with one degree of freedom.</summary>
    public const double Gate = 10.828;

    /// <summary>Half width at 95 %.</summary>
    public double HalfWidth95 => 2 * Math.Sqrt(Variance);

    /// <summary>Takes one hour. A refused hour leaves the factor and adds the drift to its variance; the third refusal in a row makes the variance four times as large.</summary>
    /// <param name="hour">The hour.</param>
    /// <param name="drift">Variance that the factor gains in an hour.</param>
    /// <param name="least">Smallest factor the fuel can have.</param>
    /// <param name="most">Largest factor the fuel can have.</param>
    /// <exception cref="EmissionRefusedException">Activity or mass is negative, or not a number, or nothing has any uncertainty.</exception>
    public FactorStep Follow(in FactorObservation hour, double drift, double least, double most)
    {
        if (!(hour.Activity > 0) || !(hour.Mass >= 0) || !double.IsFinite(hour.Activity) || !double.IsFinite(hour.Mass))
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"An hour with the mass {hour.Mass} and the activity {hour.Activity} says nothing of a factor."));
        }

        var prior = Variance + drift;
        var (massError, activityError) = (hour.MassPercent * hour.Mass / 100, hour.ActivityPercent * hour.Activity * Factor / 100);
        var total = (hour.Activity * hour.Activity * prior) + (massError * massError) + (activityError * activityError);
        if (!(total > 0))
        {
            throw new EmissionRefusedException("An hour and a factor that are both known without any uncertainty say nothing of each other: state the uncertainty of the mass or of the factor.");
        }

        var innovation = hour.Mass - (hour.Activity * Factor);
        var nis = innovation * innovation / total;
        if (!hour.IsAssured)
        {
            return new(this with { Variance = prior }, nis, "not-quality-assured");
        }

        if (nis > Gate)
        {
            return new(RefusedInRow + 1 < RefusalsUntilDoubt ? new(Factor, prior, RefusedInRow + 1) : new(Factor, 4 * prior), nis, "gated");
        }

        var gain = prior * hour.Activity / total;
        return new(new(Math.Clamp(Factor + (gain * innovation), least, most), (1 - (gain * hour.Activity)) * prior), nis, null);
    }
}
