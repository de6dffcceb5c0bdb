using EdgeGateway.Core.Accounting.Forecasting;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>Where the entries of a statement come from, for an auditor.</summary>
/// <param name="Kind"><c>ledger</c> or <c>feed</c>.</param>
/// <param name="Name">The file, or whatever was read.</param>
/// <param name="Position">The last position that was read, with its hash where there is one; null where the source has none.</param>
/// <param name="Verified">True when the chain of the source was verified while it was read; false when it has none or was not.</param>
public sealed record StatementSource(string Kind, string Name, string? Position, bool Verified);

/// <summary>A mass with all that must be said with it.</summary>
/// <param name="Milligrams">CO2e, milligrams; exact.</param>
/// <param name="UncertaintyPercent">Half width at 95 %, percent of the mass; NaN when it is not known for a part of it.</param>
/// <param name="Coverage">Share of the time that was known, 0 to 1; of a sum that of its least-known part.</param>
public readonly record struct StatedMass(Int128 Milligrams, double UncertaintyPercent, double Coverage);

/// <summary>What one account of one device adds up to.</summary>
public sealed record StatementLine
{
    /// <summary>Device id.</summary>
    public required string Device { get; init; }

    /// <summary>Name for people; the id where the configuration is not at hand.</summary>
    public required string Name { get; init; }

    /// <summary>Area, or null.</summary>
    public string? Area { get; init; }

    /// <summary>The meter in front of it, whose mass contains this one; null where it is in no other.</summary>
    public string? ContainedIn { get; init; }

    /// <summary>Whether it is part of the totals of the site.</summary>
    public required bool Counts { get; init; }

    /// <summary>Name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>How the mass is known.</summary>
    public required EmissionEvidence Evidence { get; init; }

    /// <summary>GHG Protocol scope: 1 or 2; 0 for none.</summary>
    public required int Scope { get; init; }

    /// <summary>How purchased energy became mass.</summary>
    public required EmissionBasis Basis { get; init; }

    /// <summary>The gas.</summary>
    public required string Gas { get; init; }

    /// <summary>GWP set; null for CO2.</summary>
    public string? GwpSet { get; init; }

    /// <summary>The activity, exact.</summary>
    public required decimal Activity { get; init; }

    /// <summary>UCUM code of its unit.</summary>
    public required string Unit { get; init; }

    /// <summary>The mass.</summary>
    public required StatedMass Mass { get; init; }

    /// <summary>CO2 removed, milligrams.</summary>
    public required Int128 RemovedMilligrams { get; init; }

    /// <summary>CO2 from biomass, milligrams.</summary>
    public required Int128 BiogenicMilligrams { get; init; }

    /// <summary>Of the mass: in entries that hold energy of an earlier silence, milligrams.</summary>
    public required Int128 AllocatedMilligrams { get; init; }

    /// <summary>The same activity by a factor that follows the stack, milligrams: a second figure, in no total; null where there is none.</summary>
    public Int128? AdaptedMilligrams { get; init; }

    /// <summary>Share of the time with substituted values, 0 to 1.</summary>
    public required double Substituted { get; init; }

    /// <summary>Time in which the meter was not known.</summary>
    public required TimeSpan Missing { get; init; }

    /// <summary>When its account began, where that is within the period; null otherwise.</summary>
    public Instant? Since { get; init; }

    /// <summary>Mass of each part of the period, milligrams.</summary>
    public required IReadOnlyList<Int128> Parts { get; init; }

    /// <summary>Known share of each part of the period, 0 to 1; NaN for parts that are not over the data.</summary>
    public required IReadOnlyList<double> PartCoverage { get; init; }
}

/// <summary>The sum of what may be added: one scope, one basis, one GWP set.</summary>
/// <param name="Scope">GHG Protocol scope: 1 or 2.</param>
/// <param name="Basis">How purchased energy became mass.</param>
/// <param name="Gas">The gas; null for the sum over gases.</param>
/// <param name="GwpSet">GWP set; null for CO2 alone.</param>
/// <param name="Mass">The mass; null when it cannot be stated.</param>
/// <param name="Refusal">Why it cannot be stated: masses by different GWP sets are never added.</param>
public sealed record StatementTotal(int Scope, EmissionBasis Basis, string? Gas, string? GwpSet, StatedMass? Mass, Refusal? Refusal = null);

/// <summary>How a total is spread over the parts of the period.</summary>
/// <param name="Scope">GHG Protocol scope.</param>
/// <param name="Basis">How purchased energy became mass.</param>
/// <param name="Milligrams">Of each part, over gases.</param>
public sealed record StatementCourse(int Scope, EmissionBasis Basis, IReadOnlyList<Int128> Milligrams);

