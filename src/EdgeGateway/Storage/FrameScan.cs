using System.Buffers.Binary;
using EdgeGateway.Core.State;

namespace EdgeGateway.Storage;

/// <summary>
/// Finds the frames in a damaged database by their magic and CRC, in the main file and in every page image of the write-ahead log,
/// without the help of SQLite and its trees (requirement O-10). Also finds rows that were deleted and not yet overwritten.
/// </summary>
/// <remarks>
/// SQLite file format, 1.6: a cell holds <c>payload length | row id | record header | columns</c>, and the frame is the last column. When the
/// payload is longer than a page allows, a known part lies in the cell, followed by the number of the first overflow page, each of
/// which begins with the number of the next. How many bytes of the payload lie before the frame is not read but tried: the CRC
/// tells which was right.
/// </remarks>
internal sealed class FrameScan : IDisposable
{
    private const int PageSize = Database.PageSize;
    private const int MaxLocal = PageSize - 35;
    private const int MinLocal = ((PageSize - 12) * 32 / 255) - 23;
    private const int OverflowContent = PageSize - 4;
    private const int MostBytesBeforeFrame = 96;
    private readonly FileStream _main;
    private readonly FileStream? _log;

    // Offset in the write-ahead log of the newest image of each page.
    private readonly Dictionary<uint, long> _newest = [];
    private readonly List<long> _images = [];
    private readonly byte[] _page = new byte[PageSize];
    private readonly byte[] _overflow = new byte[PageSize];

    public FrameScan(string database, string log)
    {
        _main = new FileStream(database, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
        _log = File.Exists(log) ? new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1) : null;
        ListImages();
    }

    /// <summary>All intact frames of one kind, newest images first; the same frame may come more than once.</summary>
    public IEnumerable<byte[]> Frames(FrameKind kind)
    {
        for (var i = _images.Count - 1; i >= 0; i--)
        {
            foreach (var frame in FramesIn(_log!, _images[i], kind))
            {
                yield return frame;
            }
        }

        for (var at = 0L; at < _main.Length; at += PageSize)
        {
            foreach (var frame in FramesIn(_main, at, kind))
            {
                yield return frame;
            }
        }
    }

    private void ListImages()
    {
        if (_log is null)
        {
            return;
        }

        const int FrameLength = WalInspection.FrameHeaderLength + PageSize;
        Span<byte> header = stackalloc byte[4];
        for (var at = (long)WalInspection.HeaderLength; at + WalInspection.FrameHeaderLength < _log.Length; at += FrameLength)
        {
            _log.Position = at;
            _log.ReadExactly(header);
            _images.Add(at + WalInspection.FrameHeaderLength);
            _newest[BinaryPrimitives.ReadUInt32BigEndian(header)] = at + WalInspection.FrameHeaderLength;
        }
    }

    private List<byte[]> FramesIn(FileStream file, long pageAt, FrameKind kind)
    {
        var found = new List<byte[]>();
        file.Position = pageAt;
        var length = file.ReadAtLeast(_page, PageSize, throwOnEndOfStream: false);
        ReadOnlySpan<byte> magic = [(byte)'E', (byte)'G', (byte)kind];
        var page = _page.AsSpan(0, length);
        for (var at = 0; at < length;)
        {
            var next = page[at..].IndexOf(magic);
            if (next < 0)
            {
                break;
            }

            at += next;
            if (Take(page[at..], kind, out var here) is { } frame)
            {
                found.Add(frame);
                at += here;
            }
            else
            {
                at++;
            }
        }

        return found;
    }

    /// <summary>The frame that begins here, or null.</summary>
    /// <param name="from">The page from the magic on.</param>
    /// <param name="kind">Kind of the frame.</param>
    /// <param name="here">How much of it lies in this page: behind a frame that goes on elsewhere there may be others.</param>
    private byte[]? Take(ReadOnlySpan<byte> from, FrameKind kind, out int here)
    {
        here = 0;
        if (StoredFrame.Measure(from, kind, out var length) != FrameStatus.Intact)
        {
            return null;
        }

        if (length <= from.Length && StoredFrame.Open(from, kind, out _) == FrameStatus.Intact)
        {
            here = length;
            return from[..length].ToArray();
        }

        if (length > _main.Length + (_log?.Length ?? 0))
        {
            return null;
        }

        byte[]? candidate = null;
        for (var before = 3; before <= MostBytesBeforeFrame; before++)
        {
            var payload = before + length;
            if (payload <= MaxLocal)
            {
                continue;
            }

            var local = MinLocal + ((payload - MinLocal) % OverflowContent);
            here = (local > MaxLocal ? MinLocal : local) - before;
            if (here < StoredFrame.HeaderLength || here + 4 > from.Length)
            {
                continue;
            }

            candidate ??= new byte[length];
            from[..here].CopyTo(candidate);
            if (Follow(BinaryPrimitives.ReadUInt32BigEndian(from[here..]), candidate.AsSpan(here)) && StoredFrame.Open(candidate, kind, out _) == FrameStatus.Intact)
            {
                return candidate;
            }
        }

        return null;
    }

    private bool Follow(uint page, Span<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            if (page == 0 || !ReadPage(page))
            {
                return false;
            }

            var here = Math.Min(rest.Length, OverflowContent);
            _overflow.AsSpan(4, here).CopyTo(rest);
            rest = rest[here..];
            page = BinaryPrimitives.ReadUInt32BigEndian(_overflow);
        }

        // The last page of a chain says so: a cheap way to see that the chain was not of this frame.
        return page == 0;
    }

    private bool ReadPage(uint number)
    {
        var (file, at) = _newest.TryGetValue(number, out var image) ? (_log!, image) : (_main, (number - 1L) * PageSize);
        if (at + PageSize > file.Length)
        {
            return false;
        }

        file.Position = at;
        file.ReadExactly(_overflow);
        return true;
    }

    public void Dispose()
    {
        _main.Dispose();
        _log?.Dispose();
    }
}
