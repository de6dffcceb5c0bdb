using System.IO.Compression;

namespace EdgeGateway.Verifying;

/// <summary>A recorded feed, one message a line; compressed when its name ends in <c>.gz</c>, standard input when its name is <c>-</c>.</summary>
internal sealed class FeedFile(string path)
{
    /// <summary>Longest line; what is longer is no message of a feed.</summary>
    private const int MaxLine = 32 * 1024 * 1024;

    /// <summary>Reads the file from its beginning and hands out each line that is not empty, with its number; the memory belongs to the reader and is used again.</summary>
    /// <param name="line">Takes a line.</param>
    /// <param name="problem">Takes what keeps a line from being read, and where.</param>
    /// <param name="cancel">Ends it after the present line.</param>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public void Read(Action<long, ReadOnlyMemory<byte>> line, Action<string> problem, CancellationToken cancel)
    {
        using var file = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
        using var stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
        var buffer = new byte[64 * 1024];
        var (start, end, number, skipping) = (0, 0, 0L, false);
        while (!cancel.IsCancellationRequested)
        {
            var length = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (length >= 0)
            {
                number++;
                if (!skipping)
                {
                    Hand(line, number, buffer.AsMemory(start, length));
                }

                skipping = false;
                start += length + 1;
                continue;
            }

            if (skipping || end - start > MaxLine)
            {
                if (!skipping)
                {
                    problem($"{path}:{number + 1}: the line is longer than {MaxLine} bytes");
                }

                (start, end, skipping) = (0, 0, true);
            }

            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }

            if (end == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            var read = Next(stream, buffer.AsSpan(end), problem);
            if (read == 0)
            {
                if (!skipping && end > start)
                {
                    Hand(line, number + 1, buffer.AsMemory(start, end - start));
                }

                return;
            }

            end += read;
        }
    }

    private static void Hand(Action<long, ReadOnlyMemory<byte>> line, long number, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > 0 && bytes.Span[^1] == (byte)'\r')
        {
            bytes = bytes[..^1];
        }

        if (bytes.Length > 0)
        {
            line(number, bytes);
        }
    }

    // A recording that was cut off by the power ends in the middle of a compressed block: what is before it counts.
    private int Next(Stream stream, Span<byte> into, Action<string> problem)
    {
        try
        {
            return stream.Read(into);
        }
        catch (InvalidDataException e)
        {
            problem($"{path}: it cannot be unpacked to its end: {e.Message}");
            return 0;
        }
    }
}
