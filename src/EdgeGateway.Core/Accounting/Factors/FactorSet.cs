using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Accounting;

/// <summary>A region of a factor set.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Parent">The region that stands in where it has no factor of its own; null for a country.</param>
public sealed record FactorRegion(string Code, string Name, string? Parent);

/// <summary>A versioned set of dated factors, with the declared fallback: region, then grid, then country, then what holds everywhere.</summary>
public sealed class FactorSet
{
    private const string BuiltInResource = "EdgeGateway.Core.Factors.edgegateway.yaml";

    private static readonly Lazy<FactorSet> Shipped = new(ReadShipped);

    private readonly FrozenDictionary<string, FactorRegion> _regions;
    private readonly FrozenDictionary<(string Of, string? Region), Factor[]> _byPlace;
    private readonly byte[] _canonical;

    internal FactorSet(string id, int version, string title, IReadOnlyDictionary<string, FactorRegion> regions, IReadOnlyList<Factor> factors)
    {
        (Id, Version, Title, Factors) = (id, version, title, factors);
        _regions = regions.ToFrozenDictionary(StringComparer.Ordinal);
        _byPlace = factors.GroupBy(f => (f.Of, f.Region)).ToFrozenDictionary(g => g.Key, g => g.OrderBy(From).ToArray());
        KnownRegions = [.. regions.Keys.Order(StringComparer.Ordinal)];
        _canonical = WriteCanonical();
        ContentHash = Convert.ToHexStringLower(SHA256.HashData(_canonical));
    }

    /// <summary>Id of the set.</summary>
    public string Id { get; }

    /// <summary>Its version: grows with every change of a value.</summary>
    public int Version { get; }

    public string Title { get; }

    /// <summary>Every factor, in the order of the file.</summary>
    public IReadOnlyList<Factor> Factors { get; }

    /// <summary>Codes of all regions, sorted; a factor for electricity can be found for each.</summary>
    public IReadOnlyList<string> KnownRegions { get; }

    /// <summary>
    /// The content in one form only, whatever the file looks like: UTF-8 JSON without spaces, keys and rows in ordinal order, numbers without trailing zeros,
    /// instants in UTC. This is what is hashed and signed.
    /// </summary>
    public ReadOnlyMemory<byte> Canonical => _canonical;

    /// <summary>SHA-256 of <see cref="Canonical"/>, lower-case hex.</summary>
    public string ContentHash { get; }

    /// <summary>The set that comes with the program.</summary>
    public static FactorSet BuiltIn() => Shipped.Value;

    /// <summary>Name of a region, and what it falls back to.</summary>
    public FactorRegion? Region(string code) => _regions.GetValueOrDefault(code);

    /// <summary>The factor for activity at <paramref name="at"/> in <paramref name="region"/>; null when there is none.</summary>
    public FactorMatch? Find(string of, string region, Instant at) => Search(of, region, at).Match;

    /// <summary>The factor for activity at <paramref name="at"/> in <paramref name="region"/>.</summary>
    /// <exception cref="EmissionRefusedException">The region is not known, there is no such factor for it, or none that holds at that time.</exception>
    public FactorMatch Get(string of, string region, Instant at)
    {
        var (match, refusal) = Search(of, region, at);
        return match ?? throw new EmissionRefusedException(refusal!);
    }

