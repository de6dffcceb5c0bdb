using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Cems;

namespace EdgeGateway.Core.Feed;

/// <summary>The streams of the feed. Each numbers its records from 1 without gaps in each epoch. The numbers are stored: never renumber.</summary>
public enum FeedStream : byte
{
    /// <summary>Device metadata: points, units, roles, profile and revision.</summary>
    Birth = 1,
    Summary = 2,
    Emission = 3,
    Anomaly = 4,

    /// <summary>Devices going away and coming back.</summary>
    State = 5,

    /// <summary>The gateway itself: start, stop, clock steps, evictions, disk.</summary>
    Health = 6,

    /// <summary>Single samples, where the site asks for them.</summary>
    Sample = 7,

    /// <summary>What of each stream was sent, evicted or never acquired.</summary>
    Range = 8,

    /// <summary>Hours and calibrations of continuous emission monitoring.</summary>
    Cems = 9,
}

/// <summary>What one window of one point saw.</summary>
public readonly record struct SummaryRecord
{
    /// <summary>Index of the point.</summary>
    public required int Point { get; init; }

    /// <summary>Aligned start of the window, inclusive.</summary>
    public required Instant Start { get; init; }

    /// <summary>Width of the window: the end, exclusive, is <c>Start + Width</c>.</summary>
    public required TimeSpan Width { get; init; }

    /// <summary>Clock era: grows with each clock step, so that a window met twice by a clock set back keeps two identities.</summary>
    public required int Era { get; init; }

    /// <summary>Samples that had a value.</summary>
    public required long Count { get; init; }

    /// <summary>Samples that had none.</summary>
    public required long Missing { get; init; }

    /// <summary>Samples whose value was uncertain (included in <see cref="Count"/>).</summary>
    public required long Uncertain { get; init; }

    /// <summary>Smallest value; NaN when <see cref="Count"/> is 0.</summary>
    public required double Min { get; init; }

    public required double Max { get; init; }

    /// <summary>Time-weighted mean over the covered part; NaN when nothing is covered, and for counters.</summary>
    public required double Mean { get; init; }

    public required double Last { get; init; }

    /// <summary>Gauges: integral over the covered part, in unit x seconds. Counters: 0.</summary>
    public required double Integral { get; init; }

    /// <summary>Counters: growth in the point's unit, exact; null for gauges and when no growth could be established.</summary>
    public decimal? Delta { get; init; }

    /// <summary>Counters: reading at the start and at the end of the window from which <see cref="Delta"/> was made.</summary>
    public decimal? StartReading { get; init; }

    public decimal? EndReading { get; init; }

    /// <summary>Share of the window in which the point's value was known, 0 to 1.</summary>
    public required double Coverage { get; init; }

    /// <summary>Why the window is not whole: none, clock step, configuration change, loss.</summary>
    public WindowCut Cut { get; init; }
}

/// <summary>Why a window ended before its time.</summary>
public enum WindowCut : byte
{
    None,
    ClockStep,
    Configuration,

    /// <summary>Records between were lost with a damaged store: the window is what the recovered state still knew of it.</summary>
    Loss,
}

