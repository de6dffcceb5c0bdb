using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace EdgeGateway.Core.Feed;

/// <summary>
/// Compares what records say, beside their numbers: finds a number that came again with other contents and, where asked, a record that was
/// doubled under another sequence number. Keeps an entry for each of the newest records (about 250 bytes with identities, 120 without).
/// </summary>
/// <param name="capacity">Most records that are remembered; the oldest is forgotten first.</param>
/// <param name="identities">True to look for records under a second number.</param>
/// <remarks>Samples carry no clock era; where a clock was set back, the same point and instant can rightly appear twice.</remarks>
public sealed class RecordLedger(int capacity = int.MaxValue, bool identities = true)
{
    private readonly Dictionary<(string Gateway, FeedStream Stream, long Epoch), int> _rows = [];
    private readonly List<long> _epochs = [];
    private readonly Dictionary<(string Gateway, FeedStream Stream), int> _streams = [];
    private readonly Dictionary<(int Row, long Sequence), ulong> _contents = [];
    private readonly Dictionary<(int Stream, UInt128 Identity), (int Row, long Sequence)> _identities = [];
    private readonly Queue<(int Row, long Sequence, int Stream, UInt128? Identity)> _order = [];
    private readonly List<string> _findings = [];

    /// <summary>Records met under two sequence numbers.</summary>
    public long Duplicated { get; private set; }

    /// <summary>Sequence numbers that came again with other contents.</summary>
    public long Changed { get; private set; }

    /// <summary>Records that were forgotten: what came again of them, or under another number, would not be noticed.</summary>
    public long Forgotten { get; private set; }

    /// <summary>The first hundred findings, for a person.</summary>
    public IReadOnlyList<string> Findings => _findings;

    /// <summary>Notes the records of a message.</summary>
    public void Observe(FeedMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_rows.Count >= SequenceLedger.MaxEpochs)
        {
            // As many streams as nobody has: begin anew rather than grow.
            Forgotten += _contents.Count;
            _rows.Clear();
            _epochs.Clear();
            _streams.Clear();
            _contents.Clear();
            _identities.Clear();
            _order.Clear();
        }

        var gateway = $"{message.Site}/{message.Gateway}";
        var row = Row(gateway, message);
        var stream = Stream(gateway, message);
        for (var i = 0; i < message.Records.Count; i++)
        {
            var sequence = message.FirstSequence + i;
            var content = Hash(JsonMarshal.GetRawUtf8Value(message.Records[i]));
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_contents, (row, sequence), out var again);
            if (again)
            {
                if (known != content)
                {
                    Changed++;
                    Find($"{gateway}/{message.Stream.Word()} epoch {message.Epoch} sequence {sequence} came again with other contents");
                }

                continue;
            }

            known = content;
            UInt128? mark = null;
            if (identities && Identity(message.Stream, message.Records[i]) is { } identity)
            {
                var hash = Mark(identity);
                if (_identities.TryAdd((stream, hash), (row, sequence)))
                {
                    mark = hash;
                }
                else
                {
                    Duplicated++;
                    var first = _identities[(stream, hash)];
                    Find($"{gateway}/{message.Stream.Word()} {identity}: epoch {_epochs[first.Row]} sequence {first.Sequence} and epoch {message.Epoch} sequence {sequence}");
                }
            }

            Remember(row, sequence, stream, mark);
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
            FeedStream.Cems => ["kind", "device", "start", "era", "cut", "revision"],
            _ => [],
        };
        if (fields.IsEmpty || record.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var identity = "";
        foreach (var name in fields)
        {
            if (!TryField(record, name, out var field))
            {
                return null;
            }

            identity += $"{(identity.Length == 0 ? "" : " ")}{field.GetRawText()}";
        }

        if (stream == FeedStream.Emission)
        {
            // Entries of areas name no device; a stack's hour may be restated, each time with a higher revision.
            identity += TryField(record, "area", out var area) ? $" {area.GetRawText()}" : "";
            identity += TryField(record, "stack", out var stack) && stack.ValueKind == JsonValueKind.Object && TryField(stack, "revision", out var revision) ? $" {revision.GetRawText()}" : "";
        }

        return identity;
    }

    private static bool TryField(JsonElement record, string name, out JsonElement field)
    {
        try
        {
            return record.TryGetProperty(name, out field);
        }
        catch (InvalidOperationException)
        {
            // A name beside it has an escaped half of a character pair: valid JSON, and no name.
            field = default;
            return false;
        }
    }

    private int Row(string gateway, FeedMessage message)
    {
        if (!_rows.TryGetValue((gateway, message.Stream, message.Epoch), out var row))
        {
            _rows.Add((gateway, message.Stream, message.Epoch), row = _rows.Count);
            _epochs.Add(message.Epoch);
        }

        return row;
    }

    private int Stream(string gateway, FeedMessage message)
    {
        if (!_streams.TryGetValue((gateway, message.Stream), out var stream))
        {
            _streams.Add((gateway, message.Stream), stream = _streams.Count);
        }

        return stream;
    }

    private void Remember(int row, long sequence, int stream, UInt128? mark)
    {
        if (capacity == int.MaxValue)
        {
            return;
        }

        _order.Enqueue((row, sequence, stream, mark));
        if (_order.Count > capacity)
        {
            var oldest = _order.Dequeue();
            _contents.Remove((oldest.Row, oldest.Sequence));
            if (oldest.Identity is { } identity)
            {
                _identities.Remove((oldest.Stream, identity));
            }

            Forgotten++;
        }
    }

    private void Find(string finding)
    {
        if (_findings.Count < 100)
        {
            _findings.Add(finding.Length <= 400 ? finding : finding[..400]);
        }
    }

    private static UInt128 Mark(string identity)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(identity), hash);
        return MemoryMarshal.Read<UInt128>(hash);
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
