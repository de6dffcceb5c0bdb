using EdgeGateway.Core.Configuration;
using static EdgeGateway.Core.Configuration.Scalars;

namespace EdgeGateway.Core.Accounting;

/// <summary>The grammar of a factor set: every key, once.</summary>
public static class FactorSetShape
{
    public const string SchemaName = "edgegateway/factors/1";

    internal static readonly ScalarShape Time = new(
        "an instant such as 2022-01-01T00:00:00+08:00",
        s => DateTimeOffset.TryParse(s.Text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out _) && s.Text.Contains('T', StringComparison.Ordinal),
        json => json.WriteString("type", "string"));

    private static readonly ScalarShape Percent = new(
        "a percentage from 0 to 1000",
        s => s.IsPlain && Quantities.TryNumber(s.Text, out var value) && value is >= 0 and <= 1000,
        json =>
        {
            json.WriteString("type", "number");
            json.WriteNumber("minimum", 0);
            json.WriteNumber("maximum", 1000);
        });

    private static readonly ScalarShape NotNegative = new(
        "a number that is not negative",
        s => s.IsPlain && Quantities.TryNumber(s.Text, out var value) && value >= 0,
        json =>
        {
            json.WriteString("type", "number");
            json.WriteNumber("minimum", 0);
        });

    public static readonly ObjectShape Source = new(
        "a source",
        new("text", Text, "Name of the publication.") { Required = true },
        new("published", Integer(1900, 2200), "Year of publication; absent when not known."),
        new("from", Time, "First instant of the time its factors were made for; absent when it has no beginning."),
        new("to", Time, "End of that time, exclusive; absent when it has none."),
        new("beyond", Choice("refuse", "nearest"), "What happens to activity outside that time: it is refused, or the nearest factor stands in and the entry says so.") { Default = "refuse" },
        new("uncertaintyPercent", Percent, "Half width at 95 %, percent, of factors that state none; absent when not known."));

    public static readonly ObjectShape Region = new(
        "a region",
        new("name", Text, "Name for people.") { Required = true },
        new("parent", Id, "The region whose factor stands in where this one has none."));

    public static readonly ObjectShape Factor = new(
        "a factor",
        new("of", Text, "What it is a factor of, in dotted form: electricity, fuel.cn-diesel.ncv, gwp.AR5.CH4.") { Required = true },
        new("region", Id, "Code of the region; absent when it holds everywhere."),
        new("source", Id, "One of 'sources'.") { Required = true },
        new("value", NotNegative, "The number.") { Required = true },
        new("unit", Choice("kg/(kW.h)", "kg/GJ", "kg/TJ", "kg/kg", "kg/m3", "GJ/t", "GJ/(10*4.m3)", "t/GJ", "m3/t", "%"), "Its unit.") { Required = true },
        new("uncertaintyPercent", Percent, "Half width at 95 %, percent; the source's when absent."),
        new("status", Choice(FactorWords.Statuses), "Whether the number was read in the source, in copies of it, or only recalled.") { Required = true },
        new("note", Text, "What else to know."));

    public static readonly ObjectShape Root = new(
        "the factor set",
        new("schema", Choice(SchemaName), "Format and its major version.") { Required = true },
        new("id", Id, "Name of the set.") { Required = true },
        new("version", Integer(1, int.MaxValue), "Grows with every change of a value.") { Required = true },
        new("title", Text, "Name for people.") { Required = true },
        new("note", Text, "What to know about the whole set."),
        new("hash", Text, "SHA-256 of the content in canonical form, hexadecimal; it is compared when present."),
        new("sources", new MapShape(Id, Source, min: 1), "Where the factors were published and when they hold.") { Required = true },
        new("regions", new MapShape(Id, Region, min: 1), "Regions by code, and what each falls back to.") { Required = true },
        new("factors", new ListShape(Factor, min: 1), "The factors.") { Required = true });
}
