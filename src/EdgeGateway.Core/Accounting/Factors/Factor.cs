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

/// <summary>Where factors were published, and for which time they were made.</summary>
/// <param name="Id">Its id in the set.</param>
/// <param name="Text">Its name.</param>
/// <param name="Published">Year of publication; null when not known.</param>
/// <param name="ValidFrom">First instant of the time it was made for; null when it has no beginning.</param>
/// <param name="ValidTo">End of that time, exclusive; null when it has none.</param>
/// <param name="StandsInBeyond">True when its newest and oldest factor may stand in for a time that is not published; otherwise such a time is refused.</param>
/// <param name="UncertaintyPercent">Half width at 95 %, in percent, of factors that state none of their own; null when not known.</param>
public sealed record FactorSource(string Id, string Text, int? Published, Instant? ValidFrom, Instant? ValidTo, bool StandsInBeyond, double? UncertaintyPercent);

/// <summary>An emission factor: never a bare number.</summary>
/// <param name="Of">What it is a factor of, in dotted form: <c>electricity</c>, <c>fuel.cn-diesel.ncv</c>, <c>gwp.AR5.CH4</c>.</param>
/// <param name="Region">Region code; null when it holds everywhere.</param>
/// <param name="Value">The number, exact.</param>
/// <param name="Unit">Its unit, as the set writes it.</param>
/// <param name="Source">Where it was published and when it holds.</param>
/// <param name="UncertaintyPercent">Half width at 95 %, in percent; NaN when not known.</param>
/// <param name="Status">How well it was confirmed.</param>
/// <param name="Note">What else to know, or null.</param>
public sealed record Factor(string Of, string? Region, decimal Value, string Unit, FactorSource Source, double UncertaintyPercent, FactorStatus Status, string? Note)
{
    /// <summary>What the average factor of a grid is a factor of.</summary>
    public const string Electricity = "electricity";

    /// <summary>Identifier with its source: <c>cn-mee-2022/CN-SX</c>, <c>cn-guideline/fuel.cn-diesel.ncv</c>.</summary>
    public string Id => Of == Electricity && Region is not null ? $"{Source.Id}/{Region}" : Region is null ? $"{Source.Id}/{Of}" : $"{Source.Id}/{Of}/{Region}";

    /// <summary>The number and how well it is known.</summary>
    public Measured Measured => new(Value, UncertaintyPercent);
}

/// <summary>Which region's factor was found.</summary>
public enum FactorFallback : byte
{
    /// <summary>The wanted region's own, or one that holds everywhere.</summary>
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
public sealed record FactorMatch(Factor Factor, FactorFallback Fallback, FactorYear Year, string? Note);
