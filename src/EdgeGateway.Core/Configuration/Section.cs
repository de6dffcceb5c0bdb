namespace EdgeGateway.Core.Configuration;

/// <summary>
/// Typed access to a block, with the defaults of its declaration. A value that is absent without a default, or malformed (which the
/// shape has reported already), is null, so that reading goes on and finds the remaining problems.
/// </summary>
/// <param name="map">The block, or null when it is absent.</param>
/// <param name="shape">Its declaration.</param>
/// <param name="place">Where messages about the block point to when it is absent.</param>
public readonly struct Section(YamlMap? map, ObjectShape shape, YamlNode place)
{
    /// <summary>The block itself, or what stands for it in messages.</summary>
    public YamlNode Place => map ?? place;

    /// <summary>True when the block is written.</summary>
    public bool IsPresent => map is not null;

    /// <summary>True when the key is written and not null.</summary>
    public bool Has(string key) => Node(key) is not null;

    /// <summary>The value's node; null when absent.</summary>
    public YamlNode? Node(string key) => map?[shape[key].Name];

    /// <summary>Where a message about the key points to: its value, else the block.</summary>
    public YamlNode At(string key) => Node(key) ?? Place;

    /// <summary>The text of a scalar that fits the key's shape.</summary>
    public string? Text(string key)
    {
        var node = Node(key);
        if (node is null)
        {
            return shape[key].Default;
        }

        return node is YamlScalar { IsBlank: false } scalar && Fits(shape[key].Shape, scalar) ? scalar.Text : null;
    }

    public TimeSpan? Duration(string key) => Text(key) is { } text && Quantities.TryDuration(text, out var value) ? value : null;

    public long? Size(string key) => Text(key) is { } text && Quantities.TrySize(text, out var value) ? value : null;

    public decimal? Watts(string key) => Text(key) is { } text && Quantities.TryPower(text, out var value) ? value : null;

    public decimal? Ratio(string key) => Text(key) is { } text && Quantities.TryRatio(text, out var value) ? value : null;

    public decimal? Number(string key) => Text(key) is { } text && Quantities.TryNumber(text, out var value) ? value : null;

    public int? Integer(string key) => Text(key) is { } text && Quantities.TryInteger(text, out var value) ? (int)value : null;

    public bool? Boolean(string key) => Text(key) switch { "true" => true, "false" => false, _ => null };

    /// <summary>The items of a list; nothing when it is absent.</summary>
    public IReadOnlyList<YamlNode> List(string key) => Node(key) is YamlList list ? list.Items : [];

    /// <summary>The texts of a list of scalars.</summary>
    public IReadOnlyList<YamlScalar> Scalars(string key) => [.. List(key).OfType<YamlScalar>()];

    /// <summary>A block inside this one; empty when it is absent.</summary>
    public Section Block(string key, ObjectShape inner) => new(Node(key) as YamlMap, inner, At(key));

    private static bool Fits(Shape expected, YamlScalar scalar) => expected switch
    {
        ScalarShape simple => simple.IsValid(scalar),
        EitherShape either => either.Options.OfType<ScalarShape>().Any(o => o.IsValid(scalar)),
        _ => false,
    };
}