/// <summary>What an area adds up to: its meters without what is metered behind them in other areas, so that the areas together are the site.</summary>
/// <param name="Area">Its name; null for devices in no area.</param>
/// <param name="Scope">GHG Protocol scope.</param>
/// <param name="Basis">How purchased energy became mass.</param>
/// <param name="Mass">The mass; null when masses by different GWP sets would have to be added.</param>
public sealed record StatementArea(string? Area, int Scope, EmissionBasis Basis, StatedMass? Mass);

/// <summary>What a meter brought and nobody meters behind it.</summary>
/// <param name="Parent">The meter.</param>
/// <param name="Name">Its name.</param>
/// <param name="KWh">Energy, exact.</param>
/// <param name="Mass">The mass; below zero when the meters behind it count more.</param>
public sealed record StatementRemainder(string Parent, string Name, decimal KWh, StatedMass Mass);

/// <summary>A time without a value.</summary>
/// <param name="Device">Device id.</param>
/// <param name="Method">Its account.</param>
/// <param name="From">When it began.</param>
/// <param name="To">When it ended.</param>
/// <param name="Reason"><c>not-heard</c>: the gateway ran and the meter did not answer; <c>no-entry</c>: the gateway made no entry; <c>no-factor</c>: the mass could not be computed; <c>substituted</c>: another value stands in for it.</param>
public sealed record StatementGap(string Device, string Method, Instant From, Instant To, string Reason);

/// <summary>What another factor set makes of a month that was stated before. The totals are as they were published; this is what changes.</summary>
/// <param name="Device">Device id.</param>
/// <param name="Method">Its account.</param>
/// <param name="Month">First instant of the month, which is one of UTC.</param>
/// <param name="From">The factor set before, with version and hash.</param>
/// <param name="To">The one it is restated by.</param>
/// <param name="BeforeMilligrams">Mass as stated before, milligrams.</param>
/// <param name="AfterMilligrams">Mass as stated now, milligrams.</param>
/// <param name="IsRemoval">True when the mass is a removal.</param>
public sealed record StatementRestatement(string Device, string Method, Instant Month, string From, string To, long BeforeMilligrams, long AfterMilligrams, bool IsRemoval);

/// <summary>Something that an auditor wants to know of the period: a change of configuration or factors, a calibration, what the ledger itself says is missing.</summary>
/// <param name="At">When.</param>
/// <param name="Kind"><c>configuration</c>, <c>factors</c>, <c>calibration</c> or <c>gap</c>.</param>
/// <param name="Text">What, as recorded.</param>
public sealed record StatementEvent(Instant At, string Kind, string Text);

/// <summary>A factor by which a part of the mass was computed.</summary>
/// <param name="Id">Factor id with its source.</param>
/// <param name="Set">Factor set and version by which the entries were made; null where the entries do not name it.</param>
/// <param name="Value">kg CO2e for one unit of the activity.</param>
/// <param name="Unit">UCUM code of the unit of the activity.</param>
/// <param name="From">First interval it was used in.</param>
/// <param name="To">End of the last.</param>
/// <param name="Milligrams">Mass that was computed by it.</param>
/// <param name="Notes">What stood in for the wanted factor.</param>
/// <param name="Known">The factor as the factor set at hand has it; null when it is not in it.</param>
public sealed record StatementFactor(string Id, string? Set, decimal Value, string Unit, Instant From, Instant To, Int128 Milligrams, IReadOnlyList<string> Notes, Factor? Known);

/// <summary>What is to be expected by the end of a month or a year.</summary>
/// <param name="Device">Device id; null for the site's total.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Scope">GHG Protocol scope.</param>
/// <param name="Basis">How purchased energy became mass.</param>
/// <param name="Target">The month or year.</param>
/// <param name="SinceStart">First day of it of which there is an account.</param>
/// <param name="LastDay">Last whole day that is known.</param>
/// <param name="Kilograms">kg CO2e accounted in it up to the last whole day.</param>
/// <param name="Forecast">What the days to come bring, kg CO2e; null when refused.</param>
/// <param name="FilledDays">Days of the history that were not known well enough, for which the same weekday of another week stands in, in the history alone.</param>
/// <param name="Refusal">Why there is no forecast.</param>
public sealed record StatementOutlook(
    string? Device, string Name, int Scope, EmissionBasis Basis, StatementPeriod Target, DateOnly SinceStart, DateOnly LastDay, double Kilograms, Forecast? Forecast, int FilledDays, Refusal? Refusal)
{
    /// <summary>What the whole month or year comes to, kg CO2e; null when refused.</summary>
    public ForecastStep? Total => Forecast is { } f ? new(Kilograms + f.Total.Value, Kilograms + f.Total.Low, Kilograms + f.Total.High) : null;

    /// <summary>The days before the end, kg CO2e, for a picture: accounted and then forecast.</summary>
    public IReadOnlyList<(DateOnly Day, double Kilograms)> Days { get; init; } = [];
}

