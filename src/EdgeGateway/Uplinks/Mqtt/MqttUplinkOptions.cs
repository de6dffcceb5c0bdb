using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>From the site's words to the MQTT client's.</summary>
internal static class MqttUplinkOptions
{
    /// <summary>Messages in flight at most; the server may ask for less (requirement B-1).</summary>
    public const int MaxInFlight = 20;

    public static readonly ReadOnlyMemory<byte> Online = Encoding.ASCII.GetBytes("online");
    public static readonly ReadOnlyMemory<byte> Offline = Encoding.ASCII.GetBytes("offline");

    /// <summary>A gateway that comes back at once was not away. MQTT 5.0, 3.1.3.2.2; 3.1.1 has no such delay.</summary>
    private static readonly TimeSpan WillDelay = TimeSpan.FromSeconds(5);

    /// <summary>Whether online and offline are told: who takes plain lists of samples gets nothing else.</summary>
    public static bool SaysStatus(MqttUplinkModel model) => model.Format == FeedFormat.Feed;

    /// <summary>Options of the client.</summary>
    /// <param name="model">The site's words.</param>
    /// <param name="topics">Where the status goes.</param>
    /// <param name="certificateTime">The instant at which certificates must be valid; null is the wall clock.</param>
    /// <exception cref="IOException">The password file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The password file may not be read.</exception>
    public static MqttClientOptions For(MqttUplinkModel model, FeedTopics topics, Func<DateTimeOffset>? certificateTime = null) => new()
    {
        Servers = [.. model.Servers.Select(server => new Uri(server))],
        ReturnToPreferredAfter = model.ReturnToPreferredAfter,
        AllowedServerReferences = model.FollowServers,
        Version = model.Version == "3.1.1" ? MqttProtocolVersion.V311 : MqttProtocolVersion.V500,
        ClientId = model.ClientId,
        UserName = model.Username,
        Password = PasswordFile.Read(model.PasswordFile),
        KeepAlive = model.KeepAlive,
        ReconnectMax = model.ReconnectMax,
        MaxInFlight = MaxInFlight,
        Will = !SaysStatus(model) ? null : new MqttWill { Topic = topics.Status, Payload = Offline, Retain = true, Delay = WillDelay },
        Tls = new MqttTlsOptions { CaFile = model.CaFile, CertificateFile = model.CertificateFile, KeyFile = model.KeyFile, ValidationTime = certificateTime },
    };
}
