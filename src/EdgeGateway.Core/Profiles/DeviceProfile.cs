namespace EdgeGateway.Core.Profiles;

/// <summary>What is known of a device model: facts about the type, nothing about a site. Read from <c>device-profiles/&lt;kind&gt;/&lt;vendor&gt;-&lt;model&gt;.yaml</c>.</summary>
public sealed record DeviceProfile
{
    public required string Id { get; init; }

    /// <summary>Kind of device: <c>energy-meter</c>, <c>drive</c>, <c>belt-scale</c>, <c>gas-analyser</c> ...</summary>
    public required string Kind { get; init; }

    public required string Vendor { get; init; }

    public required IReadOnlyList<string> Models { get; init; }

    public required int Revision { get; init; }

    public required string TitleEnglish { get; init; }

    public string? TitleChinese { get; init; }

    /// <summary>What a technician connects and sets; null when nothing is stated.</summary>
    public string? WiringEnglish { get; init; }

    public string? WiringChinese { get; init; }

    /// <summary>Id of the profile of which this one is a variant; its facts are already taken over. Null for none.</summary>
    public string? Extends { get; init; }

    /// <summary>
    /// The SunSpec model that the registers are: every address of the profile then counts from the model's first register, and is found by walking the device's list of models.
    /// Null when addresses are those on the wire.
    /// </summary>
    public SunSpecModel? SunSpec { get; init; }

    /// <summary>Whether the registers are blocks of inputs of the gateway's own computer, and no device on a wire has them.</summary>
    public bool IsLocal { get; init; }

    /// <summary>Whether the registers are quantities of a DL/T 645-2007 meter (<see cref="Site.Dlt645Layout"/>).</summary>
    public bool IsDlt645 { get; init; }

    /// <summary>Whether the registers are what an HJ 212 data logger sends (<see cref="Site.Hj212Layout"/>).</summary>
    public bool IsHj212 { get; init; }

    /// <summary>Whether the device takes one TCP connection only.</summary>
    public bool OneClientOnly { get; init; }

    /// <summary>Collected facts that the profile does not follow, with the reason.</summary>
    public IReadOnlyList<ProfileDisagreement> Disagreements { get; init; } = [];

    /// <summary>Most registers the device answers in one request.</summary>
    public required int MaxRegistersPerRead { get; init; }

    /// <summary>Whether addresses that the profile does not name may be read to join two blocks.</summary>
    public required bool MayReadGaps { get; init; }

    /// <summary>Quiet time the device needs between two requests.</summary>
    public required TimeSpan MinGap { get; init; }

    /// <summary>Longest time the device takes to answer; null when its documents do not say.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Points in the order of the file, phases expanded.</summary>
    public required IReadOnlyList<ProfilePoint> Points { get; init; }

    /// <summary>Where the facts come from, by the name that points cite.</summary>
    public IReadOnlyDictionary<string, ProfileSource> Sources { get; init; } = new Dictionary<string, ProfileSource>();

    /// <summary>What must hold of a device of this type: the wrong meter is refused before its numbers are believed.</summary>
    public IReadOnlyList<IdentifyProbe> Identify { get; init; } = [];

    /// <summary>Images of registers with the value they mean; run whenever the profile is loaded.</summary>
    public IReadOnlyList<SelfTest> SelfTests { get; init; } = [];

    /// <summary>What the profile says of rules of the trade; those that it does not name work by the roles of its points.</summary>
    public IReadOnlyList<RuleSetting> Rules { get; init; } = [];

    /// <summary>What a technician should know about this device.</summary>
    public IReadOnlyList<string> Quirks { get; init; } = [];

    /// <summary><c>A</c> when every point has two sources, else <c>B</c>.</summary>
    public char Grade { get; init; } = 'B';

    /// <summary>The profile of a device whose SunSpec model begins at <paramref name="address"/>, with addresses as on the wire.</summary>
    /// <param name="address">Address of the register that holds the model's number.</param>
    /// <param name="registers">Registers of the model on this device, number and length included: what ends behind them this device does not have, and is left out.</param>
    public DeviceProfile At(int address, int registers) => this with
    {
        SunSpec = null,
        Points = [.. Points.Where(p => p.Encoding.Span.End <= registers).Select(p => p with { Encoding = p.Encoding.MovedBy(address) })],
        Identify = [.. Identify.Where(i => i.Encoding.Span.End <= registers).Select(i => i with { Encoding = i.Encoding.MovedBy(address) })],
    };
}

/// <summary>A SunSpec model: a block of registers that begins with its number and its length.</summary>
/// <param name="Number">Number of the model.</param>
/// <param name="Length">Registers behind number and length.</param>
public sealed record SunSpecModel(ushort Number, int Length)
{
    /// <summary>Registers of the whole block.</summary>
    public int Registers => Length + 2;
}

/// <summary>A collected fact that the profile does not follow.</summary>
/// <param name="Table">Table of the register.</param>
/// <param name="Address">Its wire address.</param>
/// <param name="Because">Why.</param>
public sealed record ProfileDisagreement(RegisterTable Table, ushort Address, string Because);

