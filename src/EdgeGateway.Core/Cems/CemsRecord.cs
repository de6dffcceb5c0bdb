using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Cems;

/// <summary>One quantity of an hour: a gas, the flow or the moisture.</summary>
public sealed record CemsQuantity
{
    /// <summary>Name: a gas, <c>flow</c> or <c>moisture</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Unit of the value: <c>%{vol}</c>, <c>mg/m3</c>, <c>[ppm]</c>, <c>m3/h</c>, <c>[ft3_i]/h</c>.</summary>
    public required string Unit { get; init; }

    /// <summary>The value that counts, measured or substituted; null when there is none.</summary>
    public decimal? Value { get; init; }

    /// <summary>Whether the measured hour is valid under the rules and the analyser in control.</summary>
    public required bool IsValid { get; init; }

    /// <summary>Why it is not: the flag that most of the invalid points had; normal for a valid hour.</summary>
    public required CemsFlag Flag { get; init; }

    /// <summary>Valid points, and under HJ 75 valid minutes.</summary>
    public required int Points { get; init; }

    /// <summary>State of the daily calibration; null where none is required.</summary>
    public CalibrationStatus? Calibration { get; init; }

    /// <summary>Availability (Part 75), valid capture of the quarter (HJ 75) or of the year (EU) in percent, as it was when this was decided; null before the first hour.</summary>
    public decimal? AvailabilityPercent { get; init; }

    /// <summary>The rule by which a value stands in, for instance <c>P90</c>, <c>MAX-180</c>, <c>NOT-COVERED</c>; null for a measured hour and while it is not decided.</summary>
    public string? Rule { get; init; }

    /// <summary>Method of determination code (Part 75): <c>01</c> for a measured hour; null in other rule sets.</summary>
    public string? Modc { get; init; }

    /// <summary>Hours of look-back that the rule used; 0 for none.</summary>
    public int Lookback { get; init; }

    /// <summary>Length in hours of the missing period; 0 for a measured hour.</summary>
    public int MissingHours { get; init; }

    /// <summary>Dry standard concentration at reference oxygen, mg/m3, for comparing with the permit; never part of a mass. Null where there is no limit.</summary>
    public decimal? Corrected { get; init; }

    /// <summary>Mass of the hour in kg, exact to its rule; null for what has none or where it is not known.</summary>
    public decimal? Kilograms { get; init; }

    /// <summary>Share of <see cref="CemsHourRecord.Width"/> in which the points that this is made from were heard, 0 to 1.</summary>
    public required double Coverage { get; init; }

    /// <summary>What could not be computed and why; null when there is nothing to say.</summary>
    public string? Note { get; init; }
}

/// <summary>One hour of one stack.</summary>
public sealed record CemsHourRecord
{
    /// <summary>Index of the device.</summary>
    public required int Device { get; init; }

    /// <summary>Start of the hour; later when the gateway began within it, or when it is what follows a cut.</summary>
    public required Instant Start { get; init; }

    /// <summary>One hour; less when it began late or was cut.</summary>
    public required TimeSpan Width { get; init; }

    /// <summary>Clock era.</summary>
    public required int Era { get; init; }

    /// <summary>Why the hour is not whole.</summary>
    public required WindowCut Cut { get; init; }

    /// <summary>The rules in force.</summary>
    public required CemsRules Rules { get; init; }

    /// <summary>1 at the end of the hour; higher each time that it is said again: when a missing period has ended and what it lacked is decided, or when a failed check takes it back. The higher replaces the lower.</summary>
    public required int Revision { get; init; }

    /// <summary>False while the hour waits for the end of a missing period.</summary>
    public required bool IsFinal { get; init; }

    /// <summary>Share of the clock hour in which the unit operated, to the millisecond, under Part 75 rounded to 0.01; 0: the unit stood, and there is nothing to validate.</summary>
    public required decimal OperatingTime { get; init; }

    /// <summary>Mean dry oxygen in percent; null where it is not measured or not valid.</summary>
    public decimal? OxygenPercent { get; init; }

    /// <summary>Gases, flow and moisture; empty when the unit stood.</summary>
    public required IReadOnlyList<CemsQuantity> Quantities { get; init; }
}

/// <summary>A calibration gas check of one analyser, or a linearity check or RATA of a system.</summary>
public sealed record CemsCalibrationRecord
{
    /// <summary>Index of the device.</summary>
    public required int Device { get; init; }

    /// <summary>The gas; for a RATA also <c>flow</c> and <c>moisture</c>.</summary>
    public required string Gas { get; init; }

    /// <summary>When the check ended.</summary>
    public required Instant Time { get; init; }

    /// <summary><c>zero</c>, <c>span</c>, <c>linearity</c> or <c>rata</c>.</summary>
    public required string Level { get; init; }

    /// <summary>Unit of the gas, UCUM.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Value of the calibration gas, in the unit of the gas; of a linearity check the mean of its gases, of a RATA the mean of the reference method.</summary>
    public required decimal Reference { get; init; }

    /// <summary>What the analyser read; null when it gave no value, and the check is aborted.</summary>
    public required decimal? Measured { get; init; }

    /// <summary>The error as the rules judge it; null when aborted.</summary>
    public required decimal? Error { get; init; }

    /// <summary>Passed, passed by the alternative, failed or aborted.</summary>
    public required TestResult Result { get; init; }

    /// <summary>What the drift chart says; null where the site keeps none.</summary>
    public DriftVerdict? Drift { get; init; }

    /// <summary>Sums of the drift chart; 0 where there is none.</summary>
    public decimal CusumUpper { get; init; }

    /// <summary>The same downward.</summary>
    public decimal CusumLower { get; init; }

    /// <summary>Bias factor of the hours to come; null but for a RATA.</summary>
    public decimal? BiasFactor { get; init; }

    /// <summary>End of the quarter by which the next is due; null for checks of a day, and when it failed.</summary>
    public Instant? Due { get; init; }

    /// <summary>Who entered it; empty when it was recognised from the status of the analyser.</summary>
    public required string Who { get; init; }
}
