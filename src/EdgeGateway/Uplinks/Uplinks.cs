using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Uplinks.Hj212;
using EdgeGateway.Uplinks.Mqtt;

namespace EdgeGateway.Uplinks;

/// <summary>The table of uplinks: a new one is a folder, a line here, and a class that inherits the shared contract test.</summary>
public static class UplinkTable
{
    /// <summary>Which streams an uplink carries at all.</summary>
    internal static Func<FeedStream, bool> CarriedBy(UplinkModel model, SiteModel site) =>
        model is MqttUplinkModel mqtt ? FeedFormats.Create(mqtt.Format, site.SiteId, site.GatewayId).Carries : static _ => true;

    /// <summary>Makes the uplink of a model.</summary>
    /// <exception cref="ArgumentException">There is no uplink for this kind of model.</exception>
    public static IUplink Create(UplinkModel model, UplinkContext context) => model switch
    {
        MqttUplinkModel mqtt => new MqttUplink(mqtt, CarriedRows.Of(context, mqtt.Id, FeedFormats.Create(mqtt.Format, context.SiteId, context.GatewayId))),
        Hj212UplinkModel hj212 => new Hj212Uplink(hj212, context, context.PointNames),
        _ => throw new ArgumentException($"There is no uplink for {model?.GetType().Name}.", nameof(model)),
    };
}
