using System.Text;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Conformance.Mqtt;

/// <summary>Packets written as hexadecimal text, without the help of the encoder that is under test. Spaces do not count.</summary>
internal static class Hex
{
    public static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes);

    /// <summary>First byte, remaining length, fields.</summary>
    public static string Packet(string first, params string[] fields)
    {
        var body = Of(Bytes(string.Concat(fields)));
        return first + Variable(body.Length / 2) + body;
    }

    /// <summary>A UTF-8 string with its length.</summary>
    public static string Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return $"{bytes.Length:X4}{Of(bytes)}";
    }

    /// <summary>Properties with their length in 5.0, nothing in 3.1.1.</summary>
    public static string Properties(MqttProtocolVersion version, params string[] properties)
    {
        var fields = Of(Bytes(string.Concat(properties)));
        return version == MqttProtocolVersion.V311 ? "" : Variable(fields.Length / 2) + fields;
    }

    /// <summary>MQTT 5.0, 1.5.5: seven bits a byte, the lowest first.</summary>
    public static string Variable(int value)
    {
        var hex = "";
        do
        {
            hex += $"{(value % 128) + (value >= 128 ? 128 : 0):X2}";
            value /= 128;
        }
        while (value > 0);

        return hex;
    }

    public static string ConnAck(MqttProtocolVersion version, bool sessionPresent = false, string code = "00", params string[] properties) =>
        Packet("20", sessionPresent ? "01" : "00", code, Properties(version, properties));

    public static string Publish(MqttProtocolVersion version, string topic, int id, string payload = "78", string first = "32") =>
        Packet(first, Text(topic), first is "30" or "31" ? "" : $"{id:X4}", Properties(version), payload);

    /// <summary>PUBACK (40), PUBREC (50), PUBREL (62), PUBCOMP (70), UNSUBACK of 3.1.1 (B0); with a reason code in 5.0.</summary>
    public static string Ack(string first, int id, string code = "") => Packet(first, $"{id:X4}", code);

    public static string SubAck(MqttProtocolVersion version, int id, string codes = "01") => Packet("90", $"{id:X4}", Properties(version), codes);

    public static string Subscribe(MqttProtocolVersion version, int id, string filter, string options = "01") =>
        Packet("82", $"{id:X4}", Properties(version), Text(filter), options);
}
