namespace EdgeGateway.Core.Accounting;

/// <summary>How well the number behind a factor was confirmed.</summary>
public enum FactorStatus : byte
{
    /// <summary>Read in the published source.</summary>
    Verified,

    /// <summary>Read in copies of the source.</summary>
    SecondHand,

    /// <summary>Recalled only.</summary>
    Unverified,
}

/// <summary>An average emission factor of a grid: never a bare number.</summary>
/// <param name="Id">Identifier with its year: <c>cn-mee-2022/CN-SX</c>.</param>
/// <param name="Region">Region code.</param>
/// <param name="KgPerKWh">kg CO2 per kWh.</param>
/// <param name="ValidFrom">First instant of the year it was made for, in the time of the country.</param>
/// <param name="ValidTo">End of that year, exclusive.</param>
/// <param name="UncertaintyPercent">Half width at 95 %, in percent.</param>
/// <param name="Source">Where it was published.</param>
/// <param name="Status">How well it was confirmed.</param>
public sealed record GridFactor(
    string Id,
    string Region,
    decimal KgPerKWh,
    Instant ValidFrom,
    Instant ValidTo,
    double UncertaintyPercent,
    string Source,
    FactorStatus Status);

/// <summary>Which region's factor was found.</summary>
public enum FactorFallback : byte
{
    /// <summary>The wanted region's own.</summary>
    None,

    /// <summary>Its grid's.</summary>
    Grid,

    /// <summary>Its country's.</summary>
    Country,
}

/// <summary>Which year's factor was found.</summary>
public enum FactorYear : byte
{
    /// <summary>The year of the activity.</summary>
    Exact,

    /// <summary>The newest before the activity: its own year is not published.</summary>
    Newest,

    /// <summary>The oldest there is: the activity is older.</summary>
    Oldest,
}

/// <summary>A factor and what had to be accepted to find it.</summary>
/// <param name="Factor">The factor.</param>
/// <param name="Fallback">Whether another region stands in.</param>
/// <param name="Year">Whether another year stands in.</param>
/// <param name="Note">The same in words, or null when the factor fits exactly.</param>
public sealed record FactorMatch(GridFactor Factor, FactorFallback Fallback, FactorYear Year, string? Note);