/// <summary>An entry of the carbon account: made once, for one device (or the site) and 15 minutes.</summary>
public readonly record struct EmissionRecord
{
    /// <summary>Index of the device; -1 for the site's total or remainder (see <see cref="Account"/>).</summary>
    public required int Device { get; init; }

    /// <summary>What is accounted: <c>device</c>, <c>site</c> (sum of what counts), <c>remainder</c> (a parent minus its children; the device is the parent) or <c>area</c>.</summary>
    public required EmissionAccount Account { get; init; }

    /// <summary>The area of an area's total; null for all others.</summary>
    public string? Area { get; init; }

    public required Instant Start { get; init; }

    public required TimeSpan Width { get; init; }

    public required int Era { get; init; }

    /// <summary>Emission method by name, for instance <c>electricity-purchased</c>.</summary>
    public required string Method { get; init; }

    /// <summary>GHG Protocol scope: 1 or 2; 0 for none.</summary>
    public required int Scope { get; init; }

    /// <summary>Activity in kWh for electricity, exact.</summary>
    public required decimal ActivityKWh { get; init; }

    /// <summary>Mass of CO2e in milligrams. The remainder below one milligram is carried into the next entry of the same account.</summary>
    public required long Milligrams { get; init; }

    /// <summary>Factor id with its version.</summary>
    public required string FactorId { get; init; }

    /// <summary>Factor in kg CO2e per kWh.</summary>
    public required decimal FactorKgPerKWh { get; init; }

    /// <summary>What had to stand in for the wanted factor, for instance <c>CN-GRID-SOUTHWEST for CN-XZ; year 2022 for 2026</c>; null when it fits exactly.</summary>
    public string? FactorNote { get; init; }

    /// <summary>Relative uncertainty of the mass in percent, 95 % half width.</summary>
    public required double UncertaintyPercent { get; init; }

    /// <summary>Share of the interval in which the meter was heard, 0 to 1.</summary>
    public required double Coverage { get; init; }

    /// <summary>Reading of the register at the start, in the point's unit; null for sums.</summary>
    public decimal? StartReading { get; init; }

    public decimal? EndReading { get; init; }

    /// <summary>Raw register at the start and the end, as the device sent it.</summary>
    public ulong? StartRaw { get; init; }

    public ulong? EndRaw { get; init; }

    /// <summary>True when the entry is part of the site's total.</summary>
    public required bool CountsTowardSite { get; init; }

    /// <summary>True when energy of an earlier gap is contained, known from the register but not when it flowed.</summary>
    public required bool Allocated { get; init; }

    public WindowCut Cut { get; init; }

    /// <summary>Activity, factor and gas of a method other than electricity; null for electricity.</summary>
    public EmissionDetail? Detail { get; init; }

    /// <summary>The part of a milligram that the entry before left over; 0 to 1, exact. It is in the ledger and not in the feed; 0 for sums.</summary>
    public decimal Carried { get; init; }
}

/// <summary>What an entry of a method other than electricity holds beside; its kWh and its factor per kWh are 0.</summary>
/// <param name="Activity">The activity, exact.</param>
/// <param name="ActivityUnit">UCUM code of its unit.</param>
/// <param name="Factor">kg CO2e for one unit of the activity.</param>
/// <param name="Gas">The gas: <c>CO2</c>, <c>CH4_fossil</c>.</param>
/// <param name="GwpSet">The GWP set by which it was converted; null for CO2.</param>
/// <param name="RemovedMilligrams">CO2 removed in milligrams, reported apart, where the method is a removal; null for emissions.</param>
public sealed record EmissionDetail(decimal Activity, string ActivityUnit, decimal Factor, string Gas, string? GwpSet, long? RemovedMilligrams)
{
    /// <summary>CO2 of biomass in milligrams: reported apart, in no scope (GHG Protocol corporate standard, chapter 9); null where the site states no biogenic share.</summary>
    public long? BiogenicMilligrams { get; init; }

    /// <summary>The same activity by a factor that follows the stack; null where the account has none.</summary>
    public AdaptedFigure? Adapted { get; init; }

    /// <summary>What the hour of a stack was made from, for whoever reads the account alone; null for all other accounts.</summary>
    public StackHour? Stack { get; init; }
}

/// <summary>How the hour of a stack is known, in short: <see cref="CemsHourRecord"/> says it in full.</summary>
/// <param name="OperatingTime">Share of the clock hour in which the unit operated.</param>
/// <param name="Quantities">Gases, flow and moisture.</param>
public sealed record StackHour(decimal OperatingTime, IReadOnlyList<StackQuantity> Quantities)
{
    /// <summary>1 for the first entry of the hour; an entry with a higher one restates the same hour and replaces it.</summary>
    public int Revision { get; init; } = 1;
}

