using System.Buffers;

namespace EdgeGateway.Core.Ledger;

/// <summary>Lines that are to be stored together.</summary>
/// <param name="First">Number of the first record.</param>
/// <param name="Last">Number of the last one.</param>
/// <param name="Before">Link before the first record.</param>
/// <param name="Lines">The lines, without links: <see cref="LedgerLine.Split"/>.</param>
/// <param name="Time">Gateway time at which they were appended.</param>
/// <param name="SealedFrom">For a seal, which is alone in its row: number of the first record under it; 0 otherwise.</param>
public sealed record LedgerRow(long First, long Last, ReadOnlyMemory<byte> Before, ReadOnlyMemory<byte> Lines, Instant Time, long SealedFrom);

/// <summary>Where a chain stands.</summary>
/// <param name="Next">Number of the next record, from 1.</param>
/// <param name="Head">Link of the last one.</param>
public sealed record LedgerHead(long Next, ReadOnlyMemory<byte> Head)
{
    /// <summary>Before the first record.</summary>
    public static LedgerHead Start { get; } = new(1, LedgerLink.Start.ToArray());
}

/// <summary>Appends records: numbers them, links them, and seals each day (UTC) with a signed Merkle root.</summary>
/// <remarks>
/// The same contents at the same times give the same bodies and links. Signatures differ each time they are made (ECDSA takes a random number), which is why they
/// stand beside the bodies and are no part of the links.
/// </remarks>
public sealed class LedgerChain
{
    /// <summary>Most records under one seal: a proof of one needs all of its day.</summary>
    public const int MostInSeal = 10_000;

    private const long DayMs = 86_400_000;

    private readonly string _gateway;
    private readonly DeviceKey _key;
    private readonly MerkleTree _tree = new();
    private readonly ArrayBufferWriter<byte> _body = new(1024);
    private readonly ArrayBufferWriter<byte> _lines = new(4096);
    private readonly List<LedgerRow> _rows = [];
    private byte[] _link;
    private byte[] _linkBeforeRow;
    private long _firstOfRow;
    private long _firstOfDay;
    private long _day;
    private Instant _time;

    /// <summary>A chain that goes on at <paramref name="head"/>.</summary>
    /// <param name="gateway">Id of the gateway.</param>
    /// <param name="key">The device key.</param>
    /// <param name="head">Where the chain stands.</param>
    /// <param name="open">The records after the last seal, in order.</param>
    public LedgerChain(string gateway, DeviceKey key, LedgerHead head, IEnumerable<LedgerLine> open)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(head);
        ArgumentNullException.ThrowIfNull(open);
        (_gateway, _key, Next) = (gateway, key, head.Next);
        _link = head.Head.ToArray();
        _linkBeforeRow = _link;
        _firstOfRow = Next;
        foreach (var line in open)
        {
            if (_tree.Count == 0)
            {
                var first = line.Record;
                (_firstOfDay, _day) = (first.Number, DayOf(first.Time));
            }

            _tree.Add(MerkleTree.Leaf(line.Body.Span));
        }
    }

    /// <summary>Number of the next record.</summary>
    public long Next { get; private set; }

    /// <summary>Link of the last record.</summary>
    public ReadOnlyMemory<byte> Head => _link;

    /// <summary>The last seal that was appended; null before the first.</summary>
    public SealContent? LastSeal { get; private set; }

    /// <summary>Appends a record; before it the seal of the day before, when that is due.</summary>
    /// <param name="now">Gateway time.</param>
    /// <param name="content">What it says.</param>
    /// <returns>True when a seal was due.</returns>
    public bool Append(Instant now, LedgerContent content)
    {
        var hasSealed = SealIfDue(now);
        _time = now;
        if (_tree.Count == 0)
        {
            (_firstOfDay, _day) = (Next, DayOf(now));
        }

        var body = Write(now, content);
        _tree.Add(MerkleTree.Leaf(body));
        return hasSealed;
    }

    /// <summary>Seals the records since the last seal when another day has begun, backwards too, or they are too many for one.</summary>
    /// <returns>True when it did.</returns>
    public bool SealIfDue(Instant now)
    {
        if (_tree.Count == 0 || (DayOf(now) == _day && _tree.Count < MostInSeal))
        {
            return false;
        }

        EndRow();
        _time = now;
        LastSeal = new SealContent(_gateway, new(_day * DayMs), _firstOfDay, Next - 1, LedgerLink.Text(_tree.Root()), LedgerLink.Text(_link));
        _ = Write(now, LastSeal);
        _tree.Clear();
        EndRow(sealedFrom: LastSeal.First);
        return true;
    }

    /// <summary>What was appended since the last call, in rows for the store.</summary>
    public IReadOnlyList<LedgerRow> TakeRows()
    {
        EndRow();
        LedgerRow[] rows = [.. _rows];
        _rows.Clear();
        return rows;
    }

    private static long DayOf(Instant time) => Math.DivRem(time.UnixMilliseconds, DayMs, out var rest) - (rest < 0 ? 1 : 0);

    private ReadOnlySpan<byte> Write(Instant now, LedgerContent content)
    {
        _body.ResetWrittenCount();
        LedgerJson.Write(new(Next, now, content), _body);
        var body = _body.WrittenMemory;
        _link = LedgerLink.Of(_link, body.Span);
        new LedgerLine(body, content.IsSigned ? _key.Sign(body.Span) : default).Write([], _lines);
        Next++;
        return body.Span;
    }

    private void EndRow(long sealedFrom = 0)
    {
        if (_lines.WrittenCount > 0)
        {
            _rows.Add(new(_firstOfRow, Next - 1, _linkBeforeRow, _lines.WrittenSpan.ToArray(), _time, sealedFrom));
            _lines.ResetWrittenCount();
        }

        (_firstOfRow, _linkBeforeRow) = (Next, _link);
    }
}
