using System.Globalization;

namespace EdgeGateway.Storage;

/// <summary>The small file that says that a store exists and which epochs it has used, so that a lost database is not taken for a first start (requirement O-13).</summary>
internal sealed record StoreMarker(long Epoch)
{
    private const string FirstLine = "edgegateway store 1";

    /// <summary>True when a store was once made in this directory.</summary>
    public static bool IsThere(string directory) => File.Exists(new StoreFiles(Path.GetFullPath(directory)).Marker);

    /// <summary>The marker, or null when there is none. One that cannot be understood counts as there, with epoch 0.</summary>
    public static StoreMarker? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        var lines = File.ReadAllLines(path);
        return lines.Length >= 2
            && lines[0] == FirstLine
            && lines[1].StartsWith("epoch ", StringComparison.Ordinal)
            && long.TryParse(lines[1].AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
                ? new StoreMarker(epoch)
                : new StoreMarker(0);
    }

    /// <summary>Writes the marker so that it survives a power cut.</summary>
    public void Write(string path) =>
        Durable.WriteText(path, string.Create(CultureInfo.InvariantCulture, $"{FirstLine}\nepoch {Epoch}\nDo not delete: without this file a lost database would look like a first start.\n"));
}
