using System.Globalization;
using System.Text;
using EdgeGateway.Core;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Integration.Buses;

/// <summary>What a point of the image must read.</summary>
/// <param name="Id">The point.</param>
/// <param name="Value">Its value; NaN when there is none.</param>
/// <param name="Raw">Its register image.</param>
/// <param name="Quality">Good, or why there is no value.</param>
internal sealed record ExpectedPoint(string Id, double Value, ulong Raw, Quality Quality);

/// <summary>
/// The register image as a device profile in our grammar. What each point must read is computed from the image's own reading of it, not
/// from its words.
/// </summary>
internal sealed class ImageProfile
{
    public const string Id = "peer-image";

    /// <summary>An address that the peers refuse.</summary>
    public const int Refused = 60_000;

    private readonly StringBuilder _points = new();
    private readonly StringBuilder _selfTests = new();

    private ImageProfile(bool mayReadGaps, int maxRegistersPerRead)
    {
        foreach (var block in RegisterImage.Default.Blocks)
        {
            Add(block);
        }

        Point("refused", RegisterTable.HoldingRegister, Refused, "uint16", "");
        Expected.Add(new("refused", double.NaN, 0, Quality.Bad(QualityReason.DeviceException, (byte)ModbusExceptionCode.IllegalDataAddress)));
        Text = $$"""
            schema: edgegateway/device-profile/1
            id: {{Id}}
            kind: remote-io
            vendor: Test
            models: [Image]
            revision: 1
            title: { en: The register image of the test peers }
            sources:
              image: { type: document, ref: peers/image.json }
            transport:
              modbus: { maxRegistersPerRead: {{maxRegistersPerRead}}, mayReadGaps: {{(mayReadGaps ? "true" : "false")}} }
            poll: { fast: 1s, normal: 2s, slow: 3s }
            identify:
              - { point: holding_100, min: 54321, max: 54321 }
            points:
            {{_points}}
            selfTest:
            {{_selfTests}}
            """;
    }

    public string Text { get; }

    public List<ExpectedPoint> Expected { get; } = [];

    public static ImageProfile Make(bool mayReadGaps, int maxRegistersPerRead) => new(mayReadGaps, maxRegistersPerRead);

    private void Add(ImageBlock block)
    {
        var name = $"{NameOf(block.Table)}_{block.Address}";
        if (block.Type == "bit")
        {
            for (var i = 0; i < block.Words.Length; i++)
            {
                Point($"{name}_{i}", block.Table, block.Address + i, "bit", "", role: "signal.digital");
                Expected.Add(new($"{name}_{i}", block.Words[i], block.Words[i], Quality.Good));
            }
        }
        else if (block.Type == "bits16")
        {
            var word = ushort.Parse(block.Reads, CultureInfo.InvariantCulture);
            for (var bit = 0; bit < 16; bit++)
            {
                Point($"{name}_{bit}", block.Table, block.Address, "bit", $", bit: {bit}", role: "signal.digital");
                Expected.Add(new($"{name}_{bit}", (word >> bit) & 1, (ulong)(word >> bit) & 1, Quality.Good));
            }
        }
        else if (RawOf(block) is { } raw)
        {
            AddNumber(block, name, raw);
        }
    }

    private void AddNumber(ImageBlock block, string name, ulong raw)
    {
        // Input registers hold the same values as the holding registers: there they are scaled, shifted and sometimes invalid.
        var isScaled = block.Table == RegisterTable.InputRegister;
        var isInvalid = isScaled && block.Name == "uint16 all ones";
        var isFloat = block.Type.StartsWith("float", StringComparison.Ordinal);
        var (scale, offset) = isScaled ? (isFloat ? 0.25m : 0.1m, -40.5m) : (1m, 0m);
        var more = string.Create(
            CultureInfo.InvariantCulture,
            $", wordOrder: {block.WordOrder}, byteOrder: {block.ByteOrder}{(isScaled ? $", scale: {scale}, offset: {offset}" : "")}{(isInvalid ? ", invalid: 0xFFFF" : "")}");
        Point(name, block.Table, block.Address, block.Type, more);
        var (value, quality) = (isInvalid, block.Reads) switch
        {
            (true, _) => (double.NaN, Quality.Bad(QualityReason.InvalidCode)),
            (_, "NaN") => (double.NaN, Quality.Bad(QualityReason.NotANumber)),
            _ => ((double)((decimal.Parse(block.Reads, NumberStyles.Float, CultureInfo.InvariantCulture) * scale) + offset), Quality.Good),
        };
        if (quality.IsGood && !isScaled)
        {
            // Without a scale it must be the number itself, to the last bit.
            value = block.Type == "uint64" ? raw : block.Type == "int64" ? unchecked((long)raw) : double.Parse(block.Reads, CultureInfo.InvariantCulture);
            _selfTests.Append(CultureInfo.InvariantCulture, $"  - {{ point: {name}, words: [{string.Join(", ", block.Words)}], value: {block.Reads} }}\n");
        }

        Expected.Add(new(name, value, raw, quality));
    }

    private void Point(string id, RegisterTable table, int address, string type, string more, string role = "signal.analog")
    {
        // Three poll classes, so that what stands side by side is read by different requests.
        var poll = ((string[])["fast", "normal", "slow"])[address % 3];
        var order = more.Contains("wordOrder", StringComparison.Ordinal) ? "" : ", wordOrder: high-first";
        _points.Append(CultureInfo.InvariantCulture, $"  - {{ id: {id}, table: {NameOf(table)}, at: {address}, type: {type}, role: {role}, poll: {poll}, source: [image]{more}{order}")
            .Append(address >= 30_000 ? ", addressConfirmed: true }\n" : " }\n");
    }

    /// <summary>The bits of the reading, right-aligned; null for types that no meter of ours uses (text and BCD).</summary>
    private static ulong? RawOf(ImageBlock block) => block.Type switch
    {
        "uint16" or "uint32" or "uint64" => ulong.Parse(block.Reads, CultureInfo.InvariantCulture),
        "int16" => unchecked((ushort)short.Parse(block.Reads, CultureInfo.InvariantCulture)),
        "int32" => unchecked((uint)int.Parse(block.Reads, CultureInfo.InvariantCulture)),
        "int64" => unchecked((ulong)long.Parse(block.Reads, CultureInfo.InvariantCulture)),
        "float32" when block.Reads == "NaN" => 0x7FC0_0000,
        "float32" => BitConverter.SingleToUInt32Bits(float.Parse(block.Reads, CultureInfo.InvariantCulture)),
        "float64" => BitConverter.DoubleToUInt64Bits(double.Parse(block.Reads, CultureInfo.InvariantCulture)),
        _ => null,
    };

    private static string NameOf(RegisterTable table) => table switch
    {
        RegisterTable.Coil => "coil",
        RegisterTable.DiscreteInput => "discrete",
        RegisterTable.InputRegister => "input",
        _ => "holding",
    };
}