    /// <summary>True when the signature is that of this content: ECDSA over SHA-256 of <see cref="Canonical"/>, in DER (RFC 3279), as openssl makes it.</summary>
    /// <param name="publicKeyPem">The signer's public key or certificate's key, PEM.</param>
    /// <param name="signature">The signature.</param>
    /// <exception cref="ArgumentException">The text holds no public key of an elliptic curve.</exception>
    public bool IsSignedBy(string publicKeyPem, ReadOnlySpan<byte> signature)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(publicKeyPem);
        return key.VerifyData(_canonical, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>Reads a set from its canonical form, as the ledger keeps it.</summary>
    /// <param name="canonical">The form that <see cref="Canonical"/> has.</param>
    /// <returns>A set with the same content and the same <see cref="ContentHash"/>; its title is its id, since titles are no part of the content.</returns>
    /// <exception cref="InvalidDataException">It is no canonical form of a set.</exception>
    public static FactorSet FromCanonical(ReadOnlyMemory<byte> canonical)
    {
        try
        {
            using var document = JsonDocument.Parse(canonical);
            var root = document.RootElement;
            var sources = root.GetProperty("sources").EnumerateArray().Select(s => new FactorSource(
                Required(s, "id"), Required(s, "text"), Optional(s, "published") is { } year ? int.Parse(year, CultureInfo.InvariantCulture) : null,
                Optional(s, "from") is { } from ? Instant.Parse(from) : null, Optional(s, "to") is { } to ? Instant.Parse(to) : null,
                s.GetProperty("beyond").GetBoolean(), null)).ToDictionary(s => s.Id, StringComparer.Ordinal);
            var regions = root.GetProperty("regions").EnumerateArray()
                .Select(r => new FactorRegion(Required(r, "code"), Required(r, "name"), Optional(r, "parent"))).ToDictionary(r => r.Code, StringComparer.Ordinal);
            List<Factor> factors = [.. root.GetProperty("factors").EnumerateArray().Select(f => new Factor(
                Required(f, "of"), Optional(f, "region"), decimal.Parse(Required(f, "value"), NumberStyles.Number, CultureInfo.InvariantCulture), Required(f, "unit"),
                sources[Required(f, "id").Split('/')[0]],
                Optional(f, "uncertaintyPercent") is { } percent ? double.Parse(percent, CultureInfo.InvariantCulture) : double.NaN,
                FactorWords.Status(Required(f, "status")), Optional(f, "note")))];
            var set = new FactorSet(Required(root, "id"), int.Parse(Required(root, "version"), CultureInfo.InvariantCulture), Required(root, "id"), regions, factors);
            return set.Canonical.Span.SequenceEqual(canonical.Span) ? set : throw new InvalidDataException("it is not in canonical form");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"this is no canonical form of a factor set: {e.Message}", e);
        }

        static string Required(JsonElement element, string name) => element.GetProperty(name).GetString() ?? throw new InvalidDataException($"'{name}' is null");

        static string? Optional(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;
    }

    private (FactorMatch? Match, string? Refusal) Search(string of, string region, Instant at)
    {
        if (!_regions.ContainsKey(region))
        {
            return (null, $"The factor set {Id} version {Version} does not know the region '{region}'.");
        }

        var steps = 0;
        for (var place = region; ; place = _regions[place].Parent)
        {
            if (_byPlace.TryGetValue((of, place), out var years))
            {
                if (Choose(years, at) is not var (factor, year))
                {
                    return (null, $"The factor set {Id} version {Version} has no '{of}' that holds at {at} for {place ?? "everywhere"}: {Validity(years)}.");
                }

                var fallback = steps == 0 || place is null ? FactorFallback.None : _regions[place].Parent is null ? FactorFallback.Country : FactorFallback.Grid;
                return (new(factor, fallback, year, Describe(region, factor, year, at)), null);
            }

            if (place is null)
            {
                return (null, $"The factor set {Id} version {Version} has no '{of}' for '{region}'.");
            }

            steps++;
        }
    }

    private static Instant From(Factor factor) => factor.Source.ValidFrom ?? new(long.MinValue);

    private static (Factor Factor, FactorYear Year)? Choose(Factor[] years, Instant at)
    {
        for (var i = years.Length - 1; i >= 0; i--)
        {
            if (at >= From(years[i]))
            {
                return years[i].Source.ValidTo is not { } end || at < end ? (years[i], FactorYear.Exact)
                    : years[i].Source.StandsInBeyond ? (years[i], FactorYear.Newest)
                    : null;
            }
        }

        return years[0].Source.StandsInBeyond ? (years[0], FactorYear.Oldest) : null;
    }

    private static string Validity(Factor[] years) =>
        string.Join("; ", years.Select(f => $"{f.Source.Id} holds {(f.Source.ValidFrom is { } from ? $"from {from}" : "from the beginning")} {(f.Source.ValidTo is { } to ? $"to {to}" : "on")}"));

    private static string? Describe(string region, Factor factor, FactorYear year, Instant at)
    {
        var place = factor.Region is null || factor.Region == region ? null : $"{factor.Region} for {region}";

        // Both years as counted where the factor was made: the offset that its first instant has from UTC.
        var offset = factor.Source.ValidFrom is { } from ? YearOffset(from) : TimeSpan.Zero;
        var time = year == FactorYear.Exact ? null : $"year {((factor.Source.ValidFrom ?? at) + offset).ToDateTimeOffset().Year} for {(at + offset).ToDateTimeOffset().Year}";
        return place is null ? time : time is null ? place : $"{place}; {time}";
    }

    private static TimeSpan YearOffset(Instant validFrom)
    {
        var start = validFrom.ToDateTimeOffset();
        var newYear = new DateTimeOffset(start.Month == 12 ? start.Year + 1 : start.Year, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return newYear - start;
    }

    private static FactorSet ReadShipped()
    {
        using var stream = typeof(FactorSet).Assembly.GetManifestResourceStream(BuiltInResource)
            ?? throw new InvalidOperationException($"The resource {BuiltInResource} is missing from the assembly.");
        using var reader = new StreamReader(stream);
        var (set, problems) = FactorSetLoader.Load(new SourceText("edgegateway.yaml", reader.ReadToEnd()));
        return set ?? throw new InvalidOperationException($"The factors of the program are broken: {problems[0]}");
    }

    private byte[] WriteCanonical()
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 15);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("factors");
            foreach (var factor in Factors.OrderBy(f => f.Id, StringComparer.Ordinal))
            {
                json.WriteStartObject();
                json.WriteString("id", factor.Id);
                Optional(json, "note", factor.Note);
                json.WriteString("of", factor.Of);
                Optional(json, "region", factor.Region);
                json.WriteString("status", factor.Status.Word());
                if (double.IsFinite(factor.UncertaintyPercent))
                {
                    json.WriteString("uncertaintyPercent", factor.UncertaintyPercent.ToString("R", CultureInfo.InvariantCulture));
                }

                json.WriteString("unit", factor.Unit);
                json.WriteString("value", Plain(factor.Value));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("id", Id);
            json.WriteStartArray("regions");
            foreach (var code in KnownRegions)
            {
                json.WriteStartObject();
                json.WriteString("code", code);
                json.WriteString("name", _regions[code].Name);
                Optional(json, "parent", _regions[code].Parent);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("schema", FactorSetShape.SchemaName);
            json.WriteStartArray("sources");
            foreach (var source in Factors.Select(f => f.Source).DistinctBy(s => s.Id).OrderBy(s => s.Id, StringComparer.Ordinal))
            {
                json.WriteStartObject();
                json.WriteBoolean("beyond", source.StandsInBeyond);
                Optional(json, "from", source.ValidFrom?.ToString());
                json.WriteString("id", source.Id);
                Optional(json, "published", source.Published?.ToString(CultureInfo.InvariantCulture));
                json.WriteString("text", source.Text);
                Optional(json, "to", source.ValidTo?.ToString());
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("version", Version.ToString(CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    // 0.5580 and 0.558 are the same number.
    private static string Plain(decimal value) => value.ToString("0.############################", CultureInfo.InvariantCulture);
}

/// <summary>The words of a status in files and output.</summary>
public static class FactorWords
{
    internal static readonly string[] Statuses = ["verified", "second-hand", "unverified"];

    public static string Word(this FactorStatus status) => Statuses[(int)status];

    public static FactorStatus Status(string word) => (FactorStatus)Array.IndexOf(Statuses, word);
}
