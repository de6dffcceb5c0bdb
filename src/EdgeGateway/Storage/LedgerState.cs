using EdgeGateway.Core;
using EdgeGateway.Core.Ledger;

namespace EdgeGateway.Storage;

/// <summary>Where the ledger stands after a commit: written with it, so that neither is ever without the other.</summary>
/// <param name="Next">Number of the next record.</param>
/// <param name="Head">Link of the last one.</param>
/// <param name="EmissionEpoch">Epoch of the stream <c>emission</c> of the feed.</param>
/// <param name="EmissionNext">Sequence number of the next entry: all before are in the ledger, or a gap says that they are not.</param>
/// <param name="InForce">What the newest records say is in force: configuration, program and factor set, and the set by which history is stated.</param>
public sealed record LedgerState(long Next, ReadOnlyMemory<byte> Head, long EmissionEpoch, long EmissionNext, LedgerInForce InForce);

/// <summary>What the newest records of the ledger say is in force.</summary>
/// <param name="Configuration">Hash of the configuration.</param>
/// <param name="Program">Version of the program.</param>
/// <param name="FactorSet">Content hash of the factor set.</param>
/// <param name="StatedBy">Content hash of the set by which history is stated; another one than <paramref name="FactorSet"/> while a restatement is due.</param>
/// <param name="PublicKey">The key that signs, base64.</param>
public sealed record LedgerInForce(string Configuration, string Program, string FactorSet, string StatedBy, string PublicKey)
{
    /// <summary>Nothing is.</summary>
    public static LedgerInForce None { get; } = new("", "", "", "", "");

    internal string Text => string.Join('\t', Configuration, Program, FactorSet, StatedBy, PublicKey);

    internal static LedgerInForce Parse(string text) => text.Split('\t') is [var configuration, var program, var set, var stated, var key] ? new(configuration, program, set, stated, key) : None;
}

/// <summary>What the store knows of the ledger at a start.</summary>
/// <param name="State">As committed last; null when there is no ledger yet.</param>
/// <param name="Open">The records after the last seal.</param>
/// <param name="Damage">What of it is not what was written, for a person; null when all is.</param>
public sealed record LedgerRecovery(LedgerState? State, IReadOnlyList<LedgerLine> Open, string? Damage)
{
    /// <summary>The last seal; null when there is none, or it cannot be read.</summary>
    public SealContent? LastSeal { get; init; }

    /// <summary>When the last record that can be read was appended; null when there is none.</summary>
    public Instant? LastAt { get; init; }

    /// <summary>Rows that are not what was written and of which the ledger says so, by the number of their first record.</summary>
    public IReadOnlyList<long> RottenTold { get; init; } = [];

    /// <summary>Rows that are not what was written, by the number of their first record, of which the ledger does not say so yet.</summary>
    public IReadOnlyList<long> Rotten { get; init; } = [];
}

/// <summary>A part of the ledger whose time is over.</summary>
/// <param name="Through">Number of its last record.</param>
/// <param name="Head">Link of that record.</param>
/// <param name="IsForRoom">True when it is its size that is over, not its time.</param>
public sealed record LedgerExpiry(long Through, string Head, bool IsForRoom);

// The ledger in the store: appended with each commit, packed with each seal, removed only after its years.
public sealed partial class SqliteStore
{
    /// <summary>At most this share of the budget is ledger; beyond it the oldest days are closed, and say so.</summary>
    private const int LedgerShare = 2;

    private readonly LedgerTable _ledger;
    private readonly Lock _findingLedger = new();
    private readonly SortedSet<long> _ledgerRotten = [];

    /// <summary>Rows of the ledger that the full check found rotten since the last call, by the number of their first record.</summary>
    public IReadOnlyList<long> TakeRottenLedger()
    {
        lock (_findingLedger)
        {
            long[] found = [.. _ledgerRotten];
            _ledgerRotten.Clear();
            return found;
        }
    }

    /// <summary>Where the ledger stands.</summary>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public LedgerRecovery RecoverLedger() => NotingDamage(ReadLedger);

    /// <summary>The oldest sealed days that are to be closed; null for none.</summary>
    /// <param name="before">Records older than this are over.</param>
    /// <exception cref="StoreException">It cannot be read now; when damaged, that has been noted.</exception>
    public LedgerExpiry? FindExpiredLedger(Instant before) => NotingDamage(() => FindExpired(before));

    private LedgerExpiry? FindExpired(Instant before)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            // Only what lies before all that is not over, and only once a week of days says so: a clock that steps for a while, back or far ahead, closes nothing.
            using var old = _writer.Once("""
                SELECT last FROM ledger WHERE packed = 1 AND at < ?1 AND first < (SELECT min(first) FROM ledger WHERE at >= ?1)
                AND (SELECT count(*) FROM ledger WHERE packed = 1 AND at >= ?1) >= 7 ORDER BY first DESC LIMIT 1
                """);
            if (old.Bind(1, before.UnixMilliseconds).Step())
            {
                return Expiry(old.Long(0), isForRoom: false);
            }

