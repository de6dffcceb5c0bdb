using System.Buffers;
using System.Text;
using System.Text.Json;

namespace EdgeGateway.Core.Ledger;

/// <summary>The proof that one record is in the ledger: its body, the audit path to the root of its day, and the signed seal over that root. Nothing else of the ledger is needed, or given away.</summary>
/// <param name="Record">The body of the record.</param>
/// <param name="Index">Its place among the records under the seal, from 0.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Path">The audit path (RFC 6962, 2.1.1), from the leaf up.</param>
/// <param name="Seal">The seal, with its signature.</param>
/// <param name="PublicKey">The key that signed it: SubjectPublicKeyInfo in base64.</param>
public sealed record LedgerProof(ReadOnlyMemory<byte> Record, long Index, long Count, IReadOnlyList<byte[]> Path, LedgerLine Seal, string PublicKey)
{
    /// <summary>Name of the format and its major version.</summary>
    public const string SchemaName = "edgegateway/ledger-proof/1";

    /// <summary>Makes the proof of a record.</summary>
    /// <param name="number">Number of the record.</param>
    /// <param name="lines">The ledger, in order; at least the records under the seal of that one, and it.</param>
    /// <param name="publicKey">The key in force before the first of <paramref name="lines"/>.</param>
    /// <returns>The proof, or why there is none.</returns>
    public static (LedgerProof? Proof, string? Problem) Make(long number, IEnumerable<LedgerLine> lines, string publicKey)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var leaves = new List<byte[]>();
        ReadOnlyMemory<byte> body = default;
        var (index, key, first) = (-1, publicKey, 0L);
        foreach (var line in lines)
        {
            var record = line.Record;
            if (record.Content is KeyContent changed)
            {
                key = changed.PublicKey;
            }

            if (record.Content is SealContent seal)
            {
                if (record.Number == number)
                {
                    return (null, $"record {number} is a seal itself: its own signature proves it");
                }

                if (index >= 0)
                {
                    return seal.First != first
                        ? (null, $"records before {first} are needed, which are under the same seal from {seal.First} on")
                        : (new(body, index, leaves.Count, MerkleTree.Path(leaves, index), line, key), null);
                }

                leaves.Clear();
                continue;
            }

            first = leaves.Count == 0 ? record.Number : first;
            if (record.Number == number)
            {
                (index, body) = (leaves.Count, line.Body);
            }

            leaves.Add(MerkleTree.Leaf(line.Body.Span));
        }

        return index >= 0
            ? (null, $"record {number} is not sealed yet: a day is sealed with the first record of the next one (UTC)")
            : (null, $"there is no record {number} in the ledger, or it was removed after its years");
    }

    /// <summary>Checks the proof.</summary>
    /// <param name="trustedKeys">Keys that may have signed; empty: the one that the proof names is taken.</param>
    /// <returns>What is wrong; null when the record is under the seal and the seal is signed.</returns>
    public string? Check(IReadOnlyCollection<string> trustedKeys)
    {
        ArgumentNullException.ThrowIfNull(trustedKeys);
        if (trustedKeys.Count > 0 && !trustedKeys.Contains(PublicKey))
        {
            return $"it is of the key {DeviceKey.Fingerprint(PublicKey)}, which is none of those given";
        }

        if (!DeviceKey.Verify(PublicKey, Seal.Body.Span, Seal.Signature.Span))
        {
            return "the seal is not signed by the key: the seal, its signature or the key is not what was written";
        }

        SealContent seal;
        LedgerRecord record;
        try
        {
            (seal, record) = ((SealContent)Seal.Record.Content, LedgerJson.Read(Record));
        }
        catch (Exception e) when (e is InvalidDataException or InvalidCastException)
        {
            return $"it does not hold a record and its seal: {e.Message}";
        }

        if (Count != seal.Last - seal.First + 1 || record.Number != seal.First + Index)
        {
            return "the place of the record is not the one under the seal";
        }

        return MerkleTree.RootOf(MerkleTree.Leaf(Record.Span), Index, Count, Path) is { } root && LedgerLink.Text(root) == seal.Root
            ? null
            : "the record does not lead to the sealed root: the record or the path is not what was written";
    }

    /// <summary>Writes the proof as a JSON document.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("proof", SchemaName);
            json.WriteString("record", Record.Span);
            json.WriteNumber("index", Index);
            json.WriteNumber("count", Count);
            json.WriteStartArray("path");
            foreach (var node in Path)
            {
                json.WriteStringValue(LedgerLink.Text(node));
            }

            json.WriteEndArray();
            json.WriteString("seal", Seal.Body.Span);
            json.WriteString("signature", Convert.ToBase64String(Seal.Signature.Span));
            json.WriteString("key", PublicKey);
            json.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    /// <summary>Reads a proof; null when the document is none.</summary>
    /// <exception cref="InvalidDataException">It says that it is a proof, and is not whole.</exception>
    public static LedgerProof? FromJson(ReadOnlyMemory<byte> document)
    {
        try
        {
            using var json = JsonDocument.Parse(document);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("proof", out var schema) || schema.GetString() != SchemaName)
            {
                return null;
            }

            byte[] Bytes(string name) => Encoding.UTF8.GetBytes(root.GetProperty(name).GetString() ?? throw new InvalidDataException($"'{name}' is null"));
            return new(
                Bytes("record"), root.GetProperty("index").GetInt64(), root.GetProperty("count").GetInt64(),
                [.. root.GetProperty("path").EnumerateArray().Select(n => Convert.FromHexString(n.GetString()!))],
                new(Bytes("seal"), Convert.FromBase64String(root.GetProperty("signature").GetString()!)), root.GetProperty("key").GetString()!);
        }
        catch (JsonException)
        {
            return null;
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentNullException)
        {
            throw new InvalidDataException($"the proof is not whole: {e.Message}", e);
        }
    }
}
