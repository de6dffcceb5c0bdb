namespace EdgeGateway.Doctoring;

/// <summary>Runs all checks and puts together what they found.</summary>
internal static class Doctor
{
    /// <summary>The exit code when nothing is worse than a notice.</summary>
    public const int Healthy = 0;

    /// <summary>The exit code when the gravest finding is a warning.</summary>
    public const int Ailing = 1;

    /// <summary>The exit code when there is a fault.</summary>
    public const int Sick = 2;

    /// <summary>Looks at everything; one check that fails does not keep the others from looking.</summary>
    /// <param name="patient">What to look at.</param>
    /// <param name="cancel">Stops waiting.</param>
    public static async Task<DoctorDocument> LookAsync(Patient patient, CancellationToken cancel)
    {
        List<FindingDocument> lines = [];
        var worst = Verdict.Ok;
        foreach (var check in Checks.All)
        {
            foreach (var finding in await LookAsync(check, patient, cancel).ConfigureAwait(false))
            {
                worst = finding.Verdict > worst ? finding.Verdict : worst;
                lines.Add(new FindingDocument(check.Name, Word(finding.Verdict), finding.What, finding.Cure));
            }
        }

        return new DoctorDocument { Verdict = Word(worst), At = patient.Now, Version = patient.Version, Configuration = patient.Configuration, Findings = lines };
    }

    /// <summary>The exit code that a document means.</summary>
    public static int ExitCode(DoctorDocument document) => document.Verdict switch
    {
        "fault" => Sick,
        "warning" => Ailing,
        _ => Healthy,
    };

    /// <summary>The published word of a verdict.</summary>
    public static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Ok => "ok",
        Verdict.NotChecked => "not-checked",
        Verdict.Notice => "notice",
        Verdict.Warning => "warning",
        _ => "fault",
    };

    private static async ValueTask<IReadOnlyList<Finding>> LookAsync(Check check, Patient patient, CancellationToken cancel)
    {
        try
        {
            return await check.LookAsync(patient, cancel).ConfigureAwait(false);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            // A file that went or is forbidden: what could not be seen is said, and the others still look.
            return [Finding.NotChecked($"This could not be looked at: {failed.Message}", patient.IsRoot ? "" : "Run the command as the service's user or as root")];
        }
    }
}
