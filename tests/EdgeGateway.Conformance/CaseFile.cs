using System.Text.Json;

namespace EdgeGateway.Conformance;

/// <summary>Worked cases (schema <c>edgegateway-case/1</c>) kept as embedded resources; each names its source.</summary>
internal static class CaseFile
{
    /// <summary>The cases of a file.</summary>
    public static IReadOnlyList<JsonElement> Read(string name)
    {
        using var stream = typeof(CaseFile).Assembly.GetManifestResourceStream("cases." + name)!;
        using var document = JsonDocument.Parse(stream);
        return [.. document.RootElement.GetProperty("cases").EnumerateArray().Select(c => c.Clone())];
    }

    /// <summary>The ids of its cases, as data of a theory.</summary>
    public static TheoryData<string> Ids(string name) => [.. Read(name).Select(c => c.GetProperty("id").GetString()!)];

    /// <summary>One of them.</summary>
    public static JsonElement Find(string name, string id) => Read(name).Single(c => c.GetProperty("id").GetString() == id);
}
