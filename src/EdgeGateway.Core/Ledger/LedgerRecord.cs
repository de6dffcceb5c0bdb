using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Ledger;

/// <summary>One record of the ledger. Immutable once appended; <c>docs/ledger.md</c> gives its bytes.</summary>
/// <param name="Number">Its place, from 1, without gaps and never used again.</param>
/// <param name="Time">Gateway time at which it was appended.</param>
/// <param name="Content">What it says.</param>
public sealed record LedgerRecord(long Number, Instant Time, LedgerContent Content);

/// <summary>What a record of the ledger says.</summary>
public abstract record LedgerContent
{
    private protected LedgerContent()
    {
    }

    /// <summary>Which kind of content it is.</summary>
    public abstract LedgerKind Kind { get; }

    /// <summary>True for a kind that the device key signs.</summary>
    public bool IsSigned => Kind is LedgerKind.Opening or LedgerKind.Key or LedgerKind.Seal or LedgerKind.Closing;
}

/// <summary>Begins the ledger of a gateway.</summary>
/// <param name="Gateway">Id of the gateway.</param>
/// <param name="PublicKey">The public key that signs: SubjectPublicKeyInfo (RFC 5280, 4.1) in base64.</param>
public sealed record OpeningContent(string Gateway, string PublicKey) : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Opening;
}

/// <summary>Another key signs from this record on, this one included.</summary>
/// <param name="PublicKey">The new public key: SubjectPublicKeyInfo in base64.</param>
/// <param name="Reason">Why, for a person.</param>
public sealed record KeyContent(string PublicKey, string Reason) : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Key;
}

/// <summary>The configuration that is in force from here on.</summary>
/// <param name="Hash">SHA-256 over its texts, lower-case hex: <see cref="SiteModel.ConfigurationHash"/>.</param>
/// <param name="Site">Id of the site.</param>
/// <param name="Program">Version of the program.</param>
/// <param name="FactorSet">Content hash of the factor set in force.</param>
/// <param name="Accounts">The carbon accounts, with all that recomputing an entry needs beside the factors.</param>
public sealed record ConfigurationContent(string Hash, string Site, string Program, string FactorSet, IReadOnlyList<LedgerAccount> Accounts) : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Configuration;

    /// <summary>Which accounts make the remainders and totals of an interval; null in records of programs that did not say it.</summary>
    public IReadOnlyList<LedgerSum>? Sums { get; init; }
}

/// <summary>A remainder or total of each interval, made from the entries of accounts. <paramref name="Account"/>, name and method together name it.</summary>
/// <param name="Account">Remainder of a meter, total of an area or of the site.</param>
/// <param name="Name">Id of the device, name of the area; empty for the site.</param>
/// <param name="Method">Method of the entry: <c>electricity-purchased</c>, or the name of a total of what is declared.</param>
/// <param name="Parts">What is added and taken away.</param>
public sealed record LedgerSum(EmissionAccount Account, string Name, string Method, IReadOnlyList<LedgerPart> Parts);

/// <summary>An entry that goes into a sum.</summary>
/// <param name="Account">Place of its account in <see cref="ConfigurationContent.Accounts"/>, from 0.</param>
/// <param name="Sign">1 when it is added, -1 when it is taken away.</param>
/// <param name="PricedBy">Place of the account whose factor gives its energy a mass, cut to whole milligrams: what flows back through a tie. -1 when it has its own mass.</param>
public sealed record LedgerPart(int Account, int Sign, int PricedBy);

/// <summary>A carbon account of the configuration in force. Device and method together name it.</summary>
/// <param name="Device">Id of the device.</param>
/// <param name="Method">Name of the emission method.</param>
/// <param name="Region">Region of its factors.</param>
/// <param name="Unit">Unit of the activity, UCUM.</param>
/// <param name="CarriesMass">False for own generation, whose energy is accounted and whose mass is not.</param>
public sealed record LedgerAccount(string Device, string Method, string Region, string Unit, bool CarriesMass)
{
    /// <summary>Id of the register's point; null where gauges make the activity.</summary>
    public string? Point { get; init; }

    /// <summary>Units of the activity for one of the register, exact; null where gauges make the activity.</summary>
    public decimal? PerUnit { get; init; }

    /// <summary>Parameters of the method: fuel, reference state, measured carbon, purity, factor, GWP set, gas; no points.</summary>
    public required CarbonModel Model { get; init; }
}

/// <summary>The factor set that is in force from here on.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Version">Its version.</param>
/// <param name="Hash">SHA-256 of <paramref name="Canonical"/>, lower-case hex.</param>
/// <param name="Canonical">Its content in canonical form (<see cref="Accounting.FactorSet.Canonical"/>), as text.</param>
public sealed record FactorsContent(string Id, int Version, string Hash, string Canonical) : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Factors;
}

