using System.Globalization;
using System.Security.Cryptography;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Storage;

namespace EdgeGateway.Hosting;

/// <summary>
/// The last configuration that was good, beside the store: <c>last-good/gateway.yaml</c> and the profiles it uses (requirement P-3). A running gateway stays with it when the file is edited
/// and the result cannot be used or does not start; that is noted beside it, so that a restart stays with it too. A file that no running gateway has refused is never passed over: what runs must be
/// what the file says.
/// </summary>
internal static class GoodCopy
{
    /// <summary>Name of the directory in the store's.</summary>
    public const string DirectoryName = "last-good";

    private const string NoteName = "refused.txt";

    /// <summary>Reads and checks the copy.</summary>
    /// <param name="storage">Directory of the store.</param>
    /// <param name="configuration">The file that it is a copy of; paths are relative to it.</param>
    /// <returns>The site; null when there is no copy, or this program cannot use it.</returns>
    public static LoadedSite? Load(string storage, string configuration)
    {
        var directory = Path.Combine(storage, DirectoryName);
        var path = Path.Combine(directory, "gateway.yaml");
        try
        {
            return File.Exists(path)
                ? new SiteFiles([Path.Combine(directory, "device-profiles")])
                    .Load(configuration, new SourceText(path, File.ReadAllText(path)), _ => SiteFiles.FactorText(Path.Combine(directory, LoadedSite.FactorsText)), out _)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Notes that the running gateway has refused what the file says.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Note(string storage, ConfigurationRefusal refusal)
    {
        var directory = Directory.CreateDirectory(Path.Combine(storage, DirectoryName)).FullName;
        Durable.WriteText(Path.Combine(directory, NoteName), $"{refusal.Texts}\n{refusal.At.ToString("O", CultureInfo.InvariantCulture)}\n{refusal.Why.ReplaceLineEndings(" ")}\n");
    }

    /// <summary>The note; null when there is none that can be read.</summary>
    public static ConfigurationRefusal? Refused(string storage)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(storage, DirectoryName, NoteName)) is [var texts, var at, var why, ..]
                && DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time)
                ? new ConfigurationRefusal(texts, time, why)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Takes the note away: what the file says is in force.</summary>
    /// <exception cref="IOException">It could not be deleted.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be deleted.</exception>
    public static void Forget(string storage)
    {
        var path = Path.Combine(storage, DirectoryName, NoteName);
        if (File.Exists(path))
        {
            File.Delete(path);
            Durable.FlushDirectory(Path.GetDirectoryName(path)!);
        }
    }

    /// <summary>Names the text of a file that cannot be used: SHA-256 in lower-case hex; empty when it cannot be read.</summary>
    public static string TextOf(string configuration)
    {
        try
        {
            return Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(configuration)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Writes what differs: each file as a temporary one, flushed, renamed, and its directory flushed; <c>gateway.yaml</c> last.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    /// <exception cref="StoreException">The directory could not be flushed.</exception>
    public static void Save(LoadedSite site)
    {
        var directory = Path.Combine(site.Model.Storage.Directory, DirectoryName);
        var profiles = Path.Combine(directory, "device-profiles");
        Directory.CreateDirectory(profiles);
        foreach (var (id, text) in site.Profiles)
        {
            Write(Path.Combine(profiles, $"{id}.yaml"), text.Text);
        }

        foreach (var file in Directory.EnumerateFiles(profiles, "*.yaml").Where(f => !site.Profiles.ContainsKey(Path.GetFileNameWithoutExtension(f))).ToArray())
        {
            File.Delete(file);
        }

        if (site.Factors is { } factors)
        {
            Write(Path.Combine(directory, LoadedSite.FactorsText), factors.Text);
        }

        Write(Path.Combine(directory, "gateway.yaml"), site.Gateway.Text);
    }

    // Nothing is written when nothing changed: a card wears out.
    private static void Write(string path, string text)
    {
        if (!File.Exists(path) || File.ReadAllText(path) != text)
        {
            Durable.WriteText(path, text);
        }
    }
}

/// <summary>That a running gateway has refused what the file says, and stays with the last good configuration.</summary>
/// <param name="Texts">What was refused: the hash of a configuration that did not start, or of the text of a file that cannot be used (<see cref="GoodCopy.TextOf"/>).</param>
/// <param name="At">When.</param>
/// <param name="Why">What is wrong with it.</param>
internal sealed record ConfigurationRefusal(string Texts, DateTimeOffset At, string Why)
{
    /// <summary>What to tell people.</summary>
    public string Text => string.Create(
        CultureInfo.InvariantCulture,
        $"What the configuration file says is not in force: it was refused at {At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z ({Why}). The last good configuration runs; mend the file, then: edgegateway reload");
}
