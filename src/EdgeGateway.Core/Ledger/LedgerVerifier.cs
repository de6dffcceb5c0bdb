using System.Text;

namespace EdgeGateway.Core.Ledger;

/// <summary>Where a ledger stops being what was written.</summary>
/// <param name="Record">Number of the record concerned; null for the header and the footer.</param>
/// <param name="Line">Number of its line in the file, from 1.</param>
/// <param name="What">What is wrong, one sentence for a person.</param>
public sealed record LedgerFault(long? Record, long Line, string What)
{
    /// <summary>Where and what, one line.</summary>
    public override string ToString() => $"line {Line}, {(Record is { } number ? $"record {number}" : Line == 1 ? "the header" : "the footer")}: {What}";
}

/// <summary>What is known of a ledger after its verification.</summary>
/// <param name="Header">What the header says; null when it could not be read.</param>
/// <param name="Records">Records that were found right.</param>
/// <param name="Last">Number of the last of them.</param>
/// <param name="Seals">Seals among them.</param>
/// <param name="SealedThrough">Number of the last record under a seal whose signature is valid; 0 for none.</param>
/// <param name="IsFooterSigned">True when the footer is signed, so that the records after the last seal are too.</param>
/// <param name="IsTrusted">True when every signature is of a key that was given; false when the keys are those the ledger itself names.</param>
/// <param name="Keys">Fingerprints of the keys that signed, in the order in which they came into force.</param>
/// <param name="Gaps">Gap records: what the gateway itself says may be missing.</param>
/// <param name="Fault">The first fault; null when there is none.</param>
public sealed record LedgerVerdict(
    LedgerHeader? Header, long Records, long Last, long Seals, long SealedThrough, bool IsFooterSigned, bool IsTrusted, IReadOnlyList<string> Keys, IReadOnlyList<LedgerRecord> Gaps, LedgerFault? Fault)
{
    /// <summary>Number of the signed closing that says with which link the records before this export ended; 0 when there is none, or nothing is before.</summary>
    public long ClosedBy { get; init; }

    /// <summary>Link of the last record that was found right; of the one before the first where there is none.</summary>
    public string Head { get; init; } = "";
}

/// <summary>Checks an export alone, without the gateway: form, links, numbers, roots, signatures, and that nothing is missing at its end.</summary>
/// <remarks>It stops at the first fault. Memory does not grow with the ledger.</remarks>
public sealed class LedgerVerifier
{
    // After the link and its space.
    private const int BodyStart = (2 * LedgerLink.Length) + 1;

    private readonly HashSet<string> _trusted;
    private readonly MerkleTree _day = new();
    private readonly List<string> _keys = [];
    private readonly List<LedgerRecord> _gaps = [];
    private LedgerHeader? _header;
    private byte[] _headerLink = [];
    private byte[] _link = [];
    private string _key = "";
    private long _line;
    private long _last;
    private long _records;
    private long _seals;
    private long _sealedThrough;
    private long _closedBy;
    private bool _hasSeal;
    private bool _hasFooter;
    private bool _isFooter;
    private bool _isFooterSigned;
    private LedgerFault? _fault;

    /// <summary>A verifier.</summary>
    /// <param name="trustedKeys">Public keys that may have signed (SubjectPublicKeyInfo in base64); none: those that the ledger names are taken, and the verdict says so.</param>
    public LedgerVerifier(params IEnumerable<string> trustedKeys) => _trusted = [.. trustedKeys];

    /// <summary>Called with each record that was found right.</summary>
    public Action<LedgerRecord>? Accepted { get; set; }

    /// <summary>Checks an export.</summary>
    public LedgerVerdict Verify(Stream export)
    {
        ArgumentNullException.ThrowIfNull(export);
        try
        {
            // One line late: only the last one is the footer, and a footer that cannot be read is named as that.
            ReadOnlyMemory<byte>? waiting = null;
            foreach (var text in LedgerExport.Lines(export))
            {
                if (waiting is { } line)
                {
                    Take(line, isLast: false);
                    if (_fault is not null)
                    {
                        break;
                    }
                }

                waiting = text;
            }

            if (_fault is null && waiting is { } last)
            {
                Take(last, isLast: true);
            }
        }
        catch (InvalidDataException e)
        {
            _line++;
            Fail(e.Message);
        }

        if (_fault is null && !_hasFooter)
        {
            _line++;
            _fault = new(null, _line, _line == 1 ? "the file is empty" : "the file ends before its footer: lines are missing at its end");
        }

        return new(_header, _records, _last, _seals, _sealedThrough, _isFooterSigned, _trusted.Count > 0 && _keys.TrueForAll(_trusted.Contains), [.. _keys.Select(DeviceKey.Fingerprint)], _gaps, _fault) { ClosedBy = _closedBy, Head = LedgerLink.Text(_link) };
    }

    // Whatever is wrong in the line of a record is about the record that belongs there.
    private void Fail(string what) => _fault = new(_header is null || _hasFooter || _isFooter ? null : _last + 1, _line, what);

    private void Take(ReadOnlyMemory<byte> text, bool isLast)
    {
        _line++;
        _isFooter = isLast && !(text.Length > BodyStart && text.Span[BodyStart..].StartsWith("{\"n\":"u8));
        if (_hasFooter)
        {
            Fail("there is something after the footer");
            return;
        }

        if (!LedgerLine.TryRead(text, out var line, out var linkText))
        {
            Fail("it has not the form of a line: link, space, body");
            return;
        }

        var link = LedgerLink.Of(_header is null ? LedgerLink.Start : _link, line.Body.Span);
        if (!linkText.Span.SequenceEqual(Encoding.ASCII.GetBytes(LedgerLink.Text(link))))
        {
            Fail("its link does not fit: the line, or one before it, is not what was written");
        }
        else if (_header is null)
        {
            TakeHeader(line, link);
        }
        else if (LedgerExport.ReadFooter(line.Body) is { } footer)
        {
            _hasFooter = true;
            TakeFooter(footer, line);
        }
        else
        {
            TakeRecord(line, link);
        }
    }

