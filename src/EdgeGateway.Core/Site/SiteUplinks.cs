using System.Net;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Site;

/// <summary>Resolves <c>uplinks</c>.</summary>
internal static class SiteUplinks
{
    public static List<UplinkModel> Resolve(Section root, string gatewayId, UplinkSurroundings site, ProblemCollector problems)
    {
        var uplinks = new List<UplinkModel>();
        var ids = new Dictionary<string, int>();
        foreach (var entry in root.List("uplinks").OfType<YamlMap>())
        {
            if (GatewayShape.Uplink.Choose(entry) is not { } shape)
            {
                continue;
            }

            var section = new Section(entry, shape, entry);
            var id = section.Text("id") ?? "";
            if (id.Length > 0 && !ids.TryAdd(id, entry.Line))
            {
                problems.Error(section.At("id"), $"the uplink id '{id}' is used twice (first in line {ids[id]})", "Give each uplink its own id");
            }

            uplinks.Add(shape == GatewayShape.Hj212Uplink ? new SiteHj212(site, problems).Resolve(section, id) : Mqtt(section, id, gatewayId, problems));
        }

        return uplinks;
    }

    /// <summary>Whether the host is this machine: localhost, 127.0.0.0/8 or ::1.</summary>
    internal static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static string Host(string server) => server.LastIndexOf(':') is > 0 and var colon && !server.EndsWith(']') ? server[..colon] : server;

    private static bool IsUnpaced(Section section) => section.Node("backfillPerSecond") is YamlScalar { Text: "off" };

    private static long? Backfill(Section section, ProblemCollector problems)
    {
        if (IsUnpaced(section))
        {
            return null;
        }

        var pace = section.Size("backfillPerSecond");
        if (pace < 1_000)
        {
            problems.Error(section.At("backfillPerSecond"), $"a pace of {pace} bytes per second would never bring the history home", "Write 1kB or more");
        }

        return pace;
    }

    private static MqttUplinkModel Mqtt(Section section, string id, string gatewayId, ProblemCollector problems)
    {
        var allowPlaintext = section.Boolean("allowPlaintext") ?? false;
        var servers = new List<string>();
        foreach (var server in section.Scalars("servers"))
        {
            if (MqttUplinkModel.ServerOf(server.Text) is not { } uri)
            {
                problems.Error(server, $"'{server.Text}' is not the address of an MQTT server", "Write mqtts://host:8883, wss://host/mqtt through a web proxy, or mqtt://127.0.0.1:1883 on this machine");
                continue;
            }

            if (uri.UserInfo.Length > 0)
            {
                problems.Error(server, "the address of the server holds a user name or password", "Use 'username' and 'passwordFile': secrets do not stand in this file");
            }

            if (uri.Scheme is "mqtt" or "ws" && !allowPlaintext && !IsLoopback(uri.Host.Trim('[', ']')))
            {
                problems.Error(server, $"{server.Text} would send everything unencrypted beyond this machine", "Use mqtts:// (usual port 8883) or wss://, or write 'allowPlaintext: true' if the network is trusted");
            }

            servers.Add($"{uri.Scheme}://{uri.Host}:{(uri.Port > 0 ? uri.Port : uri.Scheme == "mqtt" ? 1883 : 8883)}{uri.PathAndQuery.TrimEnd('/')}");
        }

        foreach (var server in section.Scalars("followServers").Where(server => server.Text.Contains('/', StringComparison.Ordinal) || Uri.CheckHostName(Host(server.Text)) == UriHostNameType.Unknown))
        {
            problems.Error(server, $"'{server.Text}' is not a host to be sent to", "Write host, or host:port, without a scheme");
        }

        if (section.Has("certificateFile") != section.Has("keyFile"))
        {
            problems.Error(section.At(section.Has("keyFile") ? "keyFile" : "certificateFile"), "a client certificate needs its key and the key its certificate", "Write both 'certificateFile' and 'keyFile', or none");
        }

        if (section.Has("passwordFile") && !section.Has("username"))
        {
            problems.Error(section.At("passwordFile"), "there is a password but no user name", "Add 'username:' (MQTT 3.1.1, 3.1.2.9: a password needs a user name)");
        }

        var keepAlive = section.Duration("keepAlive") ?? TimeSpan.FromSeconds(30);
        if (keepAlive < TimeSpan.FromSeconds(1) || keepAlive > TimeSpan.FromSeconds(65_535))
        {
            problems.Error(section.At("keepAlive"), $"a keep-alive of {keepAlive.TotalSeconds} s is not possible", "Write 1s to 18h (MQTT 3.1.2.10: 16 bits of seconds)");
        }

        var reconnectMax = section.Duration("reconnectMax") ?? MqttUplinkModel.DefaultReconnectMax;
        if (reconnectMax < TimeSpan.FromSeconds(1) || reconnectMax > TimeSpan.FromHours(1))
        {
            problems.Error(section.At("reconnectMax"), $"a wait of {reconnectMax.TotalSeconds} s at most before a reconnect is not possible", "Write 1s to 1h: the wait begins at 1s");
        }

        var topicRoot = section.Text("topicRoot") ?? "edgegateway/v1";
        if (topicRoot.AsSpan().ContainsAny('+', '#', '\0') || topicRoot.StartsWith('/') || topicRoot.EndsWith('/') || topicRoot.StartsWith('$'))
        {
            problems.Error(section.At("topicRoot"), $"'{topicRoot}' cannot be the root of topics", "Write levels with '/' between them, without '+', '#', a leading '$' or a '/' at either end");
        }

        return new()
        {
            Id = id,
            Servers = servers,
            FollowServers = [.. section.Scalars("followServers").Select(server => server.Text)],
            ReturnToPreferredAfter = section.Duration("returnToPreferredAfter") ?? TimeSpan.FromMinutes(10),
            Version = section.Text("version") ?? "5",
            ClientId = section.Text("clientId") ?? $"edgegateway-{gatewayId}",
            Username = section.Text("username"),
            PasswordFile = section.Text("passwordFile"),
            CaFile = section.Text("caFile"),
            CertificateFile = section.Text("certificateFile"),
            KeyFile = section.Text("keyFile"),
            KeepAlive = keepAlive,
            ReconnectMax = reconnectMax,
            IsExactlyOnce = section.Text("qos") == "2",
            Format = FeedFormats.Parse(section.Text("format")) ?? FeedFormat.Feed,
            TopicRoot = topicRoot,
            AllowPlaintext = allowPlaintext,
            InOrder = section.Boolean("inOrder") ?? false,
            BackfillBytesPerSecond = Backfill(section, problems),
            IsBackfillUnpaced = IsUnpaced(section),
            Compression = section.Text("compression") switch
            {
                "gzip" => FeedCompression.Gzip,
                "deflate" => FeedCompression.Deflate,
                _ => FeedCompression.None,
            },
        };
    }
}
