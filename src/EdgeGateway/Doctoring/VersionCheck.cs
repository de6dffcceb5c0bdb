namespace EdgeGateway.Doctoring;

/// <summary>Whether what runs is what is installed and what the file says.</summary>
internal static class VersionCheck
{
    private const string Restart = "`sudo systemctl restart edgegateway`: it commits, stops, and goes on with the program that is installed; nothing is lost";

    // Written by the package's postinst when it puts the program before back: hardware/package/debian/postinst.
    private const string RolledBack = "usr/lib/edgegateway.rolled-back/message";
    private const string Said = "edgegateway: ";
    private const string Settle = "to settle it: ";

    public static IEnumerable<Finding> Look(Patient patient)
    {
        if (File.Exists(patient.At(RolledBack)))
        {
            yield return GivenUp(patient.At(RolledBack));
        }

        if (patient.Status is not { } status)
        {
            yield return Finding.NotChecked("No running gateway to compare with");
            yield break;
        }

        if (status.Version is null)
        {
            yield return Finding.Warning($"The running gateway does not tell its version, so that it is older than this program ({patient.Version})", Restart);
        }
        else if (status.Version != patient.Version)
        {
            yield return Finding.Warning($"The running gateway is version {status.Version}, this program is {patient.Version}", Restart);
        }
        else if (IsReplaced(patient, status.ProcessId))
        {
            yield return Finding.Warning("The file of the running gateway was replaced since it started", Restart);
        }
        else
        {
            yield return Finding.Ok($"The running gateway is of this version, {patient.Version}");
        }

        if (patient.Site is { } site && site.Model.ConfigurationHash != status.Configuration)
        {
            yield return Finding.Notice(
                $"The configuration on disk ({site.Model.ConfigurationHash[..12]}) is not the one in force ({status.Configuration[..Math.Min(12, status.Configuration.Length)]})",
                $"`edgegateway reload --config {patient.Configuration}` takes it over");
        }
    }

    /// <summary>An upgrade that the package took back: why, and how to end the state in between.</summary>
    private static Finding GivenUp(string message)
    {
        string[] lines = [.. File.ReadAllLines(message).Select(l => l.StartsWith(Said, StringComparison.Ordinal) ? l[Said.Length..] : l)];
        var cure = lines.FirstOrDefault(l => l.StartsWith(Settle, StringComparison.Ordinal))?[Settle.Length..] ?? "install this version's package again, or a later one";
        return Finding.Warning($"The package took an upgrade back: {string.Join("; ", lines.Where(l => !l.StartsWith(Settle, StringComparison.Ordinal)).Select(l => l.TrimEnd('.')))}", cure);
    }

    // proc_pid_exe(5): " (deleted)" is put behind the name of a file that was removed or replaced.
    private static bool IsReplaced(Patient patient, int process)
    {
        try
        {
            return new FileInfo(patient.At($"proc/{process}/exe")).LinkTarget?.EndsWith(" (deleted)", StringComparison.Ordinal) == true;
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            // Another user's process keeps it from us; its version, which it told, stands.
            return false;
        }
    }
}
