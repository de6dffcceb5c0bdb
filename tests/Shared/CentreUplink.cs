using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;
using EdgeGateway.Uplinks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Tests.Shared;

/// <summary>What an uplink to the destination <c>centre</c> is made from; a test changes what it is about.</summary>
public static class CentreUplink
{
    public static MqttUplinkModel Model { get; } = new()
    {
        Id = "centre",
        Servers = ["mqtt://server"],
        Version = "5",
        ClientId = "gw-1",
        KeepAlive = TimeSpan.FromSeconds(30),
        TopicRoot = "edgegateway/v1",
    };

    public static UplinkContext Context(IOutbox outbox, Func<IReadOnlyList<OutboxRow>>? births = null, TimeProvider? time = null, ILogger? logger = null) => new()
    {
        SiteId = "mine-7",
        GatewayId = "gw-1",
        Outbox = outbox,
        Births = births ?? (static () => []),
        Time = time ?? TimeProvider.System,
        Logger = logger ?? NullLogger.Instance,
        Jitter = static () => 0,
    };
}
