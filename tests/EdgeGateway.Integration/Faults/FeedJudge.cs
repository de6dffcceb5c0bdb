using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Integration.Gateway;

namespace EdgeGateway.Integration.Faults;

/// <summary>
/// The judge of the fault tests: the receiver library on everything that the broker acknowledged, and at the end <c>edgegateway verify-feed</c> on the recording of it.
/// </summary>
internal sealed class FeedJudge
{
    private readonly Lock _gate = new();
    private readonly FeedAudit _audit = new(new FeedAuditOptions { Deep = true, RememberedRecords = 1_000_000 });
    private readonly HashSet<(FeedStream Stream, long Epoch, long Sequence)> _seen = [];
    private readonly List<(FeedStream Stream, JsonElement Record)> _first = [];
    private readonly List<ReadOnlyMemory<byte>> _recording = [];

    /// <summary>Records that arrived, each once.</summary>
    public int Count { get { lock (_gate) { return _first.Count; } } }

    /// <summary>Takes a message that the broker acknowledged, or delivered.</summary>
    public void Take(string? topic, ReadOnlyMemory<byte> payload)
    {
        lock (_gate)
        {
            if (FeedPayload.Unpack(payload) is not { } plain || plain.Span is not [(byte)'{', ..])
            {
                // "online" and "offline" carry no number.
                return;
            }

            _recording.Add(plain.ToArray());
            if (_audit.Take(topic, payload, retained: false, out var message, out _) == FeedTaking.Counted)
            {
                for (var i = 0; i < message!.Records.Count; i++)
                {
                    if (_seen.Add((message.Stream, message.Epoch, message.FirstSequence + i)))
                    {
                        _first.Add((message.Stream, message.Records[i]));
                    }
                }
            }
        }
    }

    /// <summary>Records of a stream, each once, in the order of arrival.</summary>
    public IReadOnlyList<JsonElement> Of(FeedStream stream)
    {
        lock (_gate)
        {
            return [.. _first.Where(r => r.Stream == stream).Select(r => r.Record)];
        }
    }

    /// <summary>Waits until a record of a stream satisfies a condition.</summary>
    public Task HasAsync(FeedStream stream, Func<JsonElement, bool> condition, string what, Func<string> state) =>
        Until.HoldsAsync(() => Of(stream).Any(condition), what, () => $"{Verdict().Ledger}\nnewest of {stream}: {(Of(stream) is [.., var newest] ? newest : "none")}\n{state()}");

    /// <summary>Sum of the growth of a counter over all windows of a width, in the point's unit.</summary>
    public decimal Growth(string device, string point, int widthSeconds) => Of(FeedStream.Summary)
        .Where(r => r.GetProperty("device").GetString() == device && r.GetProperty("point").GetString() == point && r.GetProperty("widthSeconds").GetInt32() == widthSeconds)
        .Sum(r => r.GetProperty("delta") is { ValueKind: JsonValueKind.Number } delta ? delta.GetDecimal() : 0m);

    /// <summary>What is known now.</summary>
    public FeedVerdict Verdict()
    {
        lock (_gate)
        {
            return _audit.Verdict();
        }
    }

    /// <summary>0 unexplained gaps, 0 duplicates, order kept in each lane of each stream; and the command says so, too.</summary>
    /// <param name="state">More for the message of a failure.</param>
    /// <param name="damaged">True when the store was damaged: records may be lost then, but only those that a statement names.</param>
    public async Task ProvesAsync(Func<string> state, bool damaged = false)
    {
        var verdict = Verdict();
        var text = $"{string.Join('\n', verdict.Reasons())}\n{verdict.Ledger}\n{string.Join('\n', verdict.Findings)}\n{state()}";
        Assert.True(verdict.IsProven, text);
        Assert.True(damaged || verdict.Ledger is { Explained: 0, EpochChanges: 0 }, text);

        // Births are announced again in each session, also one that history still holds.
        Assert.True(verdict.Ledger.Streams.Where(s => s.Key.Stream != FeedStream.Birth).Sum(s => s.OutOfOrder) == 0, $"out of order\n{text}");

        var file = Path.Combine(Path.GetTempPath(), $"edgegateway-judge-{Guid.NewGuid():N}.ndjson");
        try
        {
            using (var recording = File.Create(file))
            {
                lock (_gate)
                {
                    foreach (var message in _recording)
                    {
                        recording.Write(message.Span);
                        recording.WriteByte((byte)'\n');
                    }
                }
            }

            var (code, output, errors) = await GatewayProcess.CommandAsync("verify-feed", file, "--deep");
            Assert.True(code == 0, $"verify-feed: {code}\n{output}\n{errors}\n{text}");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