/// <summary>An entry of the carbon account: the numbers that were published, and what recomputing them needs.</summary>
public sealed record EmissionContent : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Emission;

    /// <summary>Id of the device; null for the site's total.</summary>
    public required string? Device { get; init; }

    /// <summary>The entry as published. Read back from a ledger, its <see cref="EmissionRecord.Device"/> is -1: the index belongs to a configuration, the id is <see cref="Device"/>.</summary>
    public required EmissionRecord Entry { get; init; }

    /// <summary>Content hash of the factor set by which it was made.</summary>
    public required string FactorSet { get; init; }

    /// <summary>Epoch of the entry in the stream <c>emission</c> of the feed.</summary>
    public required long Epoch { get; init; }

    /// <summary>Its sequence number in that epoch.</summary>
    public required long Sequence { get; init; }

    /// <summary>True when its dates are provisional: nobody had set the clock.</summary>
    public bool IsClockUnset { get; init; }

    /// <summary>The activity, exact, in <see cref="Unit"/>.</summary>
    public decimal Activity => Entry.Detail?.Activity ?? Entry.ActivityKWh;

    /// <summary>Unit of the activity, UCUM.</summary>
    public string Unit => Entry.Detail?.ActivityUnit ?? "kW.h";

    /// <summary>Milligrams of CO2e that were emitted or, where <see cref="IsRemoval"/>, removed; the two are never netted.</summary>
    public long Mass => Entry.Detail?.RemovedMilligrams ?? Entry.Milligrams;

    /// <summary>True when <see cref="Mass"/> is a removal.</summary>
    public bool IsRemoval => Entry.Detail?.RemovedMilligrams is not null;
}

/// <summary>Names a version of a factor set.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Version">Its version.</param>
/// <param name="Hash">Its content hash.</param>
public sealed record FactorSetName(string Id, int Version, string Hash)
{
    /// <summary>For a person: <c>edgegateway version 3 (0f31ab22c94d)</c>.</summary>
    public override string ToString() => $"{Id} version {Version} ({Hash[..Math.Min(12, Hash.Length)]})";
}

/// <summary>What another factor set makes of the entries of an account in a month (UTC). The entries themselves stay as they were published.</summary>
public sealed record RestatementContent : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Restatement;

    /// <summary>The set by which the month was stated before.</summary>
    public required FactorSetName From { get; init; }

    /// <summary>The set by which it is stated now.</summary>
    public required FactorSetName To { get; init; }

    /// <summary>Id of the device.</summary>
    public required string Device { get; init; }

    /// <summary>Name of the emission method.</summary>
    public required string Method { get; init; }

    /// <summary>First instant of the month, UTC, in which the entries begin.</summary>
    public required Instant Month { get; init; }

    /// <summary>How many entries are restated.</summary>
    public required long Entries { get; init; }

    /// <summary>Entries among them for which the new set has no factor; their mass stays as it was.</summary>
    public required long Refused { get; init; }

    /// <summary>The activity of these entries, exact, in the unit of the account.</summary>
    public required decimal Activity { get; init; }

    /// <summary>Milligrams of CO2e as stated before, earlier restatements included.</summary>
    public required long Before { get; init; }

    /// <summary>Milligrams of CO2e as stated now.</summary>
    public required long After { get; init; }

    /// <summary>True when the mass is a removal.</summary>
    public required bool IsRemoval { get; init; }

    /// <summary>True when the entries are part of the site's total.</summary>
    public required bool CountsTowardSite { get; init; }

    /// <summary>Number of the last record of the ledger that was restated; later entries were made by the new set.</summary>
    public required long Through { get; init; }

    /// <summary>What changes: <see cref="After"/> less <see cref="Before"/>.</summary>
    public long Delta => After - Before;
}

/// <summary>A check or an adjustment of a measuring device.</summary>
public sealed record CalibrationContent : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Calibration;

    /// <summary>Id of the device.</summary>
    public required string Device { get; init; }

    /// <summary>Id of the point; empty when the whole device was concerned.</summary>
    public required string Point { get; init; }

    /// <summary>What was done, in one word of whoever does it: <c>zero</c>, <c>span</c>, <c>linearity</c>, <c>exchange</c>.</summary>
    public required string Action { get; init; }

    /// <summary>When it was done.</summary>
    public required Instant At { get; init; }

    /// <summary>What the device should have shown, in <see cref="Unit"/>; null when there is no reference.</summary>
    public decimal? Reference { get; init; }

    /// <summary>What it showed, in <see cref="Unit"/>.</summary>
    public decimal? Found { get; init; }

    /// <summary>What it showed after an adjustment, in <see cref="Unit"/>; null when nothing was adjusted.</summary>
    public decimal? Left { get; init; }

    /// <summary>Unit of these, UCUM; empty when there are none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Whether it passed; null when nothing was judged.</summary>
    public bool? Passed { get; init; }

    /// <summary>Who did it; empty for an automatic check.</summary>
    public string Who { get; init; } = "";

    /// <summary>What else there is to say, for a person.</summary>
    public string Text { get; init; } = "";
}

