using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;
using EdgeGateway.Storage;

namespace EdgeGateway.Verifying;

/// <summary>
/// The state of an audit in a file, so that it can go on after a restart. Replaced in one step: a crash leaves the old one or the new one. Beside it a journal
/// holds the messages that were taken since: each is written there before it is acknowledged, so that a killed process has lost none.
/// </summary>
/// <remarks>
/// The journal is <c>messages in the state when it was begun, 8 bytes</c>, then for each message <c>length of what follows the CRC, 4 bytes | CRC-32 of that, 4 bytes |
/// retained, 1 byte | length of the topic, 2 bytes | topic | payload</c>; little-endian. It is handed to the operating system, not forced to the disk: it outlives the
/// process, and after a power cut up to the time since the last state can be missing.
/// </remarks>
internal sealed class AuditFile(string path) : IDisposable
{
    private const int JournalHeader = 8;
    private const int EntryHeader = 8;
    private const int EntryFields = 3;

    private readonly string _path = Path.GetFullPath(path);
    private FileStream? _journal;

    /// <summary>True when there is a state to go on from.</summary>
    public bool Exists => File.Exists(_path) || File.Exists(JournalPath);

    private string JournalPath => $"{_path}.journal";

    /// <summary>The audit as it was saved, and what the journal adds.</summary>
    /// <exception cref="InvalidDataException">The file is not the state of an audit; the message says what to do.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public FeedAudit Load(FeedAuditOptions options)
    {
        FeedAudit audit;
        try
        {
            audit = File.Exists(_path) ? FeedAudit.Restore(File.ReadAllBytes(_path), options) : new FeedAudit(options);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message} Name another file with --state, or remove this one to begin anew.", e);
        }

        if (Replay(audit))
        {
            Save(audit);
        }

        return audit;
    }

    /// <summary>Writes a message down before it is taken and acknowledged.</summary>
    /// <param name="audit">The audit, which has not taken it yet.</param>
    /// <param name="topic">Where it was published.</param>
    /// <param name="payload">Its content.</param>
    /// <param name="retained">True when the broker delivered it from its retained store.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Note(FeedAudit audit, string topic, ReadOnlySpan<byte> payload, bool retained)
    {
        var journal = _journal ??= Begin(new FileStream(JournalPath, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0), audit);
        var topicLength = Encoding.UTF8.GetByteCount(topic);
        var length = EntryHeader + EntryFields + topicLength + payload.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var entry = buffer.AsSpan(0, length);
            var content = entry[EntryHeader..];
            content[0] = retained ? (byte)1 : (byte)0;
            BinaryPrimitives.WriteUInt16LittleEndian(content[1..], (ushort)topicLength);
            Encoding.UTF8.GetBytes(topic, content[EntryFields..]);
            payload.CopyTo(content[(EntryFields + topicLength)..]);
            BinaryPrimitives.WriteInt32LittleEndian(entry, content.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], Crc32.Of(content));
            journal.Write(entry);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Replaces the file, and begins the journal anew.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Save(FeedAudit audit)
    {
        var temporary = $"{_path}.new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(audit.Save());
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, _path, overwrite: true);
        try
        {
            Durable.FlushDirectory(Path.GetDirectoryName(_path)!);
        }
        catch (StoreException e)
        {
            throw new IOException(e.Message, e);
        }

        // A crash before this leaves a journal whose first messages are in the state: its header tells how many.
        if (_journal is not null)
        {
            Begin(_journal, audit);
        }
        else
        {
            File.Delete(JournalPath);
        }
    }

    public void Dispose() => _journal?.Dispose();

    private static FileStream Begin(FileStream journal, FeedAudit audit)
    {
        Span<byte> header = stackalloc byte[JournalHeader];
        BinaryPrimitives.WriteInt64LittleEndian(header, audit.Messages);
        journal.SetLength(0);
        journal.Seek(0, SeekOrigin.Begin);
        journal.Write(header);
        return journal;
    }

    /// <summary>Takes what the journal holds beyond the state; an entry that was cut off was not acknowledged, and ends it.</summary>
    /// <returns>False when there is nothing.</returns>
    private bool Replay(FeedAudit audit)
    {
        if (!File.Exists(JournalPath) || File.ReadAllBytes(JournalPath) is not { Length: > JournalHeader } journal)
        {
            return false;
        }

        var known = audit.Messages - BinaryPrimitives.ReadInt64LittleEndian(journal);
        var rest = journal.AsMemory(JournalHeader);
        while (rest.Length >= EntryHeader + EntryFields)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
            if (length < EntryFields || length > rest.Length - EntryHeader)
            {
                break;
            }

            var content = rest.Slice(EntryHeader, length);
            var topicLength = BinaryPrimitives.ReadUInt16LittleEndian(content.Span[1..]);
            if (Crc32.Of(content.Span) != BinaryPrimitives.ReadUInt32LittleEndian(rest.Span[4..]) || topicLength > length - EntryFields)
            {
                break;
            }

            if (--known < 0)
            {
                audit.Take(Encoding.UTF8.GetString(content.Span.Slice(EntryFields, topicLength)), content[(EntryFields + topicLength)..], content.Span[0] == 1);
            }

            rest = rest[(EntryHeader + length)..];
        }

        return true;
    }
}