/// <summary>The scenarios and the year in which emissions are highest.</summary>
/// <param name="BaseYear">The base year.</param>
/// <param name="BaseTonnes">t CO2e of the base year.</param>
/// <param name="BaseNote">Where that number comes from.</param>
/// <param name="Paths">The scenarios.</param>
public sealed record StatementPeak(int BaseYear, double BaseTonnes, string BaseNote, IReadOnlyList<PeakPath> Paths);

/// <summary>What the gateway itself used.</summary>
/// <param name="IsMeasured">True by a sensor of its supply (method <c>gateway-power</c>), false by the declared power.</param>
/// <param name="Watts">Mean power over <paramref name="Running"/>, W.</param>
/// <param name="Running">Time that is counted: in which the sensor was heard, or in which the gateway made entries.</param>
/// <param name="KWh">Energy.</param>
/// <param name="Milligrams">CO2e by the factor of the grid, milligrams; null when there is none.</param>
/// <param name="FactorId">The factor.</param>
/// <param name="ShareOfSite">Part of the site's bought electricity, 0 to 1; null when the site bought none.</param>
public sealed record OwnFootprint(bool IsMeasured, decimal Watts, TimeSpan Running, decimal KWh, long? Milligrams, string? FactorId, double? ShareOfSite);

/// <summary>A statement of emissions over a period: nothing in it is rounded, and nothing in it is counted twice.</summary>
public sealed record Statement
{
    /// <summary>What it is about.</summary>
    public required StatementSubject Subject { get; init; }

    /// <summary>The site.</summary>
    public required StatementSite Site { get; init; }

    /// <summary>The period.</summary>
    public required StatementPeriod Period { get; init; }

    /// <summary>First interval of the period that has an entry.</summary>
    public required Instant From { get; init; }

    /// <summary>End of the last.</summary>
    public required Instant To { get; init; }

    /// <summary>Whether entries reach to the end of the period.</summary>
    public bool IsComplete => To >= Period.End;

    /// <summary>Where the entries come from.</summary>
    public required StatementSource Source { get; init; }

    /// <summary>Number of entries of the period.</summary>
    public required long Entries { get; init; }

    /// <summary>Sums by scope and basis, over gases.</summary>
    public required IReadOnlyList<StatementTotal> Totals { get; init; }

    /// <summary>The totals over the parts of the period; none of a total that cannot be stated.</summary>
    public required IReadOnlyList<StatementCourse> Courses { get; init; }

    /// <summary>The same by gas and GWP set.</summary>
    public required IReadOnlyList<StatementTotal> Gases { get; init; }

    /// <summary>CO2 removed: never netted.</summary>
    public required StatedMass? Removed { get; init; }

    /// <summary>CO2 from biomass: in no scope.</summary>
    public required StatedMass? Biogenic { get; init; }

    /// <summary>The accounts.</summary>
    public required IReadOnlyList<StatementLine> Lines { get; init; }

    /// <summary>The areas; empty where the configuration is not at hand.</summary>
    public required IReadOnlyList<StatementArea> Areas { get; init; }

    /// <summary>What is not metered further.</summary>
    public required IReadOnlyList<StatementRemainder> Remainders { get; init; }

    /// <summary>The stacks: hours, flags, what stands in, availability, masses.</summary>
    public IReadOnlyList<StatementStack> Stacks { get; init; } = [];

    /// <summary>The longest times without a value, in order of time.</summary>
    public required IReadOnlyList<StatementGap> Gaps { get; init; }

    /// <summary>Shorter ones that are not listed.</summary>
    public required int GapsLeftOut { get; init; }

    /// <summary>The factors.</summary>
    public required IReadOnlyList<StatementFactor> Factors { get; init; }

    /// <summary>Of a year whose months were restated: the courses as the newest factor set states them. The others of <see cref="Courses"/> are as they were published.</summary>
    public IReadOnlyList<StatementCourse> Restated { get; init; } = [];

    /// <summary>Restatements of months in the period.</summary>
    public required IReadOnlyList<StatementRestatement> Restatements { get; init; }

    /// <summary>What else the ledger records of the period.</summary>
    public required IReadOnlyList<StatementEvent> Events { get; init; }

    /// <summary>The forecasts; empty when none were asked for.</summary>
    public required IReadOnlyList<StatementOutlook> Outlooks { get; init; }

    /// <summary>Scenarios; null when none were given.</summary>
    public StatementPeak? Peak { get; init; }

    /// <summary>Why there are no scenarios although some were given.</summary>
    public Refusal? PeakRefusal { get; init; }

    /// <summary>What the gateway itself used; null when it is not declared.</summary>
    public OwnFootprint? Own { get; init; }
}