/// <summary>A factor that follows a stack was put into force, taken out of it, or forgotten.</summary>
public sealed record DecisionContent : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Decision;

    /// <summary>Id of the device whose account it is.</summary>
    public required string Device { get; init; }

    /// <summary>Method of the account.</summary>
    public required string Method { get; init; }

    /// <summary><c>approve</c>: it is in force. <c>withdraw</c>: the official factor is. <c>forget</c>: what was learnt is of another fuel or unit than the account now, and gone.</summary>
    public required string Action { get; init; }

    /// <summary>When it was decided.</summary>
    public required Instant At { get; init; }

    /// <summary>The factor concerned, kg CO2 for one unit of the activity.</summary>
    public required decimal Factor { get; init; }

    /// <summary>Half width of it at 95 %, percent; NaN when not known.</summary>
    public required double UncertaintyPercent { get; init; }

    /// <summary>Hours that had moved it.</summary>
    public required int Hours { get; init; }

    /// <summary>Who decided; empty when the configuration did.</summary>
    public string Who { get; init; } = "";

    /// <summary>Why, for a person.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>Something happened to an alarm.</summary>
public sealed record AlarmContent : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Alarm;

    /// <summary>Name of the alarm for good.</summary>
    public required string Alarm { get; init; }

    /// <summary>What happened, as the feed spells it: <c>raised</c>, <c>acknowledged</c>, <c>cleared</c>.</summary>
    public required string Change { get; init; }

    /// <summary>Where it stands after it, as the feed spells it.</summary>
    public required string State { get; init; }

    /// <summary>Its priority, as the feed spells it.</summary>
    public required string Priority { get; init; }

    /// <summary>When the condition began.</summary>
    public required Instant Since { get; init; }

    /// <summary>When this happened.</summary>
    public required Instant At { get; init; }

    /// <summary>Id of the device; empty when it concerns none or several.</summary>
    public string Device { get; init; } = "";

    /// <summary>Id of the point; empty when it concerns no single one.</summary>
    public string Point { get; init; } = "";

    /// <summary>Who did it; empty when nobody did.</summary>
    public string Who { get; init; } = "";

    /// <summary>Why, in that person's words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The finding in the words of its detector.</summary>
    public string Text { get; init; } = "";
}

/// <summary>Records or entries may be missing before this one.</summary>
/// <param name="Cause">Why, for a person.</param>
/// <param name="Epoch">Epoch of the stream <c>emission</c> of the feed in which entries are missing; 0 when none are known to be.</param>
/// <param name="First">First sequence number that is not in the ledger; 0 when it is not known.</param>
/// <param name="Last">Last sequence number that is not in the ledger; 0 when it is not known.</param>
public sealed record GapContent(string Cause, long Epoch, long First, long Last) : LedgerContent
{
    /// <summary>How the cause begins where the ledger before was lost and this one is not its continuation.</summary>
    public const string Anew = "This ledger begins anew.";

    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Gap;
}

/// <summary>The signed root over all records since the seal before.</summary>
/// <param name="Gateway">Id of the gateway.</param>
/// <param name="Day">First instant of the day (UTC) on which the records were appended.</param>
/// <param name="First">Number of the first record under the root.</param>
/// <param name="Last">Number of the last one.</param>
/// <param name="Root">Merkle root over their bodies (RFC 6962, 2.1), lower-case hex.</param>
/// <param name="Head">Link of the last one, lower-case hex.</param>
public sealed record SealContent(string Gateway, Instant Day, long First, long Last, string Root, string Head) : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Seal;
}

/// <summary>The signed end of records that were removed.</summary>
/// <param name="Gateway">Id of the gateway.</param>
/// <param name="Through">Number of the last record that was removed.</param>
/// <param name="Head">Link of that record, lower-case hex: the chain goes on from it.</param>
/// <param name="Reason">Why: their years are over, or there was no room for them.</param>
public sealed record ClosingContent(string Gateway, long Through, string Head, string Reason) : LedgerContent
{
    /// <inheritdoc/>
    public override LedgerKind Kind => LedgerKind.Closing;
}
