using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeGateway.Tests;

/// <summary>Worked numeric cases (schema <c>edgegateway-case/1</c>) kept as embedded resources; each case names its source.</summary>
internal static class CaseFile
{
    public static JsonElement Read(string name)
    {
        using var stream = typeof(CaseFile).Assembly.GetManifestResourceStream("cases." + name)!;
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.GetProperty("cases").Clone();
    }

    /// <summary>Holds a result against what a case expects: numbers within max(abs, rel x expected), all else equal.</summary>
    public static void Compare(JsonElement expected, object? got, double rel, double abs, string what)
    {
        switch (expected.ValueKind)
        {
            case JsonValueKind.Number:
                var (wanted, number) = (expected.GetDouble(), Convert.ToDouble(got, System.Globalization.CultureInfo.InvariantCulture));
                Assert.True(Math.Abs(number - wanted) <= Math.Max(abs, rel * Math.Abs(wanted)), $"{what}: {number}, expected {wanted}");
                break;
            case JsonValueKind.Array:
                var items = ((System.Collections.IEnumerable)got!).Cast<object?>().ToArray();
                Assert.Equal(expected.GetArrayLength(), items.Length);
                for (var i = 0; i < items.Length; i++)
                {
                    Compare(expected[i], items[i], rel, abs, $"{what}[{i}]");
                }

                break;
            case JsonValueKind.Object:
                foreach (var property in expected.EnumerateObject())
                {
                    Compare(property.Value, ((Dictionary<string, object?>)got!)[property.Name], rel, abs, $"{what}.{property.Name}");
                }

                break;
            default:
                object? plain = expected.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, JsonValueKind.Null => null, _ => expected.GetString() };
                Assert.Equal(plain, got);
                break;
        }
    }

    /// <summary>
    /// Holds that inputs near those of the cases give numbers or are refused in words: each number of a case is put to zero, below zero, near zero and far too high, each list made shorter or empty.
    /// </summary>
    /// <param name="cases">The cases.</param>
    /// <param name="compute">Computes; throws <see cref="Core.Accounting.EmissionRefusedException"/> where it refuses.</param>
    public static void HoldNearby(IEnumerable<JsonElement> cases, Func<string, JsonElement, Dictionary<string, object?>> compute)
    {
        var (tried, refused, faults) = (0, 0, new List<string>());
        foreach (var given in cases)
        {
            var (id, op) = (given.GetProperty("id").GetString()!, given.GetProperty("op").GetString()!);
            foreach (var (place, inputs) in Nearby(given.GetProperty("inputs")))
            {
                tried++;
                try
                {
                    if (compute(op, inputs).Values.FirstOrDefault(IsNoNumber) is { } wrong)
                    {
                        faults.Add($"{id} ({op}) with {place}: {wrong}");
                    }
                }
                catch (Core.Accounting.EmissionRefusedException e)
                {
                    refused += e.Message.Length > 10 ? 1 : 0;
                }
#pragma warning disable CA1031 // Anything else is what is looked for.
                catch (Exception e)
                {
                    faults.Add($"{id} ({op}) with {place}: {e.GetType().Name} {e.Message}");
                }
#pragma warning restore CA1031
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} of {tried}:\n{string.Join('\n', faults.Take(20))}");
        Assert.InRange(refused, 10, tried - 10);
    }

    private static bool IsNoNumber(object? value) => value switch
    {
        double number => !double.IsFinite(number),
        string => false,
        Dictionary<string, object?> inner => inner.Values.Any(IsNoNumber),
        System.Collections.IEnumerable items => items.Cast<object?>().Any(IsNoNumber),
        _ => false,
    };

    private static IEnumerable<(string Place, JsonElement Inputs)> Nearby(JsonElement inputs)
    {
        var text = inputs.GetRawText();
        foreach (var (path, was) in Leaves(JsonNode.Parse(text)!, ""))
        {
            // A year is a date and no quantity; gate and bounds are the product's own and its configuration's; a pair in a list is one thing.
            if (path.EndsWith("year", StringComparison.Ordinal) || path.Contains(".gate", StringComparison.Ordinal) || path.Contains(".bounds", StringComparison.Ordinal) || (was is JsonArray && path.EndsWith(']')))
            {
                continue;
            }

            string[] others = was is JsonArray array ? ["[]", .. array.Count > 1 ? (string[])[$"[{array[0]?.ToJsonString() ?? "null"}]"] : []]
                : was.ToJsonString().Contains('.', StringComparison.Ordinal) ? ["0", "-1", "0.000001", "150.5", "1000000000.5"] : ["0", "-1", "1", "150", "1000000000"];
            foreach (var other in others)
            {
                var root = JsonNode.Parse(text)!;
                var place = Leaves(root, "").Single(l => l.Path == path).Node;
                place.ReplaceWith(JsonNode.Parse(other));
                yield return ($"{path} = {other}", JsonSerializer.SerializeToElement(root));
            }
        }
    }

    private static IEnumerable<(string Path, JsonNode Node)> Leaves(JsonNode node, string path)
    {
        if (path.Length > 0 && (node is JsonArray || node.GetValueKind() == JsonValueKind.Number))
        {
            yield return (path, node);
        }

        var inner = node switch
        {
            JsonObject names => names.Select(p => ($"{path}.{p.Key}", p.Value)),
            JsonArray items => items.Select((n, i) => ($"{path}[{i}]", n)).Take(3),
            _ => [],
        };
        foreach (var leaf in inner.Where(n => n.Item2 is not null).SelectMany(n => Leaves(n.Item2!, n.Item1)))
        {
            yield return leaf;
        }
    }
}
