using EdgeGateway.Core.Outbox;
using EdgeGateway.Storage;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Uplinks;

/// <summary>What every uplink is given.</summary>
public sealed record UplinkContext
{
    /// <summary>Site id, a level of the topic.</summary>
    public required string SiteId { get; init; }

    public required string GatewayId { get; init; }

    /// <summary>Device and point of each point of the site, by index: what records name, for uplinks that send chosen points.</summary>
    public IReadOnlyList<(string Device, string Point)> PointNames { get; init; } = [];

    public required IOutbox Outbox { get; init; }

    /// <summary>The committed births of all devices, announced again in each new session; must be quick and thread-safe.</summary>
    public required Func<IReadOnlyList<OutboxRow>> Births { get; init; }

    /// <summary>Newest values while the store cannot be written; null when the gateway offers none.</summary>
    public IVolatileSource? Volatile { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>The instant at which certificates must be valid, when the clock may be unset (requirement T-4); null is the wall clock.</summary>
    public Func<DateTimeOffset>? CertificateTime { get; init; }

    /// <summary>Sign of life: the loop that delivers beats at each turn, and turns at least every <see cref="LongestRest"/>; null when nobody watches.</summary>
    public Hosting.Heartbeat? Beat { get; init; }

    /// <summary>Asked whether somebody follows a sample, who is then told what becomes of its row; null when nobody can.</summary>
    internal Following.Follower? Follower { get; init; }

    /// <summary>An uplink with nothing to do turns at least so often, to show that it could.</summary>
    public static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(10);

    /// <summary>Numbers from 0 to below 1 that spread a fleet in time.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;
}
