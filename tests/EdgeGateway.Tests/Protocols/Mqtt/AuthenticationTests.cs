using System.Text;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>Enhanced authentication (MQTT 5.0, 4.12) and what else CONNECT and CONNACK can say.</summary>
public sealed class AuthenticationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact, Trait("clause", "MQTT5 4.12")]
    public async Task The_conversation_goes_on_until_the_server_is_content()
    {
        var steps = new List<string>();
        await using var bench = With(steps);
        bench.Start();
        var peer = await bench.Server.NextAsync();
        var connect = await peer.ExpectConnectAsync();
        Assert.Equal(("scram", "answer 1"), (connect.Properties!.AuthenticationMethod, Text(connect.Properties.AuthenticationData)));
        await peer.SendAsync(Auth(MqttReasonCode.ContinueAuthentication, "question"));
        var answer = await peer.ExpectDisconnectAsync(PacketType.Auth);
        Assert.Equal(
            (MqttReasonCode.ContinueAuthentication, "scram", "answer 2"),
            (answer.ReasonCode, answer.Properties!.AuthenticationMethod, Text(answer.Properties.AuthenticationData)));
        await peer.SendAsync(new ConnAckPacket { Properties = new() { AuthenticationMethod = "scram", AuthenticationData = "proof"u8.ToArray() } });
        await bench.ConnectedAsync();
        Assert.Equal(["Start ", "Continue question", "Success proof"], steps);
    }

    [Fact]
    public async Task A_server_that_proves_nothing_is_refused()
    {
        await using var bench = With([], step => step.Stage == MqttAuthenticationStage.Success ? throw new InvalidOperationException("wrong signature") : step);
        bench.Start();
        var peer = await bench.Server.NextAsync();
        await peer.AcceptAsync();
        var loss = await bench.LostAsync();
        Assert.Equal((MqttLossCause.BadCredentials, false), (loss.Cause, loss.WasConnected));
        Assert.Contains("wrong signature", loss.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other", MqttReasonCode.ContinueAuthentication)]
    [InlineData(null, MqttReasonCode.ContinueAuthentication)]
    [InlineData("scram", MqttReasonCode.Success)]
    public async Task An_auth_that_does_not_fit_is_a_breach(string? method, MqttReasonCode code)
    {
        await using var bench = With([]);
        bench.Start();
        var peer = await bench.Server.NextAsync();
        await peer.ExpectConnectAsync();
        await peer.SendAsync(new DisconnectPacket { Type = PacketType.Auth, ReasonCode = code, Properties = new() { AuthenticationMethod = method } });
        Assert.Equal(MqttLossCause.ProtocolBreach, (await bench.LostAsync()).Cause);
    }

    [Fact]
    public async Task An_auth_without_a_method_of_ours_is_a_breach()
    {
        await using var bench = new ClientBench();
        var peer = await bench.ConnectAsync();
        await peer.SendAsync(Auth(MqttReasonCode.ContinueAuthentication, ""));
        Assert.Equal(MqttReasonCode.ProtocolError, (await peer.ExpectDisconnectAsync()).ReasonCode);
        await Assert.ThrowsAsync<InvalidOperationException>(() => bench.Client.ReauthenticateAsync());
    }

    [Fact, Trait("clause", "MQTT5 4.12.1")]
    public async Task The_client_can_authenticate_again()
    {
        var steps = new List<string>();
        await using var bench = With(steps);
        var peer = await bench.ConnectAsync();
        steps.Clear();
        var again = bench.Client.ReauthenticateAsync();
        Assert.Equal(MqttReasonCode.Reauthenticate, (await peer.ExpectDisconnectAsync(PacketType.Auth)).ReasonCode);
        await peer.SendAsync(Auth(MqttReasonCode.ContinueAuthentication, "q"));
        Assert.Equal(MqttReasonCode.ContinueAuthentication, (await peer.ExpectDisconnectAsync(PacketType.Auth)).ReasonCode);
        await peer.SendAsync(Auth(MqttReasonCode.Success, "done"));
        Assert.Equal(MqttReasonCode.Success, await again.WaitAsync(Patience));
        Assert.Equal(["Start ", "Continue q", "Success done"], steps);

        again = bench.Client.ReauthenticateAsync();
        await peer.ExpectDisconnectAsync(PacketType.Auth);
        await peer.SendAsync(new DisconnectPacket { ReasonCode = MqttReasonCode.NotAuthorized });
        Assert.Equal(MqttReasonCode.NotAuthorized, await again.WaitAsync(Patience));
        Assert.Equal(MqttLossCause.BadCredentials, (await bench.LostAsync()).Cause);
    }

    [Fact]
    public async Task Connect_and_connack_carry_all_that_they_can()
    {
        await using var bench = new ClientBench(change: options => options with
        {
            ClientId = "",
            UserProperties = [new("model", "pi")],
            RequestResponseInformation = true,
            RequestProblemInformation = false,
            TopicAliasMaximum = 9,
        });
        bench.Start();
        var peer = await bench.Server.NextAsync();
        var asked = (await peer.AcceptAsync(properties: new()
        {
            AssignedClientIdentifier = "auto-1",
            ResponseInformation = "answers/auto-1",
            ReasonString = "welcome",
            UserProperties = [new("node", "3")],
            SessionExpirySeconds = 60,
            ServerKeepAliveSeconds = 7,
            WildcardSubscriptionAvailable = false,
        })).Properties!;
        Assert.Equal((true, false, (ushort?)9), (asked.RequestResponseInformation, asked.RequestProblemInformation, asked.TopicAliasMaximum));
        Assert.Equal([new("model", "pi")], asked.UserProperties!);
        var connected = await bench.ConnectedAsync();
        Assert.Equal("auto-1", connected.ClientId);
        var limits = connected.Limits;
        Assert.Equal(("answers/auto-1", "welcome", false), (limits.ResponseInformation, limits.ReasonString, limits.WildcardSubscriptionAvailable));
        Assert.Equal((TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(7)), (limits.SessionExpiry, limits.KeepAlive));
        Assert.Equal([new("node", "3")], limits.UserProperties);

        // The assigned identifier is ours from now on. MQTT 5.0, 3.2.2.3.7.
        await peer.CloseAsync();
        peer = await bench.NextPeerAsync();
        Assert.Equal("auto-1", (await peer.AcceptAsync(sessionPresent: true)).ClientId);
    }

    [Fact, Trait("clause", "MQTT5 3.2.2.3.4")]
    public async Task A_will_of_a_quality_that_the_server_does_not_take_is_offered_again_with_less()
    {
        await using var bench = new ClientBench(change: options => options with { Will = new() { Topic = "w", Payload = default, Qos = MqttQos.ExactlyOnce } });
        bench.Start();
        foreach (var expected in new[] { MqttQos.ExactlyOnce, MqttQos.AtLeastOnce })
        {
            var refusing = await bench.Server.NextAsync();
            Assert.Equal(expected, (await refusing.ExpectConnectAsync()).Will!.Qos);
            await refusing.SendAsync(new ConnAckPacket { ReasonCode = MqttReasonCode.QosNotSupported });
        }

        Assert.Equal(MqttQos.AtMostOnce, (await (await bench.Server.NextAsync()).AcceptAsync()).Will!.Qos);
        await bench.ConnectedAsync();
    }

    private static ClientBench With(List<string> steps, Func<MqttAuthenticationStep, MqttAuthenticationStep>? check = null)
    {
        var answers = 0;
        return new(change: options => options with
        {
            Authentication = new()
            {
                Method = "scram",
                Respond = (step, _) =>
                {
                    check?.Invoke(step);
                    steps.Add($"{step.Stage} {Text(step.Data.ToArray())}");
                    return new(Encoding.ASCII.GetBytes($"answer {++answers}"));
                },
            },
        });
    }

    private static DisconnectPacket Auth(MqttReasonCode code, string data) => new()
    {
        Type = PacketType.Auth,
        ReasonCode = code,
        Properties = new() { AuthenticationMethod = "scram", AuthenticationData = Encoding.ASCII.GetBytes(data) },
    };

    private static string Text(byte[]? data) => Encoding.ASCII.GetString(data ?? []);
}
