using System.Globalization;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>Numbers and times of a statement as people read them, in one unit of mass throughout.</summary>
internal sealed class StatementText
{
    private const double MilligramsPerKilogram = 1e6;
    private const double MilligramsPerTonne = 1e9;

    // From ten tonnes on, kilograms are more digits than the uncertainty allows.
    private const double TonnesFrom = 10 * MilligramsPerTonne;

    private readonly Statement _statement;
    private readonly double _unit;

    public StatementText(Statement statement, StatementWords words)
    {
        (_statement, Words) = (statement, words);
        var largest = statement.Lines.Select(l => Math.Max(Math.Abs((double)l.Mass.Milligrams), (double)l.RemovedMilligrams)).DefaultIfEmpty(0).Max();
        (_unit, Unit) = largest >= TonnesFrom ? (MilligramsPerTonne, "t") : (MilligramsPerKilogram, "kg");
    }

    public StatementWords Words { get; }

    /// <summary>Unit of all masses: kg, or t for large ones.</summary>
    public string Unit { get; }

    public double InUnit(Int128 milligrams) => (double)milligrams / _unit;

    public double InUnit(double kilograms) => kilograms * MilligramsPerKilogram / _unit;

    public string Mass(Int128 milligrams) => Number(InUnit(milligrams), 3);

    public string MassOfKilograms(double kilograms) => Number(InUnit(kilograms), 2);

    public string Plus(double percent) => double.IsFinite(percent) ? $"{Number(percent, percent < 10 ? 1 : 0)} %" : Words["unknown"];

    public static string Percent(double share) => double.IsNaN(share) ? "" : $"{Number(100 * Math.Clamp(share, -10, 10), 1)} %";

    public static string Number(double value, int decimals) => value.ToString("#,0." + new string('0', decimals), CultureInfo.InvariantCulture).TrimEnd('.');

    public static string Number(decimal value, int decimals) => value.ToString("#,0." + new string('0', decimals), CultureInfo.InvariantCulture).TrimEnd('.');

    public static string Activity(StatementLine line) => $"{Number(line.Activity, 2)} {UnitWord(line.Unit)}";

    public static string UnitWord(string unit) => unit.Replace(".", "", StringComparison.Ordinal);

    /// <summary>A gas as people write it: <c>CH4 fossil</c>.</summary>
    public static string Gas(string gas) => gas.Replace('_', ' ');

    public string Method(string method) => Words.Or($"method.{method}", method);

    public string Scope(int scope, EmissionBasis basis) => Words[scope switch { 1 => "scope.1", 2 => basis == EmissionBasis.Market ? "scope.2.market" : "scope.2.location", _ => "scope.0" }];

    public string Evidence(EmissionEvidence evidence) => Words[$"evidence.{evidence.Word()}"];

    /// <summary>A time in the site's zone, to the minute.</summary>
    public string Time(Instant time) => TimeZoneInfo.ConvertTime(time.ToDateTimeOffset(), _statement.Site.Zone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    public static string Hours(TimeSpan span) => $"{Number(span.TotalHours, 2)} h";

    public string Subject() => _statement.Subject.Kind switch
    {
        StatementSubjectKind.Area => Words.Fill("of-area", _statement.Subject.Id),
        StatementSubjectKind.Device => Words.Fill("of-device", _statement.Lines.FirstOrDefault(l => l.Device == _statement.Subject.Id)?.Name ?? _statement.Subject.Id),
        _ => Words["of-site"],
    };

    public string Subtitle() => Words.Fill(_statement.Period.Length switch { PeriodLength.Day => "subtitle.day", PeriodLength.Month => "subtitle.month", _ => "subtitle.year" }, _statement.Period.Name);

    public string Source()
    {
        var source = _statement.Source;
        return source.Kind == "ledger"
            ? $"{Words.Fill("origin.ledger", source.Name, source.Position)} {Words[source.Verified ? "origin.verified" : "origin.unverified"]}"
            : Words.Fill("origin.feed", source.Name);
    }
}

/// <summary>Words of the statement's JSON and CSV, the same in every language.</summary>
internal static class StatementCodes
{
    public static string Word(this EmissionEvidence evidence) => evidence switch
    {
        EmissionEvidence.Measured => "measured",
        EmissionEvidence.Estimated => "estimated",
        _ => "calculated",
    };

    public static string? Word(this EmissionBasis basis) => basis switch
    {
        EmissionBasis.Location => "location",
        EmissionBasis.Market => "market",
        _ => null,
    };

    public static string Word(this StatementSubjectKind kind) => kind switch
    {
        StatementSubjectKind.Area => "area",
        StatementSubjectKind.Device => "device",
        _ => "site",
    };
}
