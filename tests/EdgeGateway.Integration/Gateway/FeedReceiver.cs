using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Integration.Gateway;

/// <summary>
/// The centre: a subscriber whose session the broker keeps, that proves from the feed alone that nothing is missing and nothing doubled.
/// </summary>
internal sealed class FeedReceiver : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly FeedAudit _audit = new(new FeedAuditOptions { Deep = true, RememberedRecords = 1_000_000 });
    private readonly HashSet<(FeedStream Stream, long Epoch, long Sequence)> _seen = [];
    private readonly List<(FeedStream Stream, long Epoch, long Sequence, JsonElement Record)> _first = [];
    private readonly List<(string Text, bool Retained)> _statuses = [];
    private readonly List<JsonElement> _volatile = [];
    private readonly MqttClient _client;

    private FeedReceiver(int port) => _client = new MqttClient(
        new MqttClientOptions
        {
            Servers = [new Uri($"mqtt://127.0.0.1:{port}")],
            ClientId = "centre",
            SessionExpiry = TimeSpan.FromDays(1),
            ReconnectMin = TimeSpan.FromMilliseconds(50),
            ReconnectMax = TimeSpan.FromMilliseconds(500),
        },
        TimeProvider.System)
    { MessageReceived = OnMessage };

    /// <summary>Records that arrived, again or not, in the order of their first arrival.</summary>
    public int Count { get { lock (_gate) { return _first.Count; } } }

    /// <summary>The last word on the status topic.</summary>
    public string? Status { get { lock (_gate) { return _statuses.Count == 0 ? null : _statuses[^1].Text; } } }

    public static async Task<FeedReceiver> SubscribeAsync(Mosquitto broker)
    {
        var receiver = new FeedReceiver(broker.Port);
        _ = receiver._client.RunAsync(CancellationToken.None);
        Assert.True((await receiver._client.SubscribeAsync("edgegateway/#").AsTask().WaitAsync(Until.Limit)).Granted);
        return receiver;
    }

    /// <summary>Records of a stream, each once, in the order of arrival.</summary>
    public IReadOnlyList<JsonElement> Of(FeedStream stream)
    {
        lock (_gate)
        {
            return [.. _first.Where(r => r.Stream == stream).Select(r => r.Record)];
        }
    }

    /// <summary>Messages with values that were not stored, in the order of arrival.</summary>
    public IReadOnlyList<JsonElement> Volatile { get { lock (_gate) { return [.. _volatile]; } } }

    /// <summary>Records of a stream, each once, in the order of their numbers: what waited for the connection leaves in a lane of its own, and may arrive after newer ones.</summary>
    public IReadOnlyList<JsonElement> InOrder(FeedStream stream)
    {
        lock (_gate)
        {
            return [.. _first.Where(r => r.Stream == stream).OrderBy(r => (r.Epoch, r.Sequence)).Select(r => r.Record)];
        }
    }

    /// <summary>Records of a stream about one device.</summary>
    public IReadOnlyList<JsonElement> Of(FeedStream stream, string device) =>
        [.. Of(stream).Where(r => r.GetProperty("device").GetString() == device)];

    /// <summary>Waits until a record of a stream satisfies a condition.</summary>
    public async Task<JsonElement> GetAsync(FeedStream stream, Func<JsonElement, bool> condition, string what, Func<string>? state = null)
    {
        JsonElement found = default;
        await Until.HoldsAsync(
            () =>
            {
                found = Of(stream).FirstOrDefault(condition);
                return found.ValueKind != JsonValueKind.Undefined;
            },
            what,
            () => $"{Report()}\nnewest of {stream}: {(Of(stream) is [.., var newest] ? newest : "none")}\n{state?.Invoke()}");
        return found;
    }

    /// <summary>What is missing and what is doubled.</summary>
    public LedgerReport Report()
    {
        lock (_gate)
        {
            return _audit.Verdict().Ledger;
        }
    }

    /// <summary>Newest sequence number that arrived, by stream; one epoch is expected.</summary>
    public IReadOnlyDictionary<FeedStream, long> Last()
    {
        lock (_gate)
        {
            return _seen.GroupBy(s => s.Stream).ToDictionary(g => g.Key, g => g.Max(s => s.Sequence));
        }
    }

    /// <summary>Nothing missing, nothing doubled, nothing changed, nothing unreadable, one epoch.</summary>
    public void IsComplete(Func<string>? state = null)
    {
        lock (_gate)
        {
            var verdict = _audit.Verdict();
            Assert.True(
                verdict.IsProven && verdict.Ledger is { Explained: 0, EpochChanges: 0 },
                $"{string.Join('\n', verdict.Reasons())}\n{verdict.Ledger}\n{string.Join('\n', verdict.Findings)}\n{state?.Invoke()}");
        }
    }

    /// <summary>Sum of the growth of a counter over all windows of a width, in the point's unit.</summary>
    public decimal Growth(string device, string point, int widthSeconds) => Of(FeedStream.Summary, device)
        .Where(r => r.GetProperty("point").GetString() == point && r.GetProperty("widthSeconds").GetInt32() == widthSeconds)
        .Sum(r => r.GetProperty("delta") is { ValueKind: JsonValueKind.Number } delta ? delta.GetDecimal() : 0m);

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private ValueTask OnMessage(MqttMessage message, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (message.Topic.EndsWith("/status", StringComparison.Ordinal))
            {
                _statuses.Add((System.Text.Encoding.ASCII.GetString(message.Payload.Span), message.Retain));
            }
            else if (message.Topic.EndsWith("/volatile", StringComparison.Ordinal))
            {
                _volatile.Add(JsonDocument.Parse(message.Payload).RootElement.Clone());
            }
            else if (_audit.Take(message.Topic, message.Payload, message.Retain, out var read, out _) == FeedTaking.Counted)
            {
                for (var i = 0; i < read!.Records.Count; i++)
                {
                    if (_seen.Add((read.Stream, read.Epoch, read.FirstSequence + i)))
                    {
                        _first.Add((read.Stream, read.Epoch, read.FirstSequence + i, read.Records[i]));
                    }
                }
            }
        }

        return ValueTask.CompletedTask;
    }
}
