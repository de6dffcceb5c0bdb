namespace EdgeGateway.Storage;

/// <summary>The statements of a commit, prepared once.</summary>
internal sealed class CommitStatements(Database db)
{
    public Statement Begin { get; } = db.Prepare("BEGIN IMMEDIATE");

    public Statement End { get; } = db.Prepare("COMMIT");

    public Statement PageCount { get; } = db.Prepare("PRAGMA page_count");

    public Statement FreePages { get; } = db.Prepare("PRAGMA freelist_count");

    public HeadTable Head { get; } = new(db);

    public Statement InsertRow { get; } = db.Prepare("INSERT INTO outbox(id, class, stream, epoch, first, count, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");

    public Statement DeleteRow { get; } = db.Prepare("DELETE FROM outbox WHERE id = ?1");

    /// <summary>Deletes at most ?3 rows of a run: the oldest.</summary>
    public Statement DeleteRun { get; } = db.Prepare(
        """
        DELETE FROM outbox WHERE id BETWEEN ?1 AND (SELECT max(id) FROM (SELECT id FROM outbox WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3))
        RETURNING stream, length(body), count
        """);

    public Statement OldestRow { get; } = db.Prepare("SELECT min(id) FROM outbox");

    /// <summary>The oldest ?5 rows of class ?2 and level ?3 with ids from ?1 to ?4.</summary>
    public Statement Evictable { get; } = db.Prepare(
        "SELECT id, stream, epoch, first, count, length(body), class FROM outbox WHERE id BETWEEN ?1 AND ?4 AND class = ?2 AND ((stream >> 5) & 31) = ?3 ORDER BY id LIMIT ?5");

    public Statement Relabel { get; } = db.Prepare("UPDATE outbox SET stream = ?2, epoch = ?3, first = ?4, count = ?5, class = ?6 WHERE id = ?1");

    public Statement OneRow { get; } = db.Prepare("SELECT stream, epoch, first, count, class, body FROM outbox WHERE id = ?1");

    /// <summary>Number after the records of the row of stream ?2 and epoch ?3 before the row ?1; only near ones are looked at.</summary>
    public Statement EndBefore { get; } = db.Prepare(
        "SELECT first + count FROM outbox WHERE id BETWEEN ?1 - 1000 AND ?1 - 1 AND (stream & 31) = ?2 AND epoch = ?3 ORDER BY id DESC LIMIT 1");

    /// <summary>Number of the first record of the row of stream ?2 and epoch ?3 after the row ?1; only near ones are looked at.</summary>
    public Statement FirstAfter { get; } = db.Prepare(
        "SELECT first FROM outbox WHERE id BETWEEN ?1 + 1 AND ?1 + 1000 AND (stream & 31) = ?2 AND epoch = ?3 ORDER BY id LIMIT 1");

    public Statement InsertBatch { get; } = db.Prepare("INSERT INTO log(number, body) VALUES(?1, ?2)");

    public Statement DeleteBatches { get; } = db.Prepare("DELETE FROM log WHERE number BETWEEN ?1 AND ?2 RETURNING length(body)");

    public Statement SaveCheckpoint { get; } = db.Prepare("INSERT OR REPLACE INTO checkpoint(slot, log, body) VALUES(?1, ?2, ?3)");

    public Statement FindLoss { get; } = db.Prepare(
        """
        SELECT stream, epoch, reason, destination, first, last, crc
        FROM (SELECT * FROM loss WHERE stream = ?1 AND epoch = ?2 AND reason = ?3 AND destination = ?4 AND first <= ?5 ORDER BY first DESC LIMIT 1)
        WHERE last >= ?5 - 1
        """);

    public Statement ExtendLoss { get; } = db.Prepare(
        "UPDATE loss SET last = ?6, crc = ?7, at = ?8 WHERE stream = ?1 AND epoch = ?2 AND reason = ?3 AND destination = ?4 AND first = ?5");

    public Statement InsertLoss { get; } = db.Prepare(LossLine.InsertLoss);

    public Statement DeleteLoss { get; } = db.Prepare(RottenLossLine.Delete);

    /// <summary>Forgets the lowest run of an account.</summary>
    public Statement ForgetLoss { get; } = db.Prepare(
        """
        DELETE FROM loss WHERE stream = ?1 AND epoch = ?2 AND reason = ?3 AND destination = ?4
            AND first = (SELECT min(first) FROM loss WHERE stream = ?1 AND epoch = ?2 AND reason = ?3 AND destination = ?4)
        """);

    public Statement InsertNotice { get; } = db.Prepare(LossLine.InsertNotice + " RETURNING id");

    public Statement DeleteNotice { get; } = db.Prepare("DELETE FROM loss_notice WHERE id = ?1");

    /// <summary>Takes the notice away that ends just before ?5: one about both follows.</summary>
    public Statement TakeNoticeBefore { get; } = db.Prepare(
        "DELETE FROM loss_notice WHERE stream = ?1 AND epoch = ?2 AND reason = ?3 AND destination = ?4 AND last = ?5 - 1 RETURNING stream, epoch, reason, destination, first, last, crc");

    public Statement DeleteNotices { get; } = db.Prepare("DELETE FROM loss_notice WHERE id <= ?1");

    public Statement InsertQuarantine { get; } = db.Prepare("INSERT INTO quarantine(id, destination, reason, at, body) VALUES(?1, ?2, ?3, ?4, ?5)");

    /// <summary>Keeps the newest hundred with at most ?1 bytes: quarantine is for people to look at, the counts are in <c>loss</c>.</summary>
    public Statement TrimQuarantine { get; } = db.Prepare(
        """
        DELETE FROM quarantine WHERE n <= (SELECT max(n) FROM quarantine) - 100
            OR n IN (SELECT n FROM (SELECT n, sum(length(body)) OVER (ORDER BY n DESC) AS bytes FROM quarantine) WHERE bytes > ?1)
        """);

    public Statement ClearQuarantine { get; } = db.Prepare("DELETE FROM quarantine");

    /// <summary>Bytes that nothing evicts: the sample log after ?1, checkpoints, configurations and the ledger.</summary>
    public Statement BytesToKeep { get; } = db.Prepare(
        """
        SELECT (SELECT total(length(body)) FROM log WHERE number > ?1) + (SELECT total(length(body)) FROM checkpoint) + (SELECT total(length(texts)) FROM configuration) + (SELECT total(length(body)) FROM ledger)
        """);

    public Statement ReportTold { get; } = db.Prepare("UPDATE recovery SET told = 1 WHERE told = 0");
}
