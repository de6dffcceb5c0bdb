using System.Text.Json;

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
}
