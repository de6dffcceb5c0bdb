using EdgeGateway.Core.Feed;

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

    private readonly record struct Aside(
        long Id, string Destination, string Reason, bool Unreadable, FeedStream Stream, long Epoch, long First, long Count, byte[]? Body);

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

        var stream = (byte)RowPlace.Stream(row.Long(0));
        var records = row.Long(3);
        var body = row.Bytes(4);
        var length = body.Length;
        var keep = PageBytes(length) <= room;
        room -= keep ? PageBytes(length) : 0;
        _aside.Add(new Aside(id, destination, reason, unreadable, (FeedStream)stream, row.Long(1), row.Long(2), records, keep ? body.ToArray() : null));
        row.Reset();
        if (unreadable)
        {
            // Lost to all destinations that had not got it.
            _sql.DeleteRow.Bind(1, id).Run();
            _rowsGone = true;
            _work.Records -= records;
            _work.Tallies[stream].Rows--;
            _work.Tallies[stream].Bytes -= length;
        }
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

            AddLoss(
                aside.Stream, aside.Epoch, aside.First, aside.Count,
                aside.Unreadable ? LossReason.Unreadable : keep ? LossReason.Refused : LossReason.RefusedNotKept, aside.Destination);
        }

        if (_aside.Count > 0)
        {
            _sql.TrimQuarantine.Bind(1, _limits.QuarantineBytes).Run();
            _aside.Clear();
        }
    }
}