/// <summary>One quantity of a stack's hour.</summary>
/// <param name="Name">The gas, <c>flow</c> or <c>moisture</c>.</param>
/// <param name="IsValid">Whether the measured hour counts.</param>
/// <param name="Flag">Why it does not.</param>
/// <param name="Rule">The rule by which a value stands in; null for a measured hour.</param>
/// <param name="AvailabilityPercent">Availability when this was decided, percent; null before the first hour.</param>
/// <param name="Kilograms">Mass, kg; null for what has none or where it is not known.</param>
public sealed record StackQuantity(string Name, bool IsValid, CemsFlag Flag, string? Rule, decimal? AvailabilityPercent, decimal? Kilograms);

/// <summary>A second, labelled figure of an entry: what its activity gives by the factor that follows the stack. It is in no total, whether approved or not.</summary>
/// <param name="Factor">kg CO2e for one unit of the activity, as learnt up to the end of the entry.</param>
/// <param name="UncertaintyPercent">Half width at 95 % of that factor, percent, with the systematic part that hours do not average out.</param>
/// <param name="Milligrams">The activity times that factor, whole milligrams; what is below is carried.</param>
/// <param name="Hours">Hours that have moved the factor.</param>
/// <param name="Refused">Hours that were refused because they lay too far from it.</param>
/// <param name="OfficialFactor">The factor of the factor set, kg CO2e for one unit; null while there is none.</param>
/// <param name="Approved">True when the entry's own factor is one that a person approved.</param>
public sealed record AdaptedFigure(decimal Factor, double UncertaintyPercent, long Milligrams, int Hours, int Refused, decimal? OfficialFactor, bool Approved);

public enum EmissionAccount : byte
{
    Device,
    Site,
    Remainder,

    /// <summary>Sum of an area: what crosses its boundary inwards less what crosses it outwards, so that no energy counts twice.</summary>
    Area,
}

/// <summary>Grade of a finding.</summary>
public enum Severity : byte
{
    Note,
    Warning,
    Alarm,
}

/// <summary>A detector raised or cleared a finding.</summary>
public sealed record AnomalyRecord
{
    /// <summary>Index of the point it was found on.</summary>
    public required int Point { get; init; }

    /// <summary>Name of the detector in the table.</summary>
    public required string Detector { get; init; }

    /// <summary>True when raised, false when cleared.</summary>
    public required bool Raised { get; init; }

    /// <summary>When the finding began; with point and detector it identifies the anomaly.</summary>
    public required Instant Since { get; init; }

    /// <summary>When this record's change was seen.</summary>
    public required Instant Time { get; init; }

    public required Severity Severity { get; init; }

    /// <summary>Value that led to it, in the point's unit.</summary>
    public required double Value { get; init; }

    /// <summary>Limit it was held against, in the point's unit; NaN where there is none.</summary>
    public required double Limit { get; init; }

    /// <summary>What, where, how much against what, since when; one sentence for a technician.</summary>
    public required string Text { get; init; }
}

/// <summary>A device went away or came back.</summary>
public sealed record DeviceStateRecord
{
    public required int Device { get; init; }

    public required bool Online { get; init; }

    public required Instant Time { get; init; }

    /// <summary>The quality reason of the first failed sample; none when online.</summary>
    public required QualityReason Reason { get; init; }

    /// <summary>Modbus exception code where the reason is a device exception.</summary>
    public required byte Detail { get; init; }
}

/// <summary>Receives what the pipeline finds. Called in a deterministic order, from one thread.</summary>
public interface IFeedSink
{
    void Summary(in SummaryRecord record);

    void Emission(in EmissionRecord record);

    void Anomaly(AnomalyRecord record);

    void DeviceState(DeviceStateRecord record);

    /// <summary>Something happened to an alarm.</summary>
    void Alarm(AlarmRecord record);

    /// <summary>A validated sample of a point that publishes each sample.</summary>
    void Sample(in Sample sample);

    /// <summary>An hour of a stack has ended, or what it lacked has been decided.</summary>
    void CemsHour(CemsHourRecord record);

    /// <summary>A calibration check of a stack's analyser has ended.</summary>
    void Calibration(CemsCalibrationRecord record);
}
