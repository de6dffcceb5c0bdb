using System.Collections;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Verifying;

namespace EdgeGateway.Bench;

/// <summary>The receiver: counts what the gateway publishes.</summary>
internal sealed class Centre : IAsyncDisposable
{
    private const string Name = "bench-centre";

    private readonly MqttClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private long _messages;
    private long _bytes;
    private readonly BitArray _seen;
    private long _records;
    private long _distinct;
    private long _firstNew;
    private long _lastNew;

    /// <param name="broker">Where to listen.</param>
    /// <param name="filter">What to listen to.</param>
    /// <param name="expected">Of the stream that is listened to, records 1 to this are counted once each in <see cref="Distinct"/>; 0 when nobody asks.</param>
    /// <param name="keepSession">The broker keeps what comes while this receiver is away, and gives it to the next one.</param>
    /// <param name="received">Is shown each message too; null for nobody.</param>
    public Centre(Uri broker, string filter = "#", int expected = 0, bool keepSession = false, Action<MqttMessage>? received = null)
    {
        _seen = new BitArray(expected + 1);
        _client = new MqttClient(
            new MqttClientOptions { Servers = [broker], ClientId = Name, CleanStart = !keepSession, SessionStore = keepSession ? new BrokerSession(broker, Name) : null }, TimeProvider.System)
        {
            MessageReceived = (message, _) =>
            {
                var count = Number(message.Payload.Span, "\"count\":"u8);
                Interlocked.Increment(ref _messages);
                Interlocked.Add(ref _bytes, message.Payload.Length);
                Interlocked.Add(ref _records, count);
                Mark(Number(message.Payload.Span, "\"seq\":"u8), count);
                received?.Invoke(message);
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

    /// <summary>Records among the expected ones that have arrived at least once.</summary>
    public long Distinct => Interlocked.Read(ref _distinct);

    /// <summary>When the first of them arrived; a timestamp of <see cref="TimeProvider.System"/>, 0 before.</summary>
    public long FirstNew => Interlocked.Read(ref _firstNew);

    /// <summary>When the last of them arrived that had not before; likewise.</summary>
    public long LastNew => Interlocked.Read(ref _lastNew);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _client.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    // Messages come one at a time. The times before the count: whoever sees the count looks at them.
    private void Mark(long first, long count)
    {
        var isNew = false;
        for (var sequence = first; sequence < first + count && sequence < _seen.Length; sequence++)
        {
            if (_seen[(int)sequence])
            {
                continue;
            }

            _seen[(int)sequence] = true;
            if (!isNew)
            {
                isNew = true;
                var now = TimeProvider.System.GetTimestamp();
                Interlocked.CompareExchange(ref _firstNew, now, 0);
                Interlocked.Exchange(ref _lastNew, now);
            }

            Interlocked.Increment(ref _distinct);
        }
    }

    // The numbers stand in the first bytes of each message; parsing the whole would make the receiver the slowest part.
    private static long Number(ReadOnlySpan<byte> message, ReadOnlySpan<byte> name)
    {
        var at = message[..Math.Min(message.Length, 512)].IndexOf(name);
        return at >= 0 && System.Buffers.Text.Utf8Parser.TryParse(message[(at + name.Length)..], out long value, out _) ? value : 0;
    }
}
