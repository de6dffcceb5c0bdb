using System.Text;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Core.Feed;

/// <summary>The topic tree: <c>{root}/{site}/{gateway}/{stream}[/{device}]</c> and <c>{root}/{site}/{gateway}/status</c>.</summary>
public sealed class FeedTopics
{
    // MQTT 5.0, 4.7.3: a topic name has at most 65,535 bytes. Half of it is left to the levels below the gateway.
    private const int MaxBytes = 32_767;

    private readonly Dictionary<FeedStream, string> _streams;

    /// <summary>The tree of one gateway.</summary>
    /// <exception cref="ArgumentException">A level is empty, or holds a wildcard or a control character.</exception>
    public FeedTopics(string root, string site, string gateway)
    {
        ArgumentNullException.ThrowIfNull(root);
        foreach (var level in root.Split('/'))
        {
            Require(level, nameof(root));
        }

        Require(site, nameof(site));
        Require(gateway, nameof(gateway));
        if (root[0] == '$')
        {
            throw new ArgumentException("A topic that begins with $ belongs to the broker.", nameof(root));
        }

        var prefix = $"{root}/{site}/{gateway}";
        if (Encoding.UTF8.GetByteCount(prefix) > MaxBytes)
        {
            throw new ArgumentException($"The topic of a gateway has at most {MaxBytes} bytes.", nameof(root));
        }

        Status = $"{prefix}/status";
        Volatile = $"{prefix}/{VolatileEncoder.Word}";
        All = $"{prefix}/#";
        _streams = FeedHeads.Streams.ToDictionary(s => s, s => $"{prefix}/{s.Word()}");
    }

    /// <summary>Retained <c>online</c> or <c>offline</c>; the will of the connection.</summary>
    public string Status { get; }

    /// <summary>Newest values while nothing can be stored: not numbered, not retained.</summary>
    public string Volatile { get; }

    /// <summary>Filter that matches everything of this gateway.</summary>
    public string All { get; }

    /// <summary>Topic of a stream, or of a device in it.</summary>
    public string Of(FeedStream stream, string? device = null) => device is null ? _streams[stream] : $"{_streams[stream]}/{device}";

    /// <summary>Topic of a stored row.</summary>
    public string Of(OutboxRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return Of(row.Stream, row.Subtopic);
    }

    /// <summary>True when a text can be one level of a topic: not empty, no separator, no wildcard, no control or unpaired surrogate character.</summary>
    public static bool IsLevel(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        foreach (var rune in text.EnumerateRunes())
        {
            // An unpaired surrogate is enumerated as U+FFFD; nobody means that character in an id.
            if (rune.Value is '/' or '+' or '#' or 0xFFFD || Rune.IsControl(rune))
            {
                return false;
            }
        }

        return true;
    }

    private static void Require(string level, string parameter)
    {
        if (!IsLevel(level))
        {
            throw new ArgumentException($"'{level}' cannot be a level of a topic: it must not be empty or hold '/', '+', '#' or control characters.", parameter);
        }
    }
}
