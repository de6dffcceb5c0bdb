using EdgeGateway.Commands;

namespace EdgeGateway.Doctoring;

/// <summary>Whether the gateway runs, and what it says of itself.</summary>
internal static class GatewayCheck
{
    public static IEnumerable<Finding> Look(Patient patient)
    {
        if (patient.Refusal is { } refusal)
        {
            yield return Finding.NotChecked($"A gateway runs and could not be asked: {refusal}", "Run the command as the service's user or as root: `sudo edgegateway doctor`");
            yield break;
        }

        if (patient.Status is not { } status)
        {
            yield return patient.Holder() is { } pid
                ? Finding.Fault($"The gateway's process {pid} runs and does not answer at its socket", "It is starting (a large or damaged store takes minutes) or hangs: look again, then at its log (`journalctl -u edgegateway -n 100`)")
                : Finding.Warning($"No gateway is running with its store in {patient.Storage}", $"`sudo systemctl start edgegateway`, or by hand `edgegateway run --config {patient.Configuration}`; `journalctl -u edgegateway -n 100` tells why it stopped");
            yield break;
        }

        if (status.Problems.Count == 0)
        {
            yield return Finding.Ok($"Gateway {status.Gateway} runs, {Words.Span(TimeSpan.FromSeconds(status.UptimeSeconds))} up, process {status.ProcessId}: {status.State}");
        }

        foreach (var problem in status.Problems)
        {
            yield return Finding.Warning($"The running gateway says: {problem}", "`edgegateway status` shows it with what it probably comes from");
        }

        foreach (var cause in status.LikelyCauses)
        {
            yield return Finding.Warning($"Bus {cause.Bus}{(cause.Device is null ? "" : $", device {cause.Device}")}: {cause.Symptom}", cause.Cure);
        }
    }
}
