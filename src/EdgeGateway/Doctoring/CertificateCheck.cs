using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeGateway.Doctoring;

/// <summary>The certificates on this computer: of the authorities and of the gateway itself. Those of the servers are seen when the broker is called.</summary>
internal static class CertificateCheck
{
    // Requirement S-5.
    private static readonly TimeSpan Soon = TimeSpan.FromDays(30);

    public static IEnumerable<Finding> Look(Patient patient)
    {
        const string NextConnection = "it is read at the next connection, without a restart", NextStart = "it is read at the next start: `sudo systemctl restart edgegateway`";
        var any = false;
        List<(string? File, string? Key, string Whose, string When)> files = [];
        foreach (var broker in patient.Brokers)
        {
            files.Add((broker.CaFile, null, $"authority of uplink {broker.Id}", NextConnection));
            files.Add((broker.CertificateFile, broker.KeyFile ?? broker.CertificateFile, $"certificate of this gateway for uplink {broker.Id}", NextConnection));
        }

        files.Add((patient.Site?.Model.Otlp?.CaFile, null, "authority of the collector", NextStart));
        foreach (var (file, key, whose, when) in files)
        {
            foreach (var finding in file is null ? [] : OfFile(file, key, whose, when, patient.Now))
            {
                any = true;
                yield return finding;
            }
        }

        if (!any)
        {
            yield return patient.Site is null ? Finding.NotChecked("The certificates: the configuration cannot be used") : Finding.Ok("No certificate stands in a file of this configuration");
        }
    }

    /// <summary>What the dates of a certificate mean now.</summary>
    /// <param name="whose">Whose it is, for the sentence.</param>
    /// <param name="from">First instant at which it is valid.</param>
    /// <param name="to">Last instant.</param>
    /// <param name="now">The present.</param>
    /// <param name="renewal">How it is renewed.</param>
    public static Finding OfDates(string whose, DateTimeOffset from, DateTimeOffset to, DateTimeOffset now, string renewal) =>
        now < from ? Finding.Fault($"The {whose} is valid only from {from:yyyy-MM-dd HH:mm}Z on", "Check this computer's clock first (`timedatectl`); else wait, or have it issued anew")
        : now > to ? Finding.Fault($"The {whose} ended on {to:yyyy-MM-dd HH:mm}Z", renewal)
        : to - now < Soon ? Finding.Warning($"The {whose} ends in {(to - now).TotalDays:F0} days, on {to:yyyy-MM-dd HH:mm}Z", renewal)
        : Finding.Ok($"The {whose} is valid to {to:yyyy-MM-dd}");

    private static List<Finding> OfFile(string file, string? key, string whose, string when, DateTimeOffset now)
    {
        List<Finding> findings = [];
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPemFile(file);
            if (certificates.Count == 0)
            {
                findings.Add(Finding.Fault($"The file of the {whose} holds no certificate: {file}", "Put the certificate there in PEM form (it begins with -----BEGIN CERTIFICATE-----)"));
            }

            foreach (var certificate in certificates)
            {
                findings.Add(OfDates($"{whose} ({certificate.Subject})", certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime(), now, $"Have it issued anew and put it in place of {file}; {when}"));
                certificate.Dispose();
            }

            if (key is not null)
            {
                // Throws where the key is not the certificate's.
                X509Certificate2.CreateFromPemFile(file, key).Dispose();
            }
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException)
        {
            findings.Add(Finding.Fault($"The {whose} and its key cannot be used: {file}{(key is null || key == file ? "" : $", {key}")}", $"The key must be the one that the certificate was issued for, in PEM form, without a password: {unusable.Message}"));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            findings.Add(Finding.NotChecked($"The {whose}: {unreadable.Message}", "Run the command as the service's user or as root"));
        }

        return findings;
    }
}
