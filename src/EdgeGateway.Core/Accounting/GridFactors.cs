using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;

namespace EdgeGateway.Core.Accounting;

/// <summary>Dated grid factors by region, with their declared fallback: region, then grid, then country.</summary>
public sealed class GridFactors
{
    private const string BuiltInResource = "EdgeGateway.Core.Factors.cn-grid.json";

    private readonly FrozenDictionary<string, string?> _parents;
    private readonly FrozenDictionary<string, GridFactor[]> _byRegion;

    private GridFactors(Dictionary<string, string?> parents, Dictionary<string, List<GridFactor>> factors, string hash)
    {
        _parents = parents.ToFrozenDictionary();
        _byRegion = factors.ToFrozenDictionary(p => p.Key, p => p.Value.OrderBy(f => f.ValidFrom).ToArray());
        KnownRegions = [.. parents.Keys.Order(StringComparer.Ordinal)];
        ContentHash = hash;
    }

    /// <summary>Codes of all regions for which a factor can be found, sorted.</summary>
    public IReadOnlyList<string> KnownRegions { get; }

    /// <summary>SHA-256 of the data, lower-case hex.</summary>
    public string ContentHash { get; }

    /// <summary>The factors that come with the program: China, 2021 to 2023.</summary>
    public static GridFactors BuiltIn() => Shipped.Value;

    private static readonly Lazy<GridFactors> Shipped = new(ReadShipped);

    private static GridFactors ReadShipped()
    {
        using var stream = typeof(GridFactors).Assembly.GetManifestResourceStream(BuiltInResource)
            ?? throw new InvalidOperationException($"The resource {BuiltInResource} is missing from the assembly.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Read(bytes);
    }

    /// <summary>Reads a factor file (schema <c>edgegateway-grid-factors/1</c>, UTF-8 JSON).</summary>
    /// <exception cref="InvalidDataException">The text is not such a file, or a region, source or parent it names is not in it.</exception>
    public static GridFactors Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Read(document.RootElement, Convert.ToHexStringLower(SHA256.HashData(json.Span)));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"The grid factors cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The factor for activity at <paramref name="at"/> in <paramref name="region"/>; null when the region is not known.</summary>
    public FactorMatch? Find(string region, Instant at)
    {
        var steps = 0;
        for (var place = region; place is not null; place = _parents.GetValueOrDefault(place))
        {
            if (_byRegion.TryGetValue(place, out var years))
            {
                var (factor, year) = Choose(years, at);
                var fallback = steps == 0 ? FactorFallback.None : _parents[place] is null ? FactorFallback.Country : FactorFallback.Grid;
                return new(factor, fallback, year, Describe(region, factor, year, at));
            }

            steps++;
        }

        return null;
    }

    private static (GridFactor Factor, FactorYear Year) Choose(GridFactor[] years, Instant at)
    {
        for (var i = years.Length - 1; i >= 0; i--)
        {
            if (at >= years[i].ValidFrom)
            {
                return (years[i], at < years[i].ValidTo ? FactorYear.Exact : FactorYear.Newest);
            }
        }

        return (years[0], FactorYear.Oldest);
    }

    private static string? Describe(string region, GridFactor factor, FactorYear year, Instant at)
    {
        var place = factor.Region == region ? null : $"{factor.Region} for {region}";

        // Both years as counted where the factor was made: the offset that its first instant has from UTC.
        var offset = YearOffset(factor.ValidFrom);
        var time = year == FactorYear.Exact ? null : $"year {(factor.ValidFrom + offset).ToDateTimeOffset().Year} for {(at + offset).ToDateTimeOffset().Year}";
        return place is null ? time : time is null ? place : $"{place}; {time}";
    }

    private static TimeSpan YearOffset(Instant validFrom)
    {
        var start = validFrom.ToDateTimeOffset();
        var newYear = new DateTimeOffset(start.Month == 12 ? start.Year + 1 : start.Year, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return newYear - start;
    }

    private static GridFactors Read(JsonElement root, string hash)
    {
        if (root.GetProperty("schema").GetString() != "edgegateway-grid-factors/1" || root.GetProperty("unit").GetString() != "kg/(kW.h)")
        {
            throw new InvalidDataException("The grid factors are of another schema or unit than edgegateway-grid-factors/1 in kg/(kW.h).");
        }

        var uncertainty = root.GetProperty("uncertaintyPercent").GetDouble();
        var parents = new Dictionary<string, string?>();
        foreach (var region in root.GetProperty("regions").EnumerateArray())
        {
            parents.Add(Text(region, "code"), region.TryGetProperty("parent", out var parent) ? parent.GetString() : null);
        }

        var factors = new Dictionary<string, List<GridFactor>>();
        foreach (var row in root.GetProperty("factors").EnumerateArray())
        {
            var factor = ReadFactor(row, root.GetProperty("sources"), uncertainty);
            if (!parents.ContainsKey(factor.Region))
            {
                throw new InvalidDataException($"The grid factors hold a factor for '{factor.Region}', which is not among their regions.");
            }

            if (!factors.TryGetValue(factor.Region, out var years))
            {
                factors.Add(factor.Region, years = []);
            }

            years.Add(factor);
        }

        foreach (var region in parents.Keys)
        {
            RequireFactor(region, parents, factors);
        }

        return new(parents, factors, hash);
    }

    private static void RequireFactor(string region, Dictionary<string, string?> parents, Dictionary<string, List<GridFactor>> factors)
    {
        var steps = 0;
        for (var place = region; !factors.ContainsKey(place); steps++)
        {
            place = parents.GetValueOrDefault(place) is { } parent && steps < parents.Count
                ? parent
                : throw new InvalidDataException($"The grid factors hold no factor for '{region}' nor for what it falls back to.");
        }
    }

    private static GridFactor ReadFactor(JsonElement row, JsonElement sources, double uncertainty)
    {
        var sourceId = Text(row, "source");
        var source = sources.GetProperty(sourceId);
        var region = Text(row, "region");
        return new(
            $"{sourceId}/{region}",
            region,
            row.GetProperty("value").GetDecimal(),
            Instant.Parse(Text(source, "validFrom")),
            Instant.Parse(Text(source, "validTo")),
            row.TryGetProperty("uncertaintyPercent", out var own) ? own.GetDouble() : uncertainty,
            Text(source, "text"),
            Text(row, "status") switch
            {
                "verified" => FactorStatus.Verified,
                "second-hand" => FactorStatus.SecondHand,
                "unverified" => FactorStatus.Unverified,
                var other => throw new InvalidDataException($"The grid factors hold the unknown status '{other}'."),
            });
    }

    private static string Text(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new InvalidDataException($"The grid factors lack a text for '{name}'.");
}
