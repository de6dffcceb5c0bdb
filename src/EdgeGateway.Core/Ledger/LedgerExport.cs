using System.Buffers;
using System.Text.Json;

namespace EdgeGateway.Core.Ledger;

/// <summary>First line of an export: what follows.</summary>
/// <param name="Gateway">Id of the gateway.</param>
/// <param name="PublicKey">The key in force before the first record: SubjectPublicKeyInfo in base64.</param>
/// <param name="After">Number of the last record before the first of the export; 0 when it begins with the first there ever was.</param>
/// <param name="Head">Link of that record; zeros when there is none.</param>
public sealed record LedgerHeader(string Gateway, string PublicKey, long After, string Head);

/// <summary>Last line of an export: what it held.</summary>
/// <param name="Records">How many records.</param>
/// <param name="Last">Number of the last one.</param>
/// <param name="Head">Its link.</param>
/// <param name="Header">Link of the first line.</param>
public sealed record LedgerFooter(long Records, long Last, string Head, string Header);

/// <summary>
/// A ledger as a text file: a header, a line for each record, a footer. Each line is its link, a space, its body, and where it is signed a space and the
/// signature; <c>docs/ledger.md</c> gives the bytes.
/// </summary>
public static class LedgerExport
{
    /// <summary>Name of the format and its major version.</summary>
    public const string SchemaName = "edgegateway/ledger/1";

    /// <summary>Longest line that is read, in bytes: a factor set in full is the longest there is.</summary>
    public const int LongestLine = 16 << 20;

    /// <summary>Writes an export.</summary>
    /// <param name="header">What is exported.</param>
    /// <param name="lines">The records, in order; the first has the number after <see cref="LedgerHeader.After"/>.</param>
    /// <param name="key">Signs the footer; null leaves it unsigned, and with it what was appended since the last seal.</param>
    /// <param name="output">Receives the file.</param>
    /// <returns>What the footer says.</returns>
    public static LedgerFooter Write(LedgerHeader header, IEnumerable<LedgerLine> lines, DeviceKey? key, Stream output)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(output);
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        var first = Body(header);
        var headerLink = LedgerLink.Of(LedgerLink.Start, first);
        new LedgerLine(first, default).Write(headerLink, buffer);
        var link = Convert.FromHexString(header.Head);
        var (count, last) = (0L, header.After);
        foreach (var line in lines)
        {
            link = LedgerLink.Of(link, line.Body.Span);
            line.Write(link, buffer);
            (count, last) = (count + 1, last + 1);
            if (buffer.WrittenCount >= 1 << 15)
            {
                Flush();
            }
        }

        var footer = new LedgerFooter(count, last, LedgerLink.Text(link), LedgerLink.Text(headerLink));
        var body = Body(footer);
        new LedgerLine(body, key?.Sign(body)).Write(LedgerLink.Of(link, body), buffer);
        Flush();
        return footer;

        void Flush()
        {
            output.Write(buffer.WrittenSpan);
            buffer.ResetWrittenCount();
        }
    }

    /// <summary>Reads the records of an export, without judging them: <see cref="LedgerVerifier"/> does that.</summary>
    /// <exception cref="InvalidDataException">It is no export, or a line is no record; the message names the line.</exception>
    public static IEnumerable<LedgerRecord> Read(Stream export) => ReadLines(export).Select(l => l.Record);

    /// <summary>Reads the lines of the records of an export, without judging them.</summary>
    /// <exception cref="InvalidDataException">It is no export, or a line has not its form; the message names the line.</exception>
    public static IEnumerable<LedgerLine> ReadLines(Stream export)
    {
        var number = 0L;
        foreach (var text in Lines(export))
        {
            number++;
            if (!LedgerLine.TryRead(text, out var line, out _) || (number == 1 && ReadHeader(line.Body) is null))
            {
                throw new InvalidDataException($"line {number} is no line of a ledger that 'edgegateway ledger export' wrote");
            }

            if (number > 1 && ReadFooter(line.Body) is null)
            {
                yield return line;
            }
        }
    }

    /// <summary>Reads the header of an export, without judging it; null when it is none.</summary>
    public static LedgerHeader? ReadHeader(Stream export)
    {
        foreach (var text in Lines(export))
        {
            return LedgerLine.TryRead(text, out var line, out _) ? ReadHeader(line.Body) : null;
        }

        return null;
    }

    /// <summary>Reads a header; null when it is none.</summary>
    public static LedgerHeader? ReadHeader(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            return root.TryGetProperty("ledger", out var schema) && schema.GetString() == SchemaName
                ? new(root.GetProperty("gateway").GetString()!, root.GetProperty("key").GetString()!, root.GetProperty("after").GetInt64(), root.GetProperty("head").GetString()!)
                : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Reads a footer; null when it is none.</summary>
    public static LedgerFooter? ReadFooter(ReadOnlyMemory<byte> body)
    {
        if (!body.Span.StartsWith("{\"records\":"u8))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            return new(root.GetProperty("records").GetInt64(), root.GetProperty("last").GetInt64(), root.GetProperty("head").GetString()!, root.GetProperty("header").GetString()!);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Splits a file at its line feeds; what follows the last one comes as a line of its own, with <see cref="Unended"/> behind it.</summary>
    internal static IEnumerable<ReadOnlyMemory<byte>> Lines(Stream input)
    {
        var buffer = new byte[1 << 16];
        var (start, end) = (0, 0);
        while (true)
        {
            var feed = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (feed >= 0)
            {
                // A copy: who reads may keep it.
                yield return buffer.AsSpan(start, feed).ToArray();
                start += feed + 1;
                continue;
            }

            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }
            else if (end == buffer.Length)
            {
                if (buffer.Length >= LongestLine)
                {
                    throw new InvalidDataException($"a line is longer than {LongestLine} bytes: this is no ledger");
                }

                Array.Resize(ref buffer, buffer.Length * 2);
            }

            var read = input.Read(buffer, end, buffer.Length - end);
            if (read == 0)
            {
                if (end > 0)
                {
                    yield return (byte[])[.. buffer.AsSpan(0, end), Unended];
                }

                yield break;
            }

            end += read;
        }
    }

    /// <summary>Marks a last line without a line feed: no line of a ledger ends so.</summary>
    private const byte Unended = 0;

    private static byte[] Body(LedgerHeader header) => Body(json =>
    {
        json.WriteString("ledger", SchemaName);
        json.WriteString("gateway", header.Gateway);
        json.WriteString("key", header.PublicKey);
        json.WriteNumber("after", header.After);
        json.WriteString("head", header.Head);
    });

    private static byte[] Body(LedgerFooter footer) => Body(json =>
    {
        json.WriteNumber("records", footer.Records);
        json.WriteNumber("last", footer.Last);
        json.WriteString("head", footer.Head);
        json.WriteString("header", footer.Header);
    });

    private static byte[] Body(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
