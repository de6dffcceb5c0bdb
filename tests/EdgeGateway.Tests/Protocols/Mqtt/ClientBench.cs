using System.Threading.Channels;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Mqtt.Packets;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Protocols.Mqtt;

/// <summary>A client, its clock, its server and what it reported.</summary>
internal sealed class ClientBench : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    private readonly Channel<MqttConnected> _connected = Channel.CreateUnbounded<MqttConnected>();
    private readonly Channel<MqttDisconnected> _lost = Channel.CreateUnbounded<MqttDisconnected>();
    private readonly DateTimeOffset _start;

    public ClientBench(MqttProtocolVersion version = MqttProtocolVersion.V500, Func<MqttClientOptions, MqttClientOptions>? change = null)
    {
        Server = new(version);
        var options = new MqttClientOptions
        {
            Servers = [new("mqtt://server")],
            ClientId = "gw",
            Version = version,
            Dial = Server.DialAsync,
            Jitter = () => 0,
        };
        Client = new(change?.Invoke(options) ?? options, Time)
        {
            Connected = connected => _connected.Writer.TryWrite(connected),
            Disconnected = lost => _lost.Writer.TryWrite(lost),
        };
        _start = Time.GetUtcNow();
    }

    public ManualTime Time { get; } = new();

    public ScriptedServer Server { get; }

    public MqttClient Client { get; }

    public CancellationTokenSource Cancel { get; } = new();

    public Task Running { get; private set; } = Task.CompletedTask;

    public TimeSpan Elapsed => Time.GetUtcNow() - _start;

    public void Start() => Running = Client.RunAsync(Cancel.Token);

    public async Task<ScriptedPeer> ConnectAsync(MqttProperties? properties = null, bool sessionPresent = false)
    {
        Start();
        var peer = await Server.NextAsync();
        await peer.AcceptAsync(sessionPresent, properties);
        await ConnectedAsync();
        return peer;
    }

    /// <summary>Lets the wait before the reconnect pass.</summary>
    public async Task<ScriptedPeer> NextPeerAsync()
    {
        var next = Server.NextAsync();
        await Time.AdvanceUntilAsync(next, Step);
        return await next;
    }

    public async Task<MqttConnected> ConnectedAsync() => await _connected.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public async Task<MqttDisconnected> LostAsync() => await _lost.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        await Cancel.CancelAsync();
        await Running.WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Assert.False(Running.IsFaulted, Running.Exception?.ToString());
        Cancel.Dispose();
    }
}