            if (_writer.QueryLong("SELECT total(length(body)) FROM ledger") <= _budgetBytes / LedgerShare)
            {
                return null;
            }

            // A quarter of the days at once, so that not every day is followed by a closing.
            using var oldest = _writer.Once("SELECT last FROM ledger WHERE packed = 1 ORDER BY first LIMIT 1 OFFSET (SELECT count(*) / 4 FROM ledger WHERE packed = 1)");
            return oldest.Step() ? Expiry(oldest.Long(0), isForRoom: true) : null;
        }
    }

    private LedgerExpiry? Expiry(long through, bool isForRoom)
    {
        using var next = _writer.Once("SELECT before FROM ledger WHERE first > ?1 ORDER BY first LIMIT 1");
        return next.Bind(1, through).Step() ? new(through, LedgerLink.Text(next.Bytes(0)), isForRoom) : null;
    }

    private LedgerRecovery ReadLedger()
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            LedgerState? state = null;
            using (var head = _writer.Once("SELECT a, b, c, text FROM head WHERE name = ?1"))
            {
                if (head.Bind(1, HeadName.Ledger).Step() && head.Text(3)!.Split('\n') is [var link, var inForce])
                {
                    state = new(head.Long(0), Convert.FromHexString(link), head.Long(1), head.Long(2), LedgerInForce.Parse(inForce));
                }
            }

            // After a salvage the line may say more than the rows, or the rows more than the line: the larger number goes on, and nothing is numbered twice.
            var open = new List<LedgerLine>();
            var (link2, next, damage, seal) = (LedgerLink.Start.ToArray(), 1L, (string?)null, (SealContent?)null);
            var (rotten, told, lastAt) = (new List<long>(), new List<long>(), (Instant?)null);
            using (var before = _writer.Once($"SELECT first FROM ledger WHERE packed = {LedgerTable.Rotten} ORDER BY first"))
            {
                while (before.Step())
                {
                    told.Add(before.Long(0));
                }
            }

            using var rows = _writer.Once($"SELECT {LedgerTable.Columns} FROM ledger WHERE packed = 0 OR first = (SELECT max(first) FROM ledger WHERE packed = 1) ORDER BY first");
            while (rows.Step())
            {
                if (!LedgerTable.TryRead(rows, out var row))
                {
                    rotten.Add(rows.Long(0));
                    damage = RottenFrom(rotten);
                    continue;
                }

                link2 = row.Before.ToArray();
                foreach (var line in LedgerLine.Split(row.Lines))
                {
                    link2 = LedgerLink.Of(link2, line.Body.Span);
                    if (line.Is(LedgerKind.Seal))
                    {
                        open.Clear();
                        seal = (SealContent)line.Record.Content;
                    }
                    else
                    {
                        open.Add(line);
                    }
                }

                (next, lastAt) = (row.Last + 1, row.At);
            }

            if (state is not null && state.Next == next && state.Head.Span.SequenceEqual(link2))
            {
                return Found(state, open);
            }

            if (state is null && next == 1)
            {
                return Found(null, []);
            }

            damage ??= $"the last records are gone: the store says that number {(state?.Next ?? next) - 1} was the last, the ledger ends at {next - 1}";
            return state is null || next > state.Next
                ? Found(new(next, link2, state?.EmissionEpoch ?? 0, state?.EmissionNext ?? 0, state?.InForce ?? LedgerInForce.None), open)
                : Found(state, []);

            LedgerRecovery Found(LedgerState? at, IReadOnlyList<LedgerLine> unsealed) => new(at, unsealed, damage) { LastSeal = seal, LastAt = lastAt, Rotten = rotten, RottenTold = told };
        }
    }

    /// <summary>Which records are not what was written, in words.</summary>
    internal static string RottenFrom(IReadOnlyList<long> rows) => $"the records from {string.Join(", from ", rows)} on are not what was written";

    private void SaveLedgerRows(CommitBatch batch)
    {
        foreach (var row in batch.LedgerRows)
        {
            _ledger.Append(row);
        }

        foreach (var first in batch.LedgerRotten)
        {
            _ledger.SetAside(first);
        }

        if (batch.LedgerState is { } state)
        {
            SaveHead(HeadName.Ledger, state.Next, state.EmissionEpoch, state.EmissionNext, text: $"{LedgerLink.Text(state.Head.Span)}\n{state.InForce.Text}");
        }
    }

    /// <summary>Bytes of pages that the rows take, at worst.</summary>
    private long LedgerBytes(CommitBatch batch)
    {
        long bytes = 0;
        foreach (var row in batch.LedgerRows)
        {
            bytes += PageBytes(row.Lines.Length + 100);
            if (row.SealedFrom > 0)
            {
                // Deflated they are a tenth; the pages of the old rows are free only after the new one is written.
                using var open = _writer.Once("SELECT total(length(body)) FROM ledger WHERE first >= ?1");
                bytes += open.Bind(1, row.SealedFrom).Step() ? PageBytes((int)Math.Min(open.Long(0) / 3, int.MaxValue)) : 0;
            }
        }

        return bytes;
    }
}
