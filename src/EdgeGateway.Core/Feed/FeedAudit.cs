using System.Text.Json;

namespace EdgeGateway.Core.Feed;

/// <summary>What an audit looks at.</summary>
public sealed record FeedAuditOptions
{
    /// <summary>From where on everything is expected.</summary>
    public LedgerStart Start { get; init; }

    /// <summary>True to look for records under a second number, too: compares what the records say.</summary>
    public bool Deep { get; init; }

    /// <summary>The newest records of which the contents are remembered (about 120 bytes each, 250 with <see cref="Deep"/>).</summary>
    public int RememberedRecords { get; init; } = 100_000;

    /// <summary>
    /// True to make the order of first deliveries part of the proof. A broker may refuse a message for the moment; it then comes later and
    /// out of order, rightly, unless the uplink is <c>inOrder</c>.
    /// </summary>
    public bool RequireOrder { get; init; }
}

/// <summary>What an audit made of a message.</summary>
public enum FeedTaking
{
    /// <summary>Its records are counted.</summary>
    Counted,

    /// <summary>Not a numbered message of a stream that this reader knows: the status, or something that a later version has added.</summary>
    Skipped,

    /// <summary>It should have been one and cannot be read.</summary>
    Unreadable,
}

/// <summary>
/// The receiver in one object: give it everything that the broker delivers, ask it for the <see cref="Verdict"/>. Proves from the feed alone
/// that nothing is missing without explanation and nothing is doubled. Its memory depends on the number of gaps, never on that of the records,
/// and is bounded. No input makes it throw. Not thread-safe.
/// </summary>
/// <remarks>How it judges is written down in <c>docs/feed/README.md</c>, "Proving completeness"; the same in Python stands beside it.</remarks>
public sealed class FeedAudit
{
    private const int MaxFindings = 100;
    private const int MaxFindingLength = 400;

    // Names are levels of a topic and configured by people; what is longer is not a name.
    private const int MaxNameLength = 1_000;

    private readonly FeedAuditOptions _options;
    private readonly SequenceLedger _ledger;
    private readonly RecordLedger _records;
    private readonly List<string> _findings = [];
    private long _messages;
    private long _unreadable;
    private long _skipped;
    private long _duplicatedBefore;
    private long _changedBefore;

    /// <summary>An audit that has seen nothing.</summary>
    public FeedAudit(FeedAuditOptions? options = null)
        : this(options ?? new FeedAuditOptions(), null)
    {
    }

