using EdgeGateway.Core.Feed;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Uplinks.Mqtt;

namespace EdgeGateway.Doctoring;

/// <summary>
/// Really connects to each server of each uplink, with the credentials of the configuration, and leaves again. The gateway's own session is not touched: the
/// client id has an ending of its own, no session is kept, there is no will, and nothing is published.
/// </summary>
internal static class BrokerCheck
{
    /// <summary>What stands behind the gateway's client id while the doctor calls.</summary>
    public const string Ending = "-doctor";

    // Address, TLS and CONNACK have 10 s each (requirement M-6).
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(35);

    public static async ValueTask<IReadOnlyList<Finding>> LookAsync(Patient patient, CancellationToken cancel)
    {
        if (patient.Site is not { Model: var site })
        {
            return [Finding.NotChecked("The brokers: the configuration cannot be used")];
        }

        List<Finding> findings = [];
        foreach (var uplink in patient.Brokers)
        {
            MqttClientOptions options;
            try
            {
                options = MqttUplinkOptions.For(uplink, new FeedTopics(uplink.TopicRoot, site.SiteId, site.GatewayId));
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                findings.Add(Finding.NotChecked($"Uplink {uplink.Id}: its password file {uplink.PasswordFile} cannot be read by this user", "Run the command as the service's user or as root"));
                continue;
            }

            foreach (var server in options.Servers)
            {
                findings.AddRange(await CallAsync(patient, uplink.Id, server, options, cancel).ConfigureAwait(false));
            }
        }

        return findings.Count > 0 ? findings : [Finding.Notice("There is no uplink over MQTT: nothing leaves this gateway", "Add one under 'uplinks' in gateway.yaml, unless that is meant")];
    }

    private static async Task<List<Finding>> CallAsync(Patient patient, string uplink, Uri server, MqttClientOptions options, CancellationToken cancel)
    {
        var shown = new List<(string Subject, DateTimeOffset From, DateTimeOffset To)>();
        var outcome = new TaskCompletionSource<MqttDisconnected?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var client = new MqttClient(
            patient.Adjust(options with
            {
                Servers = [server],
                AllowedServerReferences = [],
                ClientId = options.ClientId + Ending,
                CleanStart = true,
                Will = null,
                SessionExpiry = TimeSpan.Zero,
                Tls = options.Tls with { Presented = (certificate, _) => shown.Add((certificate.Subject, certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime())) },
            }),
            patient.Time)
        {
            Connected = _ => outcome.TrySetResult(null),
            Disconnected = lost => outcome.TrySetResult(lost),
        };
        var address = $"{server.Scheme}://{server.Host}:{server.Port}";
        List<Finding> findings = [];
        _ = client.RunAsync(CancellationToken.None);
        try
        {
            findings.Add(Judge(uplink, address, await outcome.Task.WaitAsync(Limit, patient.Time, cancel).ConfigureAwait(false), patient.Status?.Uplinks.Any(u => u.Id == uplink && u.Connected) == true));
        }
        catch (TimeoutException)
        {
            findings.Add(Finding.Fault($"Uplink {uplink}: {address} did not come to an end of connecting within {Limit.TotalSeconds:0} s", "Check address, firewall and route"));
        }

        if (server.Scheme is "mqtts" or "wss" && shown.Count > 0)
        {
            var (subject, from, to) = shown[^1];
            findings.Add(CertificateCheck.OfDates($"certificate of {server.Host} ({subject})", from, to, patient.Now, "Whoever runs the broker has to renew it"));
        }
        else if (server.Scheme is "mqtt" or "ws" && !server.IsLoopback)
        {
            findings.Add(Finding.Warning($"Uplink {uplink}: {address} is not encrypted: who listens on the way reads the password and all values", "Use mqtts:// (usual port 8883) or wss://"));
        }

        return findings;
    }

    private static Finding Judge(string uplink, string address, MqttDisconnected? lost, bool gatewayIsConnected)
    {
        var cure = lost?.Cause switch
        {
            MqttLossCause.BadCredentials => "Check 'username' and the file of the password against the broker's list of users; the file holds the password and nothing else. The broker's log says which it refused",
            MqttLossCause.Tls => "Check 'caFile', the host's name in 'servers', and this computer's clock (`timedatectl`)",
            MqttLossCause.ClosedByServer or MqttLossCause.ProtocolBreach => "See the broker's log; check that the port speaks MQTT of the 'version' that is configured, with or without TLS as the address says",
            _ => "Check 'servers', cable and firewall from here to the broker; see the lines about the network",
        };
        return lost is null ? Finding.Ok($"Uplink {uplink}: {address} accepts user, password and certificate (whether it lets the gateway publish was not tried)")
            : gatewayIsConnected && lost.Cause == MqttLossCause.BadCredentials ? Finding.Warning(
                $"Uplink {uplink}: {address} refuses a second client with the same user and password: {lost.Reason}",
                $"The gateway itself is connected. When its password was changed since, or its user was, mend that before its next connection: {cure}. When the broker ties client ids to users, it refuses this one ('{Ending}' behind the gateway's), and nothing is to be done")
            : gatewayIsConnected ? Finding.Notice($"Uplink {uplink}: {address} does not take a second client (with '{Ending}' behind its client id): {lost.Reason}", "Nothing to do: the gateway itself is connected")
            : Finding.Fault($"Uplink {uplink}: {address}: {lost.Reason}", cure);
    }
}
