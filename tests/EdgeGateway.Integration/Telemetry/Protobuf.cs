using System.Buffers.Binary;
using System.Text;

namespace EdgeGateway.Integration.Telemetry;

/// <summary>Reads the fields of a message of Protocol Buffers; just as much as the collector's double needs.</summary>
internal readonly struct Protobuf
{
    private readonly List<(int Field, ulong Number, byte[] Bytes)> _fields = [];

    /// <summary>Reads a message. Wire format: varint 0, 64 bits 1, length-delimited 2, 32 bits 5.</summary>
    public Protobuf(ReadOnlySpan<byte> message)
    {
        while (!message.IsEmpty)
        {
            var key = Varint(ref message);
            var field = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    _fields.Add((field, Varint(ref message), []));
                    break;
                case 1:
                    _fields.Add((field, BinaryPrimitives.ReadUInt64LittleEndian(message), []));
                    message = message[8..];
                    break;
                case 2:
                    var length = (int)Varint(ref message);
                    _fields.Add((field, 0, message[..length].ToArray()));
                    message = message[length..];
                    break;
                case 5:
                    _fields.Add((field, BinaryPrimitives.ReadUInt32LittleEndian(message), []));
                    message = message[4..];
                    break;
                default:
                    throw new InvalidDataException($"wire type {key & 7}");
            }
        }
    }

    /// <summary>The messages of a field.</summary>
    public IEnumerable<Protobuf> All(int field) => _fields.Where(f => f.Field == field).Select(f => new Protobuf(f.Bytes));

    /// <summary>A text; empty when the field is absent.</summary>
    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

    /// <summary>Bytes; none when the field is absent.</summary>
    public byte[] Bytes(int field) => _fields.Where(f => f.Field == field).Select(f => f.Bytes).FirstOrDefault([]);

    /// <summary>A number; 0 when the field is absent.</summary>
    public ulong Number(int field) => _fields.Where(f => f.Field == field).Select(f => f.Number).FirstOrDefault();

    private static ulong Varint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
