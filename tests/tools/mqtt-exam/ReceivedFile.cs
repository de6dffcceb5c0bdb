using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Storage;

namespace EdgeGateway.Exam;

/// <summary>
/// The file to which each message handed to the application is appended. Its length is saved together with the session: after a crash the lines behind it are
/// those of messages whose identifiers were not saved, which the server delivers once more. Such lines of QoS 2 are taken out at the start, so that each
/// stands there once.
/// </summary>
internal sealed class ReceivedFile : IDisposable
{
    private const string LengthNote = "exam/received";
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Throws on bytes that are no text, so that they are written as such.
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly bool _resumes;
    private readonly string? _path;
    private readonly FileStream? _file;
    private readonly ArrayBufferWriter<byte> _line = new(1024);
    private readonly Lock _gate = new();

    // Where the lines of QoS 2 end that no saved session covers, in order.
    private readonly Queue<long> _uncovered = new();
    private long _length;
    private long _covered;

    /// <param name="path">The file; null keeps none.</param>
    /// <param name="outbox">Knows the length that was saved last.</param>
    /// <param name="resumes">True when the server may deliver again what is behind that length.</param>
    public ReceivedFile(string? path, ExamOutbox outbox, bool resumes)
    {
        if (path is null)
        {
            return;
        }

        _resumes = resumes;
        _path = Path.GetFullPath(path);
        _file = new FileStream(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        Mend(resumes ? SavedLength(outbox) : _file.Length);
    }

    /// <summary>The length that covers so many more lines of QoS 2 than the one that was saved last.</summary>
    public long LengthWith(int lines)
    {
        lock (_gate)
        {
            return lines == 0 ? _covered : _uncovered.ElementAtOrDefault(lines - 1) is > 0 and var end ? end : _length;
        }
    }

    /// <summary>That length is saved.</summary>
    public void Saved(int lines)
    {
        lock (_gate)
        {
            for (; lines > 0 && _uncovered.TryDequeue(out var end); lines--)
            {
                _covered = end;
            }
        }
    }

    /// <summary>The note that says how much of the file the saved session covers.</summary>
    public StoreNote Note(long length) => new(LengthNote, _path is null ? null : string.Create(CultureInfo.InvariantCulture, $"{length} {_path}"));

    /// <summary>Appends a message: {"topic","payload","qos"}; bytes that are no text stand in "payload_hex" instead.</summary>
    /// <returns>Why it could not be written, which left nothing of it in the file; null when it was.</returns>
    public IOException? TryAppend(MqttMessage message)
    {
        if (_file is null)
        {
            return null;
        }

        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, Readable))
        {
            json.WriteStartObject();
            json.WriteString("topic", message.Topic);
            try
            {
                json.WriteString("payload", Strict.GetString(message.Payload.Span));
            }
            catch (DecoderFallbackException)
            {
                json.WriteString("payload_hex", Convert.ToHexString(message.Payload.Span));
            }

            json.WriteNumber("qos", (int)message.Qos);
            json.WriteEndObject();
        }

        _line.Write("\n"u8);
        try
        {
            _file.Write(_line.WrittenSpan);
        }
        catch (IOException failure)
        {
            _file.SetLength(_length);
            _file.Seek(_length, SeekOrigin.Begin);
            return failure;
        }

        lock (_gate)
        {
            _length += _line.WrittenCount;
            if (_resumes && message.Qos == MqttQos.ExactlyOnce)
            {
                _uncovered.Enqueue(_length);
            }
        }

        return null;
    }

    public void FlushToDisk() => _file?.Flush(flushToDisk: true);

    public void Dispose() => _file?.Dispose();

    private long SavedLength(ExamOutbox outbox) =>
        outbox.Note(LengthNote)?.Split(' ', 2) is [var length, var path] && path == _path ? long.Parse(length, CultureInfo.InvariantCulture) : 0;

    /// <summary>Keeps what is saved and, behind it, the whole lines of messages that are not delivered again: those of QoS 0 and 1.</summary>
    private void Mend(long saved)
    {
        // A file that was taken away begins anew.
        saved = Math.Min(saved, _file!.Length);
        var tail = new byte[_file.Length - saved];
        _file.Seek(saved, SeekOrigin.Begin);
        _file.ReadExactly(tail);
        var kept = new ArrayBufferWriter<byte>(tail.Length + 1);
        for (var rest = tail.AsSpan(); rest.IndexOf((byte)'\n') is >= 0 and var end; rest = rest[(end + 1)..])
        {
            if (!rest[..end].EndsWith(",\"qos\":2}"u8))
            {
                kept.Write(rest[..(end + 1)]);
            }
        }

        _file.SetLength(saved);
        _file.Seek(saved, SeekOrigin.Begin);
        _file.Write(kept.WrittenSpan);
        _covered = saved;
        _length = _file.Length;
    }
}
