using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Core.Feed;

/// <summary>
/// Collects records of one stream that go together as a JSON array and cuts it into bodies of at most <see cref="MaxBodyBytes"/> and
/// <see cref="MaxRecords"/>. The buffer and the writer live as long as the encoder; only a closed body is allocated.
/// </summary>
#pragma warning disable CA1001 // The writer writes into this object's own memory: there is nothing to release.
internal sealed class RecordBuffer : IBufferWriter<byte>
#pragma warning restore CA1001
{
    /// <summary>Largest body; a single record that is larger travels alone.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    public const int MaxRecords = 500;

    /// <summary>Room left for the records of one poll, where a body may end before them.</summary>
    private const int GroupBytes = 4096;

    private const int GroupRecords = 16;

    /// <summary>Index of "no device" for streams that are not kept per device.</summary>
    public const int NoDevice = -1;

    /// <summary>In place of a device: the totals of the gateway's health, whose newest message is retained.</summary>
    public const int Totals = -2;

    /// <summary>In place of a device: the alarms, which have a topic of their own.</summary>
    public const int Alarms = -3;

    private readonly List<Closed> _closed = [];
    private readonly Utf8JsonWriter _writer;
    private byte[] _bytes = new byte[4096];
    private int _length;
    private int _recordStart;
    private int _endOfRecords;
    private int _count;
    private int _device = NoDevice;

    public RecordBuffer()
    {
        // Names of places are read by people: characters beyond ASCII stay themselves. The text is JSON on a wire, never HTML.
        _writer = new Utf8JsonWriter(this, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
    }

    /// <summary>True when nothing came since the last <see cref="Take"/>.</summary>
    public bool IsEmpty => _count == 0 && _closed.Count == 0;

    /// <summary>Starts a record. What an unfinished record left behind is dropped.</summary>
    public Utf8JsonWriter Begin(int device)
    {
        BeginBytes(device);
        _writer.Reset();
        return _writer;
    }

    /// <summary>Starts a record whose bytes the caller writes to this buffer.</summary>
    public RecordBuffer BeginBytes(int device)
    {
        if (_count > 0 && device != _device)
        {
            Close();
        }

        _device = device;
        _length = _endOfRecords;
        Append(_count == 0 ? (byte)'[' : (byte)',');
        _recordStart = _length;
        return this;
    }

    /// <summary>Ends the record begun last.</summary>
    public void End()
    {
        _writer.Flush();
        if (_count > 0 && _length + 1 > MaxBodyBytes)
        {
            var start = _recordStart;
            var record = _length - start;
            Close();
            _bytes[0] = (byte)'[';
            _bytes.AsSpan(start, record).CopyTo(_bytes.AsSpan(1));
            _length = record + 1;
        }

        _count++;
        _endOfRecords = _length;
        if (_count == MaxRecords)
        {
            Close();
        }
    }

    /// <summary>Closes the body, if it has records.</summary>
    public void Close()
    {
        if (_count == 0)
        {
            return;
        }

        // The records end at _endOfRecords; what stands behind is the record that no longer fits.
        var body = GC.AllocateUninitializedArray<byte>(_endOfRecords + 1);
        _bytes.AsSpan(0, _endOfRecords).CopyTo(body);
        body[^1] = (byte)']';
        _closed.Add(new Closed(_count, _device, body));
        _count = 0;
        _length = 0;
        _endOfRecords = 0;
    }

    /// <summary>Closes the body where a group of records begins, when the group might not fit in whole.</summary>
    public void CloseWhenNearlyFull()
    {
        if (_count > 0 && (_length > MaxBodyBytes - GroupBytes || _count > MaxRecords - GroupRecords))
        {
            Close();
        }
    }

    /// <summary>Appends what was collected to <paramref name="rows"/>, numbered from <paramref name="sequence"/>, and starts anew.</summary>
    /// <param name="form">A row with everything but numbers, device and body.</param>
    /// <param name="sequence">Sequence number of the first record; the one after the last when this returns.</param>
    /// <param name="subtopic">Name of a device in the topic.</param>
    /// <param name="rows">Receives the rows.</param>
    public void Take(OutboxRow form, ref long sequence, Func<int, string?> subtopic, List<OutboxRow> rows)
    {
        Close();
        foreach (var closed in _closed)
        {
            rows.Add(form with
            {
                FirstSequence = sequence,
                Count = closed.Count,
                Subtopic = subtopic(closed.Device),
                Retain = form.Retain || closed.Device == Totals,
                Body = closed.Body,
            });
            sequence += closed.Count;
        }

        _closed.Clear();
    }

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(sizeHint);
        return _bytes.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(sizeHint);
        return _bytes.AsSpan(_length);
    }

    private void Append(byte value)
    {
        Grow(1);
        _bytes[_length++] = value;
    }

    private void Grow(int sizeHint)
    {
        var needed = _length + Math.Max(sizeHint, 1);
        if (needed > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(needed, _bytes.Length * 2));
        }
    }

    private readonly record struct Closed(int Count, int Device, byte[] Body);
}
