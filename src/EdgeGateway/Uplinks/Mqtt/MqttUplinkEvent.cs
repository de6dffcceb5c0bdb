using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>What the delivery loop is woken by.</summary>
internal abstract record MqttUplinkEvent
{
    /// <summary>Nothing but a reason to look again: rows were committed, or a stop was asked for.</summary>
    public static readonly MqttUplinkEvent Look = new LookAgain();

    private sealed record LookAgain : MqttUplinkEvent;

    public sealed record Up(MqttConnected Connection, int Session) : MqttUplinkEvent;

    public sealed record Down(MqttDisconnected Loss) : MqttUplinkEvent;

    public sealed record Settled(Held Held, PublishOutcome Outcome) : MqttUplinkEvent;

    public sealed record StatusNotTaken(PublishOutcome Outcome) : MqttUplinkEvent;
}
