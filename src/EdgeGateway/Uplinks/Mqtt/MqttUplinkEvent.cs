using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>What the delivery loop is woken by. A value, because there is one for each message.</summary>
internal readonly record struct MqttUplinkEvent
{
    /// <summary>Nothing but a reason to look again: rows were committed, a time has come, or a stop was asked for.</summary>
    public static MqttUplinkEvent Look => default;

    /// <summary>The connection that stands, and the number of its session.</summary>
    public MqttConnected? Up { get; private init; }

    public int Session { get; private init; }

    /// <summary>Why there is no connection.</summary>
    public MqttDisconnected? Down { get; private init; }

    /// <summary>The message whose outcome is known.</summary>
    public Held? Settled { get; private init; }

    /// <summary>True when the outcome is that of the status message.</summary>
    public bool IsStatus { get; private init; }

    public PublishOutcome Outcome { get; private init; }

    public static MqttUplinkEvent Connected(MqttConnected connection, int session) => new() { Up = connection, Session = session };

    public static MqttUplinkEvent Disconnected(MqttDisconnected loss) => new() { Down = loss };

    public static MqttUplinkEvent Settle(Held held, PublishOutcome outcome) => new() { Settled = held, Outcome = outcome };

    public static MqttUplinkEvent SettleStatus(PublishOutcome outcome) => new() { IsStatus = true, Outcome = outcome };
}