/// <summary>What is known of a bit of a status word beyond its name.</summary>
/// <param name="Bit">Number of the bit, 0 = least significant.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsAlarm">Alarm, or warning.</param>
/// <param name="TitleEnglish">The finding in words.</param>
/// <param name="TitleChinese">The same in Chinese, or null.</param>
public sealed record ProfileFlag(int Bit, string Name, bool IsAlarm, string TitleEnglish, string? TitleChinese);

/// <summary>A document or a program text from which facts were taken.</summary>
/// <param name="Type"><c>document</c>, <c>code</c> or <c>page</c>.</param>
/// <param name="Reference">Title with edition and page, or repository with path.</param>
/// <param name="Commit">Commit of a repository, or null.</param>
/// <param name="Checked">Whether somebody read it in the original.</param>
/// <param name="Edition">Edition or date of a document, or null.</param>
/// <param name="Page">Page or section, or null.</param>
/// <param name="Note">What to know about it, or null.</param>
public sealed record ProfileSource(string Type, string Reference, string? Commit, bool Checked, string? Edition = null, string? Page = null, string? Note = null);

/// <summary>A question to the device whose answer tells whether it is of this type.</summary>
/// <param name="Encoding">Where the answer stands.</param>
/// <param name="AnyOf">Raw values that are right, with the model they name; empty when a range decides.</param>
/// <param name="Min">Smallest right value in the unit of the point, or null.</param>
/// <param name="Max">Largest right value, or null.</param>
/// <param name="Point">The point that is probed, or null when the register is no point.</param>
public sealed record IdentifyProbe(RegisterEncoding Encoding, IReadOnlyDictionary<ulong, string> AnyOf, double? Min, double? Max, string? Point);

/// <summary>Raw words of a point and what they mean.</summary>
/// <param name="Point">Id of the point, phases expanded.</param>
/// <param name="Words">The words of the span in address order; with a scale register, what lies between it and the value is 0.</param>
/// <param name="Value">The value, or null when the words mean that there is none, or a text.</param>
/// <param name="Status">What decoding must say.</param>
public sealed record SelfTest(string Point, IReadOnlyList<ushort> Words, double? Value, DecodeStatus Status);

/// <summary>One quantity of a device model, after defaults and phases have been filled in.</summary>
public sealed record ProfilePoint
{
    public required string Id { get; init; }

    public required Site.PointKind Kind { get; init; }

    public required string Role { get; init; }

    public required string Unit { get; init; }

    /// <summary>Name for people.</summary>
    public string TitleEnglish { get; init; } = "";

    /// <summary>The same in Chinese.</summary>
    public string TitleChinese { get; init; } = "";

    public required RegisterEncoding Encoding { get; init; }

    /// <summary>The number that the manual prints, of the first part; null when it is not stated.</summary>
    public string? Printed { get; init; }

    public required TimeSpan Period { get; init; }

    public double? PlausibleMin { get; init; }

    public double? PlausibleMax { get; init; }

    public double? MaxRatePerSecond { get; init; }

    public Site.CounterModel? Counter { get; init; }

    public IReadOnlyList<Site.DetectorModel> Detectors { get; init; } = [];

    /// <summary>Priority of its alarms; a warning is one below.</summary>
    public Core.Alarms.AlarmPriority AlarmPriority { get; init; } = Core.Alarms.AlarmPriority.High;

    /// <summary>Whether the detector for any gauge watches the point; null leaves that to its rule.</summary>
    public bool? Novelty { get; init; }

    /// <summary>False alarms a day that are acceptable of that detector on this point alone; null when it shares those of its device.</summary>
    public double? FalseAlarmsPerDay { get; init; }

    public Site.CarbonModel? Carbon { get; init; }

    public IReadOnlyDictionary<long, string>? Symbols { get; init; }

    /// <summary>Names of the bits of a status word.</summary>
    public IReadOnlyDictionary<int, string>? Flags { get; init; }

    /// <summary>The bits that are findings.</summary>
    public IReadOnlyList<ProfileFlag> Alarms { get; init; } = [];

    /// <summary>Whether the site's current transformer ratio multiplies the value.</summary>
    public bool AppliesCt { get; init; }

    /// <summary>Whether the value counts pulses, whose worth the site states (<c>pulsesPerUnit</c>).</summary>
    public bool AppliesPulses { get; init; }

    /// <summary>Whether the site's voltage transformer ratio multiplies the value.</summary>
    public bool AppliesPt { get; init; }

    /// <summary>True when the register can be written and not read: it is never polled.</summary>
    public bool WriteOnly { get; init; }

    /// <summary>What may be written, or null when the point is only read.</summary>
    public ProfileWrite? Write { get; init; }

    /// <summary>Names of the sources that state the register.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>What to know about the point; null when nothing is stated.</summary>
    public string? Note { get; init; }
}