    private FeedAudit(FeedAuditOptions options, SequenceLedger? ledger)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.RememberedRecords);
        _options = options;
        _ledger = ledger ?? new SequenceLedger(options.Start);
        _records = new RecordLedger(options.RememberedRecords, options.Deep);
    }

    /// <summary>Messages given so far, of every kind.</summary>
    public long Messages => _messages;

    /// <summary>Takes a message as it came.</summary>
    /// <param name="topic">Where it was published; null when that is not known any more.</param>
    /// <param name="payload">Its content, compressed or not (<see cref="FeedPayload"/>).</param>
    /// <param name="retained">True when the broker delivered it from its retained store.</param>
    /// <returns>What was made of it.</returns>
    public FeedTaking Take(string? topic, ReadOnlyMemory<byte> payload, bool retained) => Take(topic, payload, retained, out _, out _);

    /// <summary>Takes a message as it came, and hands it on as it was read.</summary>
    /// <param name="topic">Where it was published; null when that is not known any more.</param>
    /// <param name="payload">Its content, compressed or not (<see cref="FeedPayload"/>).</param>
    /// <param name="retained">True when the broker delivered it from its retained store.</param>
    /// <param name="message">The message when it was counted, else null.</param>
    /// <param name="added">How many of its records are new; the others came before.</param>
    /// <returns>What was made of it.</returns>
    public FeedTaking Take(string? topic, ReadOnlyMemory<byte> payload, bool retained, out FeedMessage? message, out long added)
    {
        _messages++;
        added = 0;
        message = null;
        if (topic is not null && topic.EndsWith("/status", StringComparison.Ordinal))
        {
            _skipped++;
            return FeedTaking.Skipped;
        }

        if (!FeedMessage.TryParse(payload.Span, out var read, out var problem, out var skip))
        {
            return skip ? Skip() : Refuse(topic, problem);
        }

        if (read.Site.Length > MaxNameLength || read.Gateway.Length > MaxNameLength)
        {
            return Refuse(topic, $"the name of the site or the gateway has more than {MaxNameLength} characters");
        }

        if (topic is not null && !Belongs(topic, read))
        {
            return Refuse(topic, $"it says that it is of {read.Site}/{read.Gateway}/{read.Stream.Word()}, which is another topic");
        }

        message = read;
        added = _ledger.Observe(read, retained);
        _records.Observe(read);
        return FeedTaking.Counted;
    }

    /// <summary>Notes something that kept a message from being given to this audit, such as a line of a file that is cut off.</summary>
    public void NoteUnreadable(string what)
    {
        _messages++;
        Refuse(null, what);
    }

    /// <summary>What is known now. The audit can go on afterwards.</summary>
    public FeedVerdict Verdict() => new()
    {
        Ledger = _ledger.Report() with { Duplicated = _duplicatedBefore + _records.Duplicated },
        Messages = _messages,
        Unreadable = _unreadable,
        Skipped = _skipped,
        Changed = _changedBefore + _records.Changed,
        Deep = _options.Deep,
        Forgotten = _records.Forgotten,
        OrderRequired = _options.RequireOrder,
        Findings = [.. _findings.Concat(_records.Findings).Take(MaxFindings)],
    };

    /// <summary>
    /// Everything needed to go on in another process, as JSON. The contents of records are not in it: what comes again after the restart is
    /// compared with what came after the restart.
    /// </summary>
    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(
        new FeedAuditState
        {
            Version = FeedAuditState.CurrentVersion,
            Messages = _messages,
            Unreadable = _unreadable,
            Skipped = _skipped,
            Duplicated = _duplicatedBefore + _records.Duplicated,
            Changed = _changedBefore + _records.Changed,
            Findings = [.. _findings.Concat(_records.Findings).Take(MaxFindings)],
            Ledger = _ledger.Save(),
        },
        FeedAuditJson.Default.FeedAuditState);

    /// <summary>Goes on where <see cref="Save"/> was called. Where the audit began stays as it was, whatever the options say.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a state of an audit, or of a version that this program does not know.</exception>
    public static FeedAudit Restore(ReadOnlySpan<byte> state, FeedAuditOptions? options = null)
    {
        FeedAuditState saved;
        try
        {
            saved = JsonSerializer.Deserialize(state, FeedAuditJson.Default.FeedAuditState) ?? throw new InvalidDataException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"It is not the state of an audit: {e.Message}", e);
        }

        if (saved.Version != FeedAuditState.CurrentVersion)
        {
            throw new InvalidDataException($"It has version {saved.Version}; this program reads version {FeedAuditState.CurrentVersion}.");
        }

        var audit = new FeedAudit(options ?? new FeedAuditOptions(), SequenceLedger.Restore(saved.Ledger))
        {
            _messages = saved.Messages,
            _unreadable = saved.Unreadable,
            _skipped = saved.Skipped,
            _duplicatedBefore = saved.Duplicated,
            _changedBefore = saved.Changed,
        };
        audit._findings.AddRange(saved.Findings.Take(MaxFindings));
        return audit;
    }

    private FeedTaking Skip()
    {
        _skipped++;
        return FeedTaking.Skipped;
    }

    private FeedTaking Refuse(string? topic, string problem)
    {
        _unreadable++;
        if (_findings.Count < MaxFindings)
        {
            var finding = topic is null ? $"unreadable: {problem}" : $"unreadable on '{topic}': {problem}";
            _findings.Add(finding.Length <= MaxFindingLength ? finding : finding[..MaxFindingLength]);
        }

        return FeedTaking.Unreadable;
    }

    /// <summary>True when the topic ends in the names of the message, with or without a device behind them; what stands before is the centre's affair.</summary>
    private static bool Belongs(string topic, FeedMessage message)
    {
        var tail = $"/{message.Site}/{message.Gateway}/{message.Stream.Word()}";
        if (topic.EndsWith(tail, StringComparison.Ordinal))
        {
            return true;
        }

        var device = topic.LastIndexOf('/');
        return device > 0 && topic.AsSpan(0, device).EndsWith(tail, StringComparison.Ordinal);
    }
}
