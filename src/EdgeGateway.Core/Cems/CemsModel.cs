namespace EdgeGateway.Core.Cems;

/// <summary>The rules by which a stack is judged.</summary>
public enum CemsRules : byte
{
    /// <summary>40 CFR Part 75 of the United States.</summary>
    Part75,

    /// <summary>HJ 75-2017 and HJ 76-2017 of China, with HJ 212-2017.</summary>
    Hj75,

    /// <summary>(EU) 2018/2066, with EN 14181.</summary>
    EuMrr,
}

/// <summary>What the site says of one stack, from <c>cems:</c> of a device in <c>gateway.yaml</c>. Point names are <c>point</c> or <c>device.point</c>.</summary>
public sealed record CemsModel
{
    /// <summary>The rules in force.</summary>
    public required CemsRules Rules { get; init; }

    /// <summary>The gases that are accounted, each once.</summary>
    public required IReadOnlyList<CemsGasModel> Gases { get; init; }

    /// <summary>Points that the site names, by input: <c>oxygen</c>, <c>temperature</c>, <c>pressure</c>, <c>velocity</c>, <c>flow</c>, <c>moisture</c>, <c>load</c>, <c>status</c>; others are found by role.</summary>
    public required IReadOnlyDictionary<string, string> Points { get; init; }

    /// <summary>Cross section of the stack in m2; null when a flow is measured.</summary>
    public decimal? SquareMetres { get; init; }

    /// <summary>Coefficient of the velocity field, mean velocity over measured velocity.</summary>
    public decimal VelocityCoefficient { get; init; } = 1;

    /// <summary>Atmospheric pressure at the stack in Pa.</summary>
    public required decimal AmbientPascal { get; init; }

    /// <summary>Moisture in percent where none is measured; null: none is known, and nothing that needs it is computed.</summary>
    public decimal? MoisturePercent { get; init; }

    /// <summary>Whether the oxygen analyser measures wet gas.</summary>
    public bool IsOxygenWet { get; init; }

    /// <summary>Fuel of the F-factors; null where none is needed.</summary>
    public string? Fuel { get; init; }

    /// <summary>The unit operates while the load is above this, in the unit of its point.</summary>
    public decimal OperatingAbove { get; init; }

    /// <summary>Load of the unit at its maximum, from which ten load bins are made; null: one bin for all.</summary>
    public decimal? FullLoad { get; init; }

    /// <summary>Maximum potential flow in scfh; null where the site states none.</summary>
    public decimal? PotentialFlow { get; init; }

    /// <summary>Bias factor of the flow from the last RATA.</summary>
    public decimal FlowBias { get; init; } = 1;

    /// <summary>What the numbers of the status point mean; a number that is not listed is normal operation.</summary>
    public IReadOnlyDictionary<long, CemsState> States { get; init; } = new Dictionary<long, CemsState>();

    /// <summary>Half width at 95 % of the mass, percent; NaN when not known.</summary>
    public double UncertaintyPercent { get; init; } = double.NaN;
}

/// <summary>What an analyser says of itself.</summary>
public enum CemsState : byte
{
    /// <summary>Measures the stack.</summary>
    Normal,

    /// <summary>Is being calibrated; which gas flows is not said.</summary>
    Calibration,

    /// <summary>Measures zero gas.</summary>
    ZeroGas,

    /// <summary>Measures span gas.</summary>
    SpanGas,

    /// <summary>Is being maintained.</summary>
    Maintenance,

    /// <summary>Has a fault.</summary>
    Fault,

    /// <summary>Is out of service.</summary>
    OutOfService,
}

/// <summary>What the site says of one gas. Concentrations are in percent for CO2 and O2, else in mg/m3 or ppm as the point measures.</summary>
public sealed record CemsGasModel
{
    /// <summary>The gas, as roles name it: <c>co2</c>, <c>so2</c>, <c>nox</c>.</summary>
    public required string Gas { get; init; }

    /// <summary>Its point; null: found by role.</summary>
    public string? Point { get; init; }

    /// <summary>Whether CO2 is computed from oxygen by equation F-14A or F-14B.</summary>
    public bool IsFromOxygen { get; init; }

    /// <summary>Whether wet gas is measured.</summary>
    public bool IsWet { get; init; }

    /// <summary>Whether the analyser states mg/m3 at the conditions of the stack; else at 273 K and 101325 Pa.</summary>
    public bool IsActual { get; init; }

    /// <summary>Span of the analyser; null: it is not calibrated under these rules.</summary>
    public decimal? Span { get; init; }

    /// <summary>Value of the zero gas.</summary>
    public decimal ZeroGas { get; init; }

    /// <summary>Value of the span gas; null: span cycles are not recognised.</summary>
    public decimal? SpanGas { get; init; }

    /// <summary>Maximum potential concentration (minimum for oxygen); null where the site states none.</summary>
    public decimal? Potential { get; init; }

    /// <summary>Bias factor from the last RATA.</summary>
    public decimal Bias { get; init; } = 1;

    /// <summary>Standard deviation of the analyser for QAL3; null: no drift chart.</summary>
    public decimal? Deviation { get; init; }

    /// <summary>Permit limit of the hourly average, mg/m3 dry, standard, at reference oxygen; null for none.</summary>
    public decimal? HourLimit { get; init; }

    /// <summary>The same of the daily average.</summary>
    public decimal? DayLimit { get; init; }

    /// <summary>Reference oxygen of the limits, percent; null: they are not corrected.</summary>
    public decimal? ReferenceOxygen { get; init; }
}

/// <summary>Words and constants of rule sets and gases.</summary>
public static class CemsWords
{
    /// <summary>Molar masses in g/mol of the gases that are accounted. Nitrogen oxides count as NO2; dust has none.</summary>
    public static readonly IReadOnlyDictionary<string, decimal> MolarMasses = new Dictionary<string, decimal>
    {
        ["co2"] = FlueGas.MolarMassCo2,
        ["so2"] = 64.06m,
        ["nox"] = 46.006m,
        ["no"] = 30.006m,
        ["no2"] = 46.006m,
        ["co"] = 28.01m,
        ["nh3"] = 17.031m,
        ["hcl"] = 36.461m,
        ["hf"] = 20.006m,
        ["h2s"] = 34.08m,
        ["ch4"] = 16.043m,
        ["n2o"] = 44.013m,
    };

    /// <summary>Every gas that can be accounted.</summary>
    public static readonly IReadOnlyList<string> Gases = [.. MolarMasses.Keys, "dust"];

    /// <summary>The word of a rule set in configuration and records.</summary>
    public static string Word(this CemsRules rules) => rules switch
    {
        CemsRules.Part75 => "part75",
        CemsRules.Hj75 => "hj75",
        CemsRules.EuMrr => "eu-mrr",
        _ => throw new ArgumentOutOfRangeException(nameof(rules), rules, null),
    };

    /// <summary>The rule set of a word.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static CemsRules RulesOf(string word) => Enum.GetValues<CemsRules>().FirstOrDefault(r => r.Word() == word) is var found && found.Word() == word
        ? found
        : throw new ArgumentException($"there are no rules '{word}'; known: part75, hj75, eu-mrr");

    /// <summary>The words of all rule sets.</summary>
    public static string[] RuleWords => [.. Enum.GetValues<CemsRules>().Select(r => r.Word())];
}
