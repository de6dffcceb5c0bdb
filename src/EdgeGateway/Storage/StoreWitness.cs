using System.Buffers.Binary;
using EdgeGateway.Core.State;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Storage;

/// <summary>How far the store had come: what its numbers must not be behind.</summary>
/// <param name="Epoch">Newest epoch.</param>
/// <param name="LastRowId">Highest row id handed out.</param>
/// <param name="NextBatch">Number of the next input batch.</param>
internal readonly record struct StoreProgress(long Epoch, long LastRowId, long NextBatch);

/// <summary>
/// A small file that says how far the last commit had come, written after it was durable. A flipped bit in the last transaction of the
/// write-ahead log looks like a transaction that was cut off by the power: SQLite forgets it in silence, and its numbers would be given a second
/// time. Against this file it shows.
/// </summary>
/// <remarks>
/// Written in place and not flushed, so that a commit costs no second flush: the kernel writes it within half a minute or so. After a power cut it may be
/// behind, which proves nothing and does no harm; it is never ahead of what was durable. The write needs no space: the block exists.
/// Layout, little-endian: 'EGL1' | epoch 8 | last row 8 | next batch 8 | CRC-32 of what stands before.
/// </remarks>
internal sealed class StoreWitness : IDisposable
{
    private const int Length = 32;
    private readonly SafeFileHandle _file;
    private readonly byte[] _bytes = new byte[Length];

    private StoreWitness(SafeFileHandle file) => _file = file;

    /// <summary>Opens the file for writing and notes where the store is.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static StoreWitness Open(string path, in StoreProgress progress)
    {
        var isNew = !File.Exists(path);
        var witness = new StoreWitness(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read));
        try
        {
            witness.Write(progress);
            if (isNew)
            {
                RandomAccess.FlushToDisk(witness._file);
                Durable.FlushDirectory(Path.GetDirectoryName(path)!);
            }

            return witness;
        }
        catch
        {
            witness.Dispose();
            throw;
        }
    }

    /// <summary>What the file says; null when there is none or it cannot be understood.</summary>
    public static StoreProgress? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[Length];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
        return file.ReadAtLeast(bytes, Length, throwOnEndOfStream: false) == Length
            && bytes.StartsWith("EGL1"u8)
            && BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]) == Crc32.Of(bytes[..28])
                ? new StoreProgress(
                    BinaryPrimitives.ReadInt64LittleEndian(bytes[4..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[12..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[20..]))
                : null;
    }

    /// <summary>Notes how far the store has come.</summary>
    /// <exception cref="IOException">It could not be written; what was committed is durable all the same.</exception>
    public void Write(in StoreProgress progress)
    {
        "EGL1"u8.CopyTo(_bytes);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(4), progress.Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(12), progress.LastRowId);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(20), progress.NextBatch);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(28), Crc32.Of(_bytes.AsSpan(0, 28)));
        RandomAccess.Write(_file, _bytes, 0);
    }

    /// <summary>A sentence when a store is behind what was once durable; null when all is well.</summary>
    public static string? FindLoss(string path, in StoreProgress store)
    {
        if (Read(path) is not { } witness || witness.Epoch < store.Epoch)
        {
            return null;
        }

        if (witness.Epoch > store.Epoch)
        {
            return $"the database is of epoch {store.Epoch}, but {path} says that epoch {witness.Epoch} had begun: an older copy took its place";
        }

        return witness.LastRowId > store.LastRowId || witness.NextBatch > store.NextBatch
            ? $"the last commits are gone: row {witness.LastRowId} and batch {witness.NextBatch - 1} had been stored, the database ends at row {store.LastRowId} and batch {store.NextBatch - 1}"
            : null;
    }

    public void Dispose() => _file.Dispose();
}
