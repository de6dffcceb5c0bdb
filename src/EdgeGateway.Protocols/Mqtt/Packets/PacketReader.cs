using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace EdgeGateway.Protocols.Mqtt.Packets;

/// <summary>Reads the data types of MQTT 5.0, 1.5 from a packet body. The first fault sticks; later reads give defaults.</summary>
internal ref struct PacketReader(ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> _body = body;
    private string? _fault;
    private MqttReasonCode _code;

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _body.Length - Position;

    /// <summary>True after the first fault.</summary>
    public readonly bool Failed => _fault is not null;

    /// <summary>The first fault; only meaningful when <see cref="Failed"/>.</summary>
    public readonly MqttBreach Breach => new(_code, _fault ?? "");

    /// <summary>Records a fault unless there is one already.</summary>
    public void Fail(string reason, MqttReasonCode code = MqttReasonCode.MalformedPacket)
    {
        if (_fault is null)
        {
            _fault = reason;
            _code = code;
        }
    }

    public byte Byte() => Take(1) is [var value] ? value : (byte)0;

    /// <summary>A byte that may only be 0 or 1; everything else is a protocol error.</summary>
    public bool Boolean(string what)
    {
        var value = Byte();
        if (value > 1)
        {
            Fail($"{what} is {value}, allowed are 0 and 1", MqttReasonCode.ProtocolError);
        }

        return value == 1;
    }

    public ushort UInt16() => Take(2) is { Length: 2 } bytes ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;

    public uint UInt32() => Take(4) is { Length: 4 } bytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;

    /// <summary>A packet identifier; zero is not one. MQTT 5.0, 2.2.1.</summary>
    public ushort PacketId()
    {
        var id = UInt16();
        if (id == 0)
        {
            Fail("packet identifier is 0", MqttReasonCode.ProtocolError);
        }

        return id;
    }

    /// <summary>Variable byte integer, at most four bytes, in its shortest form. MQTT 5.0, 1.5.5.</summary>
    public int Variable()
    {
        var value = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            var digit = Byte();
            value |= (digit & 0x7F) << shift;
            if ((digit & 0x80) == 0)
            {
                if (digit == 0 && shift > 0)
                {
                    Fail("variable byte integer is not in its shortest form");
                }

                return value;
            }
        }

        Fail("variable byte integer is longer than 4 bytes");
        return 0;
    }

    /// <summary>UTF-8 string without U+0000 and without surrogates. MQTT 5.0, 1.5.4.</summary>
    public string String()
    {
        var bytes = Take(UInt16());
        if (bytes.IsEmpty)
        {
            return "";
        }

        if (!Utf8.IsValid(bytes))
        {
            Fail("string is not valid UTF-8");
            return "";
        }

        if (bytes.Contains((byte)0))
        {
            Fail("string holds U+0000");
            return "";
        }

        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Binary data with a two byte length. MQTT 5.0, 1.5.6.</summary>
    public ReadOnlySpan<byte> Binary() => Take(UInt16());

    /// <summary>The next <paramref name="count"/> bytes; empty with a fault when there are not so many.</summary>
    public ReadOnlySpan<byte> Take(int count)
    {
        if (Failed)
        {
            return default;
        }

        if (count > Remaining)
        {
            Fail("packet ends inside a field");
            return default;
        }

        var taken = _body.Slice(Position, count);
        Position += count;
        return taken;
    }

    /// <summary>Closes the packet: true when all bytes were used and nothing was wrong.</summary>
    public bool End()
    {
        if (Remaining > 0)
        {
            Fail("packet is longer than its fields");
        }

        return !Failed;
    }
}
