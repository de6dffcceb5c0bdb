using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Uplinks;
using EdgeGateway.Uplinks.Mqtt;

namespace EdgeGateway.Integration.Uplinks;

/// <summary>A real mosquitto, and a subscriber with a session of its own that hears everything the broker delivers.</summary>
internal sealed class MqttCentre : UplinkCentre
{
    private readonly Lock _gate = new();
    private readonly List<FeedMessage> _received = [];
    private readonly List<(string Topic, string Text, bool Retained)> _statuses = [];
    private readonly List<string> _problems = [];
    private readonly List<(FeedCompression Packed, string? ContentType, bool? IsText)> _forms = [];
    private readonly HeldLink _link = new();
    private readonly string _version;
    private readonly Mosquitto _broker;
    private readonly MqttClient _subscriber;
    private readonly DirectoryInfo _folder;

    private MqttCentre(Mosquitto broker, DirectoryInfo folder, string version)
    {
        _broker = broker;
        _folder = folder;
        _version = version;
        _subscriber = new MqttClient(Client("subscriber"), TimeProvider.System) { MessageReceived = OnMessage };
    }

    public override IReadOnlyList<FeedMessage> Received { get { lock (_gate) { return [.. _received]; } } }

    public override IReadOnlyList<string> Problems { get { lock (_gate) { return [.. _problems]; } } }

    /// <summary>Messages on the status topic, in order.</summary>
    public IReadOnlyList<(string Topic, string Text, bool Retained)> Statuses { get { lock (_gate) { return [.. _statuses]; } } }

    /// <summary>How each message of the feed was packed, and what was said of it.</summary>
    public IReadOnlyList<(FeedCompression Packed, string? ContentType, bool? IsText)> Forms { get { lock (_gate) { return [.. _forms]; } } }

    public static async Task<MqttCentre> StartAsync(string version, params string[] extraLines)
    {
        var folder = Directory.CreateTempSubdirectory("edgegateway-centre-");
        var acl = Path.Combine(folder.FullName, "acl");
        await File.WriteAllLinesAsync(acl, ["topic readwrite edgegateway/#", "topic deny edgegateway/v1/mine-7/gw-1/anomaly"]);
        var broker = await Mosquitto.RunAsync(new MosquittoSettings { Persistent = true, ExtraLines = [$"acl_file {acl}", .. extraLines] });
        var centre = new MqttCentre(broker, folder, version);
        _ = centre._subscriber.RunAsync(CancellationToken.None);
        Assert.True((await centre._subscriber.SubscribeAsync("edgegateway/#", MqttQos.ExactlyOnce).AsTask().WaitAsync(Until.Limit)).Granted);
        return centre;
    }

    public override IUplink Uplink(IOutbox outbox, UplinkWishes? wishes = null)
    {
        wishes ??= new UplinkWishes();
        var model = CentreUplink.Model with
        {
            Servers = [_broker.Uri.ToString()],
            Version = _version,
            InOrder = wishes.InOrder,
            BackfillBytesPerSecond = wishes.BackfillBytesPerSecond,
            Compression = wishes.Compression,
            IsExactlyOnce = wishes.ExactlyOnce,
        };
        return new MqttUplink(model, CentreUplink.Context(outbox, () => wishes.Births, wishes.Time))
        {
            Adjust = options => options with
            {
                Dial = _link.DialAsync,
                ReconnectMin = TimeSpan.FromMilliseconds(50),
                ReconnectMax = TimeSpan.FromMilliseconds(200),
                Will = options.Will! with { Delay = TimeSpan.Zero },
            },
        };
    }

    public override void HoldAnswers() => _link.HoldAnswers();

    public override void Cut() => _link.Cut();

    public override void Refuse() => _link.Refuse();

    public override void Allow() => _link.Allow();

    public override Task RestartAsync() => _broker.RestartAsync();

    /// <summary>The broker dies and forgets all sessions.</summary>
    public async Task ForgetAsync()
    {
        await _broker.KillAsync();
        File.Delete(Path.Combine(_broker.Folder, "mosquitto.db"));
        await _broker.StartAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await _subscriber.DisposeAsync();
        _broker.Dispose();
        _folder.Delete(recursive: true);
    }

    private MqttClientOptions Client(string id) => new()
    {
        Servers = [_broker.Uri],
        ClientId = id,
        Version = _version == "5" ? MqttProtocolVersion.V500 : MqttProtocolVersion.V311,
        ReconnectMin = TimeSpan.FromMilliseconds(20),
        ReconnectMax = TimeSpan.FromMilliseconds(50),
    };

    private ValueTask OnMessage(MqttMessage message, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (message.Topic.EndsWith("/status", StringComparison.Ordinal))
            {
                _statuses.Add((message.Topic, System.Text.Encoding.ASCII.GetString(message.Payload.Span), message.Retain));
            }
            else if (FeedMessage.TryParse(message.Payload.Span, out var read, out var problem))
            {
                _received.Add(read);
                _forms.Add((FeedPayload.Of(message.Payload.Span), message.Properties?.ContentType, message.Properties?.PayloadIsText));
            }
            else
            {
                _problems.Add($"{message.Topic}: {problem}");
            }
        }

        return ValueTask.CompletedTask;
    }
}
