using EdgeGateway.Core.Outbox;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

// Rows that a destination refuses, and rows whose bytes on disk are not what was written. They are noted as lost in any case; the body
// is kept for people to look at only while that costs nobody anything.
public sealed partial class SqliteStore
{
    // A line in each of loss, loss_notice and quarantine, with SQLite's own bytes.
    private const int AsideLineBytes = 400;

    // As the statement TrimQuarantine has it.
    private const int MostInQuarantine = 100;

    private const string NotKept = " The message was not kept: there was no room for it.";

    private readonly List<Aside> _aside = [];

    private const string NotKnown = " Which records it held is not known.";

    // Which records it held is null when neither its body nor its columns say it for sure: then no numbers are stated, and the receiver sees a gap.
    private readonly record struct Aside(long Id, string Destination, string Reason, bool Unreadable, OutboxRowHead? Records, byte[]? Body);

    /// <summary>Pages for what the rows set aside add at worst, without their bodies.</summary>
    private long AsidePages() => (_refusalsWriting.Count + _unreadableWriting.Count) * (long)AsideLineBytes / Database.PageSize;

    /// <summary>Reads the rows to be set aside before they are deleted as done; the newest bodies up to <see cref="StoreLimits.AsideBytes"/>.</summary>
    private void ReadAside()
    {
        _aside.Clear();
        var room = _limits.AsideBytes;
        for (var i = _unreadableWriting.Count - 1; i >= 0; i--)
        {
            ReadAside(_unreadableWriting[i], "", "The row on disk does not have its CRC.", unreadable: true, ref room);
        }

        for (var i = _refusalsWriting.Count - 1; i >= 0; i--)
        {
            var refusal = _refusalsWriting[i];
            ReadAside(refusal.RowId, refusal.Destination, refusal.Reason, unreadable: false, ref room);
        }

        _aside.Reverse();
    }

    private void ReadAside(long id, string destination, string reason, bool unreadable, ref long room)
    {
        var row = _sql.OneRow;
        row.Bind(1, id);
        if (!row.Step())
        {
            row.Reset();
            return;
        }

        var label = Label(row, 0, id);
        var body = row.Bytes(5);
        var length = body.Length;
        var keep = PageBytes(length) <= room;
        room -= keep ? PageBytes(length) : 0;
        var records = RecordsOf(label, body);
        _aside.Add(new Aside(id, destination, records is null ? reason + NotKnown : reason, unreadable, records, keep ? body.ToArray() : null));
        row.Reset();
        if (unreadable)
        {
            // Lost to all destinations that had not got it.
            _sql.DeleteRow.Bind(1, id).Run();
            _rowsGone = true;
            ref var tally = ref _work.Tallies[(byte)(records ?? label).Stream];
            tally.Rows--;
            tally.Bytes -= length;
            _work.Records -= (records ?? label).Count;
        }
    }

    /// <summary>
    /// Which records a row holds: by its body where the CRC of that holds. Else by what its columns and the damaged body say, as far as it fits between the rows beside it: the columns
    /// first, because one fault hits one of the two, and the body is hit.
    /// </summary>
    private OutboxRowHead? RecordsOf(in OutboxRowHead label, ReadOnlySpan<byte> body) =>
        OutboxRowFrame.TryReadHead(body, out var head) == FrameStatus.Intact && head.Id == label.Id ? head
        : Fits(label) ? label
        : OutboxRowFrame.ReadUnprovenHead(body) is { } said && said.Id == label.Id && Fits(said) ? said
        : null;

    private bool Fits(in OutboxRowHead row)
    {
        if ((byte)row.Stream >= StoreLedger.Streams || !Enum.IsDefined(row.Stream) || row.Epoch <= 0 || row.First <= 0 || row.Count <= 0 || row.First > long.MaxValue - row.Count)
        {
            return false;
        }

        ref readonly var head = ref _work.Tallies[(byte)row.Stream];
        return (row.Epoch == head.Epoch ? row.First + row.Count <= head.Next : row.Epoch < head.Epoch)
            && (Neighbour(_sql.EndBefore, row) ?? row.First) <= row.First
            && (Neighbour(_sql.FirstAfter, row) ?? long.MaxValue) >= row.First + row.Count;
    }

    private static long? Neighbour(Statement find, in OutboxRowHead row)
    {
        find.Bind(1, row.Id).Bind(2, (byte)row.Stream).Bind(3, row.Epoch);
        long? number = find.Step() ? find.Long(0) : null;
        find.Reset();
        return number;
    }

    /// <summary>Notes what was read as lost, and keeps the bodies for which there is room beside <paramref name="pages"/>.</summary>
    private void KeepAside(long pages)
    {
        for (var i = 0; i < _aside.Count; i++)
        {
            var aside = _aside[i];
            var keep = aside.Body is { } body && FreePages() >= pages + (PageBytes(body.Length) / Database.PageSize) + SparePages;
            if (i >= _aside.Count - MostInQuarantine)
            {
                _sql.InsertQuarantine.Bind(1, aside.Id).Bind(2, aside.Destination).Bind(3, keep ? aside.Reason : aside.Reason + NotKept).Bind(4, Now(_time).UnixMilliseconds)
                    .Bind(5, keep ? aside.Body! : ""u8).Run();
            }

            if (aside.Records is { } records)
            {
                AddLoss(
                    records.Stream, records.Epoch, records.First, records.Count,
                    aside.Unreadable ? LossReason.Unreadable : keep ? LossReason.Refused : LossReason.RefusedNotKept, aside.Destination);
            }
        }

        if (_aside.Count > 0)
        {
            _sql.TrimQuarantine.Bind(1, _limits.QuarantineBytes).Run();
            _aside.Clear();
        }
    }
}
