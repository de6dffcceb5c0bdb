using System.Globalization;
using System.Text.Json;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>One value of the well-known register image that all peers serve.</summary>
/// <param name="Name">What it is, unique within its table.</param>
/// <param name="Table">Where it is.</param>
/// <param name="Address">Its first register or bit, from 0.</param>
/// <param name="Type">The data type: uint16 … float64, string, bcd16, bcd32, bits16, bit.</param>
/// <param name="WordOrder">high-first or low-first; empty for bits.</param>
/// <param name="ByteOrder">big or little, within a register; empty for bits.</param>
/// <param name="Reads">What the words mean, as JSON text without quotes; 64-bit integers and NaN are strings in the file; empty for bits.</param>
/// <param name="Words">The registers, or bits as 0 and 1.</param>
public sealed record ImageBlock(
    string Name, RegisterTable Table, ushort Address, string Type, string WordOrder, string ByteOrder, string Reads, ushort[] Words);

/// <summary>The register image of peers/image.json.</summary>
public sealed class RegisterImage
{
    private RegisterImage(byte unit, ImageBlock[] blocks)
    {
        Unit = unit;
        Blocks = blocks;
    }

    /// <summary>The file.</summary>
    public static string Path { get; } = RepositoryFiles.At("tests/EdgeGateway.Integration/Modbus/peers/image.json");

    /// <summary>The image.</summary>
    public static RegisterImage Default { get; } = Load();

    /// <summary>The unit id that the peers answer to.</summary>
    public byte Unit { get; }

    /// <summary>All values.</summary>
    public IReadOnlyList<ImageBlock> Blocks { get; }

    /// <summary>The image as lines "table address word...", for peers that do not read JSON.</summary>
    public string ToLines() => string.Join('\n', Blocks.Select(b => $"{NameOf(b.Table)} {b.Address} {string.Join(' ', b.Words)}").Prepend($"unit {Unit}")) + "\n";

    private static RegisterImage Load()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path));
        var root = document.RootElement;
        return new(
            root.GetProperty("unit").GetByte(),
            [.. root.GetProperty("blocks").EnumerateArray().Select(ReadBlock)]);
    }

    private static ImageBlock ReadBlock(JsonElement block) => new(
        block.GetProperty("name").GetString()!,
        TableOf(block.GetProperty("table").GetString()!),
        block.GetProperty("address").GetUInt16(),
        block.GetProperty("type").GetString()!,
        block.TryGetProperty("wordOrder", out var wordOrder) ? wordOrder.GetString()! : "",
        block.TryGetProperty("byteOrder", out var byteOrder) ? byteOrder.GetString()! : "",
        block.GetProperty("reads").ToString(),
        [.. block.GetProperty("words").EnumerateArray().Select(ReadWord)]);

    private static ushort ReadWord(JsonElement word) => word.ValueKind == JsonValueKind.Number
        ? word.GetUInt16()
        : ushort.Parse(word.GetString()!.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static RegisterTable TableOf(string name) => name switch
    {
        "coil" => RegisterTable.Coil,
        "discrete" => RegisterTable.DiscreteInput,
        "input" => RegisterTable.InputRegister,
        "holding" => RegisterTable.HoldingRegister,
        _ => throw new InvalidDataException($"{Path}: unknown table '{name}', expected coil, discrete, input or holding"),
    };

    private static string NameOf(RegisterTable table) => table switch
    {
        RegisterTable.Coil => "coil",
        RegisterTable.DiscreteInput => "discrete",
        RegisterTable.InputRegister => "input",
        _ => "holding",
    };
}
