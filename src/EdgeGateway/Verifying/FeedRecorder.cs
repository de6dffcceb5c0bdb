using System.IO.Compression;
using System.Text.Json;
using System.Text.Unicode;

namespace EdgeGateway.Verifying;

/// <summary>Writes what was delivered to a file that <see cref="FeedFile"/> reads: one message a line, compressed when the name ends in <c>.gz</c>.</summary>
internal sealed class FeedRecorder : IDisposable
{
    private readonly Stream _stream;
    private readonly Utf8JsonWriter _json;

    /// <summary>Begins a new file.</summary>
    /// <exception cref="IOException">It exists already or cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be made.</exception>
    public FeedRecorder(string path)
    {
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 64 * 1024);
        _stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionLevel.Fastest) : file;
        _json = new Utf8JsonWriter(_stream, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>Appends a message.</summary>
    /// <exception cref="IOException">The disk is full, or does not take it for another reason.</exception>
    public void Write(string topic, ReadOnlySpan<byte> payload, bool retained, DateTimeOffset at)
    {
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("topic", topic);
        if (Utf8.IsValid(payload))
        {
            _json.WriteString("payload", payload);
        }
        else
        {
            _json.WriteBase64String("payloadBase64", payload);
        }

        _json.WriteBoolean("retain", retained);
        _json.WriteString("at", at);
        _json.WriteEndObject();
        _json.Flush();
        _stream.WriteByte((byte)'\n');
    }

    /// <summary>Hands what was written to the operating system.</summary>
    public void Flush() => _stream.Flush();

    public void Dispose()
    {
        _json.Dispose();
        _stream.Dispose();
    }
}