    private void TakeHeader(LedgerLine line, byte[] link)
    {
        var header = LedgerExport.ReadHeader(line.Body);
        if (header is null || !IsLink(header.Head) || !IsKey(header.PublicKey) || !line.Signature.IsEmpty)
        {
            Fail($"this is no export of the form {LedgerExport.SchemaName}");
        }
        else if (header.After < 0 || (header.After == 0 && header.Head != LedgerLink.Text(LedgerLink.Start)))
        {
            Fail("it does not begin where it says");
        }
        else if (_trusted.Count > 0 && !_trusted.Contains(header.PublicKey))
        {
            Fail($"it is of the key {DeviceKey.Fingerprint(header.PublicKey)}, which is none of those given");
        }
        else
        {
            (_header, _headerLink, _link, _last, _key) = (header, link, Convert.FromHexString(header.Head), header.After, header.PublicKey);
            _keys.Add(_key);
        }
    }

    private void TakeRecord(LedgerLine line, byte[] link)
    {
        LedgerRecord record;
        try
        {
            record = line.Record;
        }
        catch (InvalidDataException e)
        {
            Fail(e.Message);
            return;
        }

        var problem = record.Number != _last + 1 ? $"it has the number {record.Number}: records are missing"
            : record.Content switch
            {
                OpeningContent opening => Opening(opening),
                KeyContent key => ChangeKey(key),
                SealContent seal => Seal(seal),
                ClosingContent closing => closing.Gateway != _header!.Gateway ? "it is of another gateway" : Closing(closing),
                _ => null,
            };
        if (problem is null && record.Content.IsSigned != !line.Signature.IsEmpty)
        {
            problem = line.Signature.IsEmpty ? "its signature is missing" : "a record of this kind has no signature";
        }
        else if (problem is null && !line.Signature.IsEmpty && !DeviceKey.Verify(_key, line.Body.Span, line.Signature.Span))
        {
            problem = $"its signature is not of the key {DeviceKey.Fingerprint(_key)}";
        }

        if (problem is not null)
        {
            Fail(problem);
            return;
        }

        if (record.Content is SealContent sealedNow)
        {
            (_seals, _sealedThrough, _hasSeal) = (_seals + 1, sealedNow.Last, true);
            _day.Clear();
        }
        else
        {
            _day.Add(MerkleTree.Leaf(line.Body.Span));
        }

        if (record.Content is ClosingContent { Through: var through } && through == _header!.After)
        {
            _closedBy = record.Number;
        }

        if (record.Content is GapContent)
        {
            _gaps.Add(record);
        }

        (_link, _last, _records) = (link, record.Number, _records + 1);
        Accepted?.Invoke(record);
    }

    private string? Opening(OpeningContent opening) =>
        _last != 0 ? "only the first record opens a ledger"
        : opening.Gateway != _header!.Gateway ? $"it opens the ledger of '{opening.Gateway}', the header names '{_header.Gateway}'"
        : opening.PublicKey != _key ? "it names another key than the header"
        : null;

    private string? ChangeKey(KeyContent key)
    {
        if (!IsKey(key.PublicKey))
        {
            return "it names no key";
        }

        if (_trusted.Count > 0 && !_trusted.Contains(key.PublicKey))
        {
            return $"from here on the key {DeviceKey.Fingerprint(key.PublicKey)} signs, which is none of those given ({key.Reason})";
        }

        _key = key.PublicKey;
        _keys.Add(_key);
        return null;
    }

    private string? Seal(SealContent seal)
    {
        if (seal.Gateway != _header!.Gateway)
        {
            return "it is of another gateway";
        }

        // An export may begin in the middle of a day: the root of that day cannot be computed, its link can be compared.
        var isWhole = _hasSeal || _header.After == 0 || seal.First == _header.After + 1;
        return seal.Last != _last || seal.Head != LedgerLink.Text(_link) ? "it does not seal the records before it"
            : isWhole && (seal.First != _last - _day.Count + 1 || seal.Root != LedgerLink.Text(_day.Root())) ? "its root is not that of the records before it"
            : null;
    }

    // Where the export begins after what was closed, the closing says by which link.
    private string? Closing(ClosingContent closing) =>
        closing.Through == _header!.After && closing.Head != _header.Head ? "what was removed ends with another link than the header says" : null;

    private void TakeFooter(LedgerFooter footer, LedgerLine line)
    {
        if (footer.Records != _records || footer.Last != _last || footer.Head != LedgerLink.Text(_link) || footer.Header != LedgerLink.Text(_headerLink))
        {
            Fail("it does not say what the file holds");
        }
        else if (!line.Signature.IsEmpty && !DeviceKey.Verify(_key, line.Body.Span, line.Signature.Span))
        {
            Fail($"its signature is not of the key {DeviceKey.Fingerprint(_key)}");
        }
        else
        {
            _isFooterSigned = !line.Signature.IsEmpty;
        }
    }

    private static bool IsLink(string text) => text.Length == 2 * LedgerLink.Length && text.All(char.IsAsciiHexDigitLower);

    private static bool IsKey(string text)
    {
        Span<byte> bytes = stackalloc byte[256];
        return Convert.TryFromBase64String(text, bytes, out _);
    }
}
