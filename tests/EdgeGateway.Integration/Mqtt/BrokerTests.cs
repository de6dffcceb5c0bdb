using System.Globalization;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>mosquitto 2: both versions, every quality of service.</summary>
public sealed class MosquittoBroker : BrokerFixture
{
    private Mosquitto? _broker;

    public override int Port => _broker!.Port;

    public override IReadOnlyList<MqttProtocolVersion> Versions => [MqttProtocolVersion.V311, MqttProtocolVersion.V500];

    public override async Task InitializeAsync() => _broker = await Mosquitto.RunAsync();

    public override Task DisposeAsync()
    {
        _broker?.Dispose();
        return Task.CompletedTask;
    }
}

/// <summary>
/// RabbitMQ's MQTT plugin (3.10): 3.1.1 only. It takes QoS 2 down to QoS 1 and answers a PUBLISH of QoS 2 with PUBACK, which MQTT 3.1.1, 4.3.3 does not allow: the
/// client ends such a connection, so the gateway is used with QoS 1 there.
/// </summary>
public sealed class RabbitBroker : BrokerFixture
{
    private RabbitMq? _broker;

    public override int Port => _broker!.Port;

    public override Uri? WebSocket => new($"ws://127.0.0.1:{_broker!.WebSocketPort}/ws");

    public override MqttQos MaximumQos => MqttQos.AtLeastOnce;

    public override async Task InitializeAsync() => _broker = await RabbitMq.RunAsync();

    public override async Task DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }
    }
}

/// <summary>NATS (2.9) with JetStream: 3.1.1 only. It knows no QoS 2 and closes the connection on one; a message has at most 1 MiB unless configured otherwise. What
/// was under way to a subscriber when the link broke it repeats only after a time (30 s unless configured otherwise), behind what came later.</summary>
public sealed class NatsBroker : BrokerFixture
{
    private PeerProcess? _broker;
    private DirectoryInfo? _folder;
    private int _port;
    private int _webSocketPort;

    public override int Port => _port;

    public override Uri? WebSocket => new($"ws://127.0.0.1:{_webSocketPort}/mqtt");

    public override MqttQos MaximumQos => MqttQos.AtLeastOnce;

    public override int LargePayload => 1000 * 1000;

    public override bool RepeatsInOrder => false;

    public override async Task InitializeAsync()
    {
        _folder = Directory.CreateTempSubdirectory("edgegateway-nats-");
        _port = Mosquitto.FreePort();
        _webSocketPort = Mosquitto.FreePort();
        var configuration = Path.Combine(_folder.FullName, "nats.conf");
        await File.WriteAllTextAsync(configuration, string.Create(CultureInfo.InvariantCulture, $$"""
            server_name: edgegateway-test
            listen: "127.0.0.1:{{Mosquitto.FreePort()}}"
            jetstream { store_dir: "{{_folder.FullName}}" }
            mqtt { host: "127.0.0.1", port: {{_port}}, ack_wait: "1s" }
            websocket { host: "127.0.0.1", port: {{_webSocketPort}}, no_tls: true }
            """));
        _broker = PeerProcess.Start("/usr/sbin/nats-server", "nats-server", "-c", configuration);
        await BrokerPorts.OpenAsync(_port, () => _broker.ToString());
        await BrokerPorts.OpenAsync(_webSocketPort, () => _broker.ToString());
    }

    public override async Task DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }

        _folder?.Delete(recursive: true);
    }
}

/// <summary>Aedes (npm) in memory: 3.1.1 only, every quality of service.</summary>
public sealed class AedesBroker : BrokerFixture
{
    private PeerProcess? _broker;

    public override int Port => _broker!.ReadyNumber;

    public override async Task InitializeAsync() => _broker = await PeerProcess.StartAsync("node", "nodejs", await AedesPackage.ScriptAsync());

    public override async Task DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }
    }
}

/// <summary>The client with mosquitto.</summary>
public sealed class MosquittoTests(MosquittoBroker broker) : BrokerContract(broker), IClassFixture<MosquittoBroker>;

/// <summary>The client with RabbitMQ.</summary>
public sealed class RabbitMqTests(RabbitBroker broker) : BrokerContract(broker), IClassFixture<RabbitBroker>
{
    [Fact]
    public Task Messages_go_both_ways_over_WebSocket() => OverWebSocketAsync();
}

/// <summary>The client with NATS.</summary>
public sealed class NatsTests(NatsBroker broker) : BrokerContract(broker), IClassFixture<NatsBroker>
{
    [Fact]
    public Task Messages_go_both_ways_over_WebSocket() => OverWebSocketAsync();
}

/// <summary>The client with Aedes.</summary>
public sealed class AedesTests(AedesBroker broker) : BrokerContract(broker), IClassFixture<AedesBroker>;
