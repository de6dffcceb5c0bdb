using System.Buffers;
using System.Globalization;
using System.Text;

namespace EdgeGateway.Protocols.Hj212;

/// <summary>A field: key and value, as sent.</summary>
public readonly record struct Hj212Field(string Key, string Value)
{
    /// <summary><c>key=value</c>.</summary>
    public override string ToString() => $"{Key}={Value}";
}

/// <summary>The data segment of a packet. HJ 212-2017, 6.3. Keys and groups that are not known are kept, in their order.</summary>
/// <remarks>
/// <c>QN=..;ST=..;CN=..;PW=..;MN=..;Flag=..;[PNUM=..;PNO=..;]CP=&amp;&amp;group;group&amp;&amp;</c>, a group being <c>key=value,key=value</c>.
/// </remarks>
public sealed class Hj212Packet
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789ABCDEFabcdef");

    private const string Data = "CP=&&";
    private const string DataEnd = "&&";
    private const int FullNumber = 17;
    private const int LongestRepeated = 64;

    /// <summary>A packet.</summary>
    /// <param name="header">The fields in front of CP.</param>
    /// <param name="groups">The groups of the data.</param>
    public Hj212Packet(IReadOnlyList<Hj212Field> header, IReadOnlyList<IReadOnlyList<Hj212Field>> groups)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(groups);
        (Header, Groups) = (header, groups);
    }

    /// <summary>The fields in front of the data.</summary>
    public IReadOnlyList<Hj212Field> Header { get; }

    /// <summary>The groups of the data: one for each factor, and those of general fields.</summary>
    public IReadOnlyList<IReadOnlyList<Hj212Field>> Groups { get; }

    /// <summary>Number of the request: yyyyMMddHHmmsszzz in the sender's local time; empty when missing.</summary>
    public string Number => Field("QN") ?? "";

    /// <summary>System code; empty when missing.</summary>
    public string System => Field("ST") ?? "";

    /// <summary>Command; empty when missing.</summary>
    public string Command => Field("CN") ?? "";

    /// <summary>Password; empty when missing.</summary>
    public string Password => Field("PW") ?? "";

    /// <summary>Device that measures; empty when missing.</summary>
    public string Device => Field("MN") ?? "";

    /// <summary>The flag; that of 2005 without an answer when it is missing or no number.</summary>
    public Hj212Flag Flag => Hj212Flag.TryParse(Field("Flag"), out var flag) ? flag : default;

    /// <summary>Packets of which this is one; 1 when it is alone.</summary>
    public int Parts => Count("PNUM");

    /// <summary>Its number among them, from 1.</summary>
    public int Part => Count("PNO");

    /// <summary>A field of the header, or null.</summary>
    public string? Field(string key)
    {
        foreach (var field in Header)
        {
            if (field.Key == key)
            {
                return field.Value;
            }
        }

        return null;
    }

    /// <summary>The first field of the data with this key, or null.</summary>
    public string? Value(string key)
    {
        foreach (var group in Groups)
        {
            foreach (var field in group)
            {
                if (field.Key == key)
                {
                    return field.Value;
                }
            }
        }

        return null;
    }

    /// <summary>The data segment as it is sent.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var field in Header)
        {
            text.Append(field.Key).Append('=').Append(field.Value).Append(';');
        }

        text.Append(Data);
        for (var i = 0; i < Groups.Count; i++)
        {
            text.Append(i > 0 ? ";" : "").AppendJoin(',', Groups[i]);
        }

        return text.Append(DataEnd).ToString();
    }

    /// <summary>An answer to a packet: its QN, MN and password, by the system <see cref="Hj212System.Interaction"/>, wanting no answer.</summary>
    /// <param name="request">What is answered.</param>
    /// <param name="command">9011 to 9014.</param>
    /// <param name="fields">QnRtn or ExeRtn.</param>
    public static Hj212Packet Answer(Hj212Packet request, string command, params Hj212Field[] fields)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Make(request.Number, Hj212System.Interaction, command, request.Password, request.Device, Hj212Flag.Of(wantsAnswer: false), fields.Length > 0 ? [fields] : []);
    }

    /// <summary>The acknowledgement of a packet that wants one: 9014 of data, 9013 of a notice.</summary>
    /// <param name="packet">What has arrived.</param>
    public static Hj212Packet Receipt(Hj212Packet packet)
    {
        ArgumentNullException.ThrowIfNull(packet);
        return Answer(packet, Hj212Command.IsData(packet.Command) ? Hj212Command.DataAck : Hj212Command.NoticeAck);
    }

    /// <summary>Whether an answer, which repeats QN, PW and MN, fits a frame: none of them is longer than 64 bytes. Those of the standard have at most 24.</summary>
    public bool IsAnswerable =>
        Encoding.UTF8.GetByteCount(Number) <= LongestRepeated && Encoding.UTF8.GetByteCount(Password) <= LongestRepeated && Encoding.UTF8.GetByteCount(Device) <= LongestRepeated;

    /// <summary>A packet by the edition of 2017.</summary>
    public static Hj212Packet Make(string number, string system, string command, string password, string device, Hj212Flag flag, IReadOnlyList<IReadOnlyList<Hj212Field>> groups) =>
        new([new("QN", number), new("ST", system), new("CN", command), new("PW", password), new("MN", device), new("Flag", flag.ToString())], groups);

    /// <summary>Takes a data segment apart.</summary>
    /// <param name="segment">The bytes between length and check sum.</param>
    /// <param name="deviations">Where it is not as the standard says.</param>
    /// <remarks>Every sequence of bytes is some packet, if one without fields: what is amiss is told by <paramref name="deviations"/>.</remarks>
    public static Hj212Packet Parse(ReadOnlySpan<byte> segment, out Hj212Deviations deviations)
    {
        deviations = Hj212Deviations.None;
        var text = Encoding.UTF8.GetString(segment);
        if (text.Contains('\uFFFD', StringComparison.Ordinal))
        {
            // Older devices send names in GB 2312; what is measured is ASCII in either.
            deviations |= Hj212Deviations.Text;
        }

        var data = text.IndexOf(Data, StringComparison.Ordinal);
        List<Hj212Field> header = [];
        foreach (var part in Parts(data < 0 ? text : text[..data], ';'))
        {
            Add(header, part, ref deviations);
        }

        List<IReadOnlyList<Hj212Field>> groups = [];
        if (data < 0)
        {
            deviations |= Hj212Deviations.NoData;
        }
        else
        {
            var body = text[(data + Data.Length)..];
            var end = body.LastIndexOf(DataEnd, StringComparison.Ordinal);
            deviations |= end < 0 ? Hj212Deviations.OpenData : end + DataEnd.Length < body.Length ? Hj212Deviations.Trailing : Hj212Deviations.None;
            foreach (var group in Parts(end < 0 ? body : body[..end], ';'))
            {
                List<Hj212Field> fields = [];
                foreach (var part in Parts(group, ','))
                {
                    Add(fields, part, ref deviations);
                }

                deviations |= fields.Count == 0 ? Hj212Deviations.EmptyField : Hj212Deviations.None;
                if (fields.Count > 0)
                {
                    groups.Add(fields);
                }
            }
        }

        var packet = new Hj212Packet(header, groups);
        deviations |= packet.HeaderDeviations();
        return packet;

        static string[] Parts(string text, char separator) => text.TrimEnd(separator) is { Length: > 0 } some ? some.Split(separator) : [];
    }

    private static void Add(List<Hj212Field> fields, string part, ref Hj212Deviations deviations)
    {
        var equals = part.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            deviations |= Hj212Deviations.EmptyField;
            if (part.Length > 0)
            {
                fields.Add(new(equals == 0 ? "" : part, equals == 0 ? part[1..] : ""));
            }

            return;
        }

        var key = part[..equals];
        deviations |= fields.Exists(f => f.Key == key) ? Hj212Deviations.Doubled : Hj212Deviations.None;
        fields.Add(new(key, part[(equals + 1)..]));
    }

    private Hj212Deviations HeaderDeviations()
    {
        var found = Hj212Deviations.None;
        found |= Number.Length != FullNumber || !DateTime.TryParseExact(Number, Hj212Time.NumberFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? Hj212Deviations.Number : 0;
        found |= Device.Length != 24 || Device.AsSpan().ContainsAnyExcept(HexDigits) ? Hj212Deviations.Device : 0;
        found |= Password.Length != 6 ? Hj212Deviations.Password : 0;
        found |= Command.Length != 4 || Command.AsSpan().ContainsAnyExceptInRange('0', '9') ? Hj212Deviations.Command : 0;
        if (Field("Flag") is not { } text || !Hj212Flag.TryParse(text, out var flag))
        {
            return found | Hj212Deviations.Flag;
        }

        found |= flag.Version != Hj212Flag.Version2017 ? Hj212Deviations.Version : 0;
        found |= flag.IsSplit && (Parts < 1 || Part < 1 || Part > Parts) ? Hj212Deviations.Split : 0;
        return found;
    }

    private int Count(string key) => Field(key) is not { } text ? 1 : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;
}

