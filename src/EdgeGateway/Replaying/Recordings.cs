using System.IO.Compression;

namespace EdgeGateway.Replaying;

/// <summary>Finds out what kind of recording a file is.</summary>
internal static class Recordings
{
    private static ReadOnlySpan<byte> StoreMagic => "SQLite format 3\0"u8;

    /// <summary>Opens a recording by how it begins: the gateway's store, a message of a feed, or the heading of a table.</summary>
    /// <param name="path">The file; compressed when its name ends in <c>.gz</c>.</param>
    /// <param name="zone">Zone of times that name none.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="InvalidDataException">It is empty.</exception>
    public static Recording Open(string path, TimeZoneInfo zone)
    {
        using var file = File.OpenRead(path);
        Span<byte> begin = stackalloc byte[StoreMagic.Length];
        if (file.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false) == begin.Length && begin.SequenceEqual(StoreMagic))
        {
            return new StoreRecording(path);
        }

        file.Position = 0;
        using var stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!string.IsNullOrWhiteSpace(line) && !line.StartsWith('#'))
            {
                return line.StartsWith('{') || line.Contains(" {\"", StringComparison.Ordinal) ? new FeedRecording(path) : new CsvRecording(path, zone);
            }
        }

        throw new InvalidDataException($"{path}: the file is empty.");
    }

    /// <summary>All values of several recordings in order of time; those of the same time in the order of the files. A value that is older than the one before it in its file stays where it is.</summary>
    /// <returns>Each value with the place of its recording.</returns>
    public static IEnumerable<(int Recording, RecordedValue Value)> Merge(IReadOnlyList<Recording> recordings, CancellationToken cancel)
    {
        var readers = recordings.Select(r => r.Values(cancel).GetEnumerator()).ToList();
        try
        {
            var next = new PriorityQueue<int, (long Time, int Recording)>();
            for (var i = 0; i < readers.Count; i++)
            {
                Queue(i);
            }

            while (next.TryDequeue(out var at, out _))
            {
                yield return (at, readers[at].Current);
                Queue(at);
            }

            void Queue(int recording)
            {
                if (readers[recording].MoveNext())
                {
                    next.Enqueue(recording, (readers[recording].Current.Time.UnixMilliseconds, recording));
                }
            }
        }
        finally
        {
            readers.ForEach(r => r.Dispose());
        }
    }
}
