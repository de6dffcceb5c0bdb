using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Bench;

/// <summary>The receiver: counts what the gateway publishes.</summary>
internal sealed class Centre : IAsyncDisposable
{
    private readonly MqttClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private long _messages;
    private long _bytes;
    private long _records;

    /// <param name="broker">Where to listen.</param>
    /// <param name="filter">What to listen to.</param>
    public Centre(Uri broker, string filter = "#")
    {
        _client = new MqttClient(new MqttClientOptions { Servers = [broker], ClientId = "bench-centre", CleanStart = true }, TimeProvider.System)
        {
            MessageReceived = (message, _) =>
            {
                Interlocked.Increment(ref _messages);
                Interlocked.Add(ref _bytes, message.Payload.Length);
                Interlocked.Add(ref _records, CountOf(message.Payload.Span));
                return ValueTask.CompletedTask;
            },
        };
        _running = _client.RunAsync(_stop.Token);
        Subscribed = _client.SubscribeAsync(filter).AsTask();
    }

    public Task Subscribed { get; }

    public (long Messages, long Bytes) Total => (Interlocked.Read(ref _messages), Interlocked.Read(ref _bytes));

    /// <summary>Records in the messages received, as their envelopes say.</summary>
    public long Records => Interlocked.Read(ref _records);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _client.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    // The count stands in the first bytes of each message; parsing the whole would make the receiver the slowest part.
    private static long CountOf(ReadOnlySpan<byte> message)
    {
        var name = "\"count\":"u8;
        var at = message[..Math.Min(message.Length, 512)].IndexOf(name);
        return at >= 0 && System.Buffers.Text.Utf8Parser.TryParse(message[(at + name.Length)..], out long count, out _) ? count : 0;
    }
}
