using System.Globalization;
using System.Net;

namespace EdgeGateway.Doctoring;

/// <summary>The TCP port of the health endpoint: whether the gateway has it, or somebody else. The gateway listens on no other.</summary>
internal static class PortCheck
{
    // proc_net(5), linux/tcp_states.h: TCP_LISTEN.
    private const string Listening = "0A";
    private const string WhoHasIt = "`sudo ss -ltnp` shows which program has it: stop that, or write another port as health.listen in gateway.yaml";

    public static IEnumerable<Finding> Look(Patient patient)
    {
        if (patient.Site?.Model.HealthListen is not { } listen)
        {
            yield return patient.Site is null ? Finding.NotChecked("Which ports the gateway listens on: the configuration cannot be used") : Finding.Ok("The gateway listens on no TCP port; commands reach it over its Unix socket");
            yield break;
        }

        if (patient.Word("proc/net/tcp") is not { } table)
        {
            yield return Finding.NotChecked("Which ports are in use: /proc/net/tcp cannot be read");
            yield break;
        }

        var isTaken = IsListening(table, IPEndPoint.Parse(listen).Port) || (patient.Word("proc/net/tcp6") is { } six && IsListening(six, IPEndPoint.Parse(listen).Port));
        yield return (patient.Status, isTaken) switch
        {
            (null, _) when patient.Refusal is not null || patient.Holder() is not null => Finding.NotChecked($"Whether {listen} is the gateway's: it was not asked"),
            (null, true) => Finding.Fault($"{listen}, where the gateway wants to tell its health, is in use by another program: the gateway will not start", WhoHasIt),
            (null, false) => Finding.Ok($"{listen} is free for the health endpoint"),
            (_, true) => Finding.Ok($"The health endpoint listens on {listen}"),
            _ => Finding.Warning($"Nobody listens on {listen}, where the running gateway should tell its health", $"`edgegateway reload --config {patient.Configuration}` takes over what the file says"),
        };
    }

    // Lines such as "0: 0100007F:1F90 00000000:0000 0A ...": number, own address and port, the other's, state.
    private static bool IsListening(string table, int port)
    {
        var ending = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
        return table.Split('\n').Any(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var own, _, Listening, ..] && own.EndsWith(ending, StringComparison.Ordinal));
    }
}
