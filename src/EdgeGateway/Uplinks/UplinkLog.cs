using Microsoft.Extensions.Logging;

namespace EdgeGateway.Uplinks;

/// <summary>What uplinks log: changes, once.</summary>
internal static partial class UplinkLog
{
    [LoggerMessage(2100, LogLevel.Information, "Uplink {Uplink}: connected to {Server}, {Backlog} rows waiting")]
    public static partial void UplinkConnected(this ILogger logger, string uplink, string server, long backlog);

    [LoggerMessage(2101, LogLevel.Warning, "Uplink {Uplink}: no connection to {Server}: {Reason}. Rows are kept in the outbox")]
    public static partial void UplinkDown(this ILogger logger, string uplink, string server, string reason);

    [LoggerMessage(2102, LogLevel.Error, "Uplink {Uplink}: row {Row} ({Topic}) set aside: {Reason}")]
    public static partial void UplinkQuarantined(this ILogger logger, string uplink, long row, string topic, string reason);

    [LoggerMessage(2103, LogLevel.Warning, "Uplink {Uplink}: {Topic} was not taken: {Reason}")]
    public static partial void UplinkNotTaken(this ILogger logger, string uplink, string topic, string reason);

    [LoggerMessage(2104, LogLevel.Information, "Uplink {Uplink}: stopped, {Waiting} rows not acknowledged stay in the outbox")]
    public static partial void UplinkStopped(this ILogger logger, string uplink, long waiting);

    [LoggerMessage(2105, LogLevel.Warning, "Uplink {Uplink}: {Server} keeps no retained messages; births, states and status are sent without. Allow retained messages at the broker")]
    public static partial void UplinkUnretained(this ILogger logger, string uplink, string server);

    [LoggerMessage(2106, LogLevel.Information, "Uplink {Uplink}: leaves {Server}: a server that stands before it in the list has accepted the gateway again")]
    public static partial void UplinkChangesServer(this ILogger logger, string uplink, string server);

    [LoggerMessage(2108, LogLevel.Information, "Uplink {Uplink}: command {Command} of the platform: {Answer}")]
    public static partial void UplinkCommand(this ILogger logger, string uplink, string command, string answer);

    [LoggerMessage(2107, LogLevel.Warning, "Uplink {Uplink}: {Server} takes QoS {Qos} at most; rows are sent with QoS 1. Write qos: 1, or allow QoS 2 at the broker")]
    public static partial void UplinkLesserQos(this ILogger logger, string uplink, string server, int qos);
}
