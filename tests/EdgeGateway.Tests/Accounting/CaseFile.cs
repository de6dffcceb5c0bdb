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
}