/// <summary>Where a packet is not as HJ 212-2017 says, and can be understood all the same.</summary>
[Flags]
public enum Hj212Deviations
{
    /// <summary>It is as the standard says.</summary>
    None = 0,

    /// <summary>The check sum has small letters.</summary>
    SmallLetters = 1,

    /// <summary>Bytes that are no UTF-8.</summary>
    Text = 2,

    /// <summary>There is no CP.</summary>
    NoData = 4,

    /// <summary>The data are not closed by &amp;&amp;.</summary>
    OpenData = 8,

    /// <summary>There is something behind the data.</summary>
    Trailing = 16,

    /// <summary>A field without a key or a value, or an empty group.</summary>
    EmptyField = 32,

    /// <summary>A key twice in one group.</summary>
    Doubled = 64,

    /// <summary>QN is no yyyyMMddHHmmsszzz.</summary>
    Number = 128,

    /// <summary>MN is not 24 hexadecimal digits, as older devices have it.</summary>
    Device = 256,

    /// <summary>PW has not six characters.</summary>
    Password = 512,

    /// <summary>CN is not four digits.</summary>
    Command = 1024,

    /// <summary>There is no Flag, or it is no number.</summary>
    Flag = 2048,

    /// <summary>The edition of 2005 or of 2025, or one that is not known.</summary>
    Version = 4096,

    /// <summary>PNUM and PNO do not say which packet of how many it is.</summary>
    Split = 8192,
}

/// <summary>Times as packets hold them: local time of the site, without a zone.</summary>
public static class Hj212Time
{
    /// <summary>Form of QN, with milliseconds.</summary>
    public const string NumberFormat = "yyyyMMddHHmmssfff";

    /// <summary>Form of DataTime and the like.</summary>
    public const string Format = "yyyyMMddHHmmss";

    /// <summary>Reads DataTime, BeginTime, EndTime or SystemTime.</summary>
    public static bool TryParse(string? text, out DateTime local) => DateTime.TryParseExact(text, Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out local);

    /// <summary>Writes it.</summary>
    public static string Write(DateTime local) => local.ToString(Format, CultureInfo.InvariantCulture);
}
