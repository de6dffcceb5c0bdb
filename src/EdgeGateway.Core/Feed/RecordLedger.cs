using System.Runtime.InteropServices;
using System.Text.Json;

namespace EdgeGateway.Core.Feed;

/// <summary>
/// Compares what records say, beside their numbers: finds a record that was doubled under another sequence number, and a number that
/// came again with other contents. Keeps an entry for each record: meant for tests, demonstrations and audits of a limited span.
/// </summary>
/// <remarks>Samples carry no clock era; where a clock was set back, the same point and instant can rightly appear twice.</remarks>
public sealed class RecordLedger
{
    private readonly Dictionary<(string Gateway, FeedStream Stream, string Identity), (long Epoch, long Sequence)> _identities = [];
    private readonly Dictionary<(string Gateway, FeedStream Stream, long Epoch, long Sequence), ulong> _contents = [];
    private readonly List<string> _findings = [];

    /// <summary>Records met under two sequence numbers.</summary>
    public long Duplicated { get; private set; }

    /// <summary>Sequence numbers that came again with other contents.</summary>
    public long Changed { get; private set; }

    /// <summary>The first hundred findings, for a person.</summary>
    public IReadOnlyList<string> Findings => _findings;

    /// <summary>Notes the records of a message.</summary>
    public void Observe(FeedMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var gateway = $"{message.Site}/{message.Gateway}";
        for (var i = 0; i < message.Records.Count; i++)
        {
            var sequence = message.FirstSequence + i;
            var content = Hash(JsonMarshal.GetRawUtf8Value(message.Records[i]));
            var number = (gateway, message.Stream, message.Epoch, sequence);
            if (!_contents.TryAdd(number, content))
            {
                if (_contents[number] != content)
                {
                    Changed++;
                    Find($"{gateway}/{message.Stream.Word()} epoch {message.Epoch} sequence {sequence} came again with other contents");
                }

                continue;
            }

            if (Identity(message.Stream, message.Records[i]) is { } identity
                && !_identities.TryAdd((gateway, message.Stream, identity), (message.Epoch, sequence)))
            {
                Duplicated++;
                var first = _identities[(gateway, message.Stream, identity)];
                Find($"{gateway}/{message.Stream.Word()} {identity}: epoch {first.Epoch} sequence {first.Sequence} and epoch {message.Epoch} sequence {sequence}");
            }
        }
    }

    /// <summary>What makes a record itself, whatever its number; null for streams whose records may repeat (birth, health, range).</summary>
    public static string? Identity(FeedStream stream, JsonElement record)
    {
        ReadOnlySpan<string> fields = stream switch
        {
            FeedStream.Summary => ["device", "point", "start", "widthSeconds", "era", "cut"],
            FeedStream.Emission => ["account", "device", "method", "start", "widthSeconds", "era", "cut"],
            FeedStream.Anomaly => ["device", "point", "detector", "since", "raised", "time"],
            FeedStream.State => ["device", "time", "online"],
            FeedStream.Sample => ["device", "point", "time"],
            _ => [],
        };
        if (fields.IsEmpty || record.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var identity = "";
        foreach (var name in fields)
        {
            if (!record.TryGetProperty(name, out var field))
            {
                return null;
            }

            identity += $"{(identity.Length == 0 ? "" : " ")}{field.GetRawText()}";
        }

        return identity;
    }

    private void Find(string finding)
    {
        if (_findings.Count < 100)
        {
            _findings.Add(finding);
        }
    }

    // FNV-1a, 64 bit: enough to notice that contents differ; not a defence against forgery.
    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in bytes)
        {
            hash = unchecked((hash ^ b) * 1099511628211UL);
        }

        return hash;
    }
}
