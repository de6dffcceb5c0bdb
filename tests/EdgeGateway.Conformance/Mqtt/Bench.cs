using System.Threading.Channels;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>The real client, a server played by the test, a clock moved by the test, and what the client told its application.</summary>
internal sealed class Bench : IAsyncDisposable
{
    public static readonly TimeSpan Patience = Wire.Patience;

    /// <summary>Waits between attempts are whole seconds here, because the jitter is 0.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    private const string Marker = "marker";

    private readonly Channel<MqttConnected> _connected = Channel.CreateUnbounded<MqttConnected>();
    private readonly Channel<MqttDisconnected> _lost = Channel.CreateUnbounded<MqttDisconnected>();
    private readonly Channel<MqttMessage> _messages = Channel.CreateUnbounded<MqttMessage>();
    private readonly DateTimeOffset _start;

    public Bench(MqttProtocolVersion version = MqttProtocolVersion.V500, Func<MqttClientOptions, MqttClientOptions>? change = null)
    {
        Version = version;
        var options = new MqttClientOptions
        {
            Servers = [new("mqtt://server")],
            ClientId = "gw",
            Version = version,
            Dial = Broker.DialAsync,
            Jitter = () => 0,
        };
        Client = new(change?.Invoke(options) ?? options, Time)
        {
            Connected = connected => _connected.Writer.TryWrite(connected),
            Disconnected = lost => _lost.Writer.TryWrite(lost),
            MessageReceived = (message, _) =>
            {
                if (message.Topic != Marker)
                {
                    _messages.Writer.TryWrite(message);
                }

                return ValueTask.CompletedTask;
            },
        };
        _start = Time.GetUtcNow();
    }

    public MqttProtocolVersion Version { get; }

    public ManualTime Time { get; } = new();

    public Broker Broker { get; } = new();

    public MqttClient Client { get; }

    public CancellationTokenSource Cancel { get; } = new();

    public Task Running { get; private set; } = Task.CompletedTask;

    public TimeSpan Elapsed => Time.GetUtcNow() - _start;

    public void Start() => Running = Client.RunAsync(Cancel.Token);

    /// <summary>Starts the client and accepts its first connection.</summary>
    public async Task<Wire> ConnectAsync(params string[] properties)
    {
        Start();
        var wire = await Broker.NextAsync();
        await AcceptAsync(wire, false, properties);
        return wire;
    }

    /// <summary>Reads CONNECT, answers it, and gives the CONNECT.</summary>
    public async Task<string> AcceptAsync(Wire wire, bool sessionPresent, params string[] properties)
    {
        var connect = await wire.ReadAsync();
        Assert.StartsWith("10", connect, StringComparison.Ordinal);
        await wire.SendAsync(Hex.ConnAck(Version, sessionPresent, "00", properties));
        await ConnectedAsync();
        return connect;
    }

    /// <summary>Closes the server's end, lets the wait pass and accepts the next connection.</summary>
    public async Task<Wire> ReconnectAsync(Wire wire, bool sessionPresent, params string[] properties)
    {
        await wire.CloseAsync();
        await LostAsync();
        var next = await NextWireAsync();
        await AcceptAsync(next, sessionPresent, properties);
        return next;
    }

    /// <summary>Lets the wait before the next attempt pass.</summary>
    public async Task<Wire> NextWireAsync()
    {
        var next = Broker.NextAsync();
        await Time.AdvanceUntilAsync(next, Step);
        return await next;
    }

    /// <summary>Moves the clock until a packet comes.</summary>
    public async Task<string> ReadInTimeAsync(Wire wire, TimeSpan step)
    {
        var packet = wire.ReadAsync();
        await Time.AdvanceUntilAsync(packet, step);
        return await packet;
    }

    /// <summary>
    /// Proves that nothing more is on its way: the next packet is the answer to a message that is sent now, and by then the client has read all that was sent before.
    /// </summary>
    public async Task ExpectSilenceAsync(Wire wire)
    {
        await wire.SendAsync(Hex.Publish(Version, Marker, 0xFFFE, ""));
        await wire.ExpectAsync("40 02 FFFE");
    }

    /// <summary>Moves the clock by the keep alive: a ping must come, and is answered. The clock is moved on only if the client is slow to notice.</summary>
    public async Task PingAsync(Wire wire, double seconds = 30)
    {
        var packet = wire.ReadAsync();
        var start = Elapsed;
        for (var step = 0; step < 3; step++)
        {
            Time.Advance(TimeSpan.FromSeconds(seconds) / 3);
        }

        // The client does not wake for less than 10 ms.
        Time.Advance(TimeSpan.FromMilliseconds(20));
        while (await Task.WhenAny(packet, Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System)) != packet)
        {
            Time.Advance(TimeSpan.FromSeconds(seconds) / 30);
            Assert.True(Elapsed - start < TimeSpan.FromSeconds(seconds) * 1.45, "no ping came");
        }

        Assert.Equal("C000", await packet);
        await wire.SendAsync("D0 00");
        await ExpectSilenceAsync(wire);
    }

    public async Task<MqttConnected> ConnectedAsync() => await _connected.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public async Task<MqttDisconnected> LostAsync() => await _lost.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public async Task<MqttMessage> MessageAsync() => await _messages.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>Messages that came and were not asked for yet.</summary>
    public int MessagesLeft => _messages.Reader.Count;

    public Task<PublishOutcome> PublishAsync(string topic = "a", MqttQos qos = MqttQos.AtLeastOnce, bool retain = false, MqttMessageProperties? properties = null) =>
        Client.PublishAsync(topic, "x"u8.ToArray(), qos, retain, properties).AsTask();

    public async ValueTask DisposeAsync()
    {
        await Cancel.CancelAsync();
        await Running.WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Assert.False(Running.IsFaulted, Running.Exception?.ToString());
        Cancel.Dispose();
    }
}
