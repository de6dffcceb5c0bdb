using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace EdgeGateway.Core.Ledger;

/// <summary>A record as it is kept: its body, and its signature where it has one.</summary>
/// <param name="Body">The bytes that are hashed.</param>
/// <param name="Signature">ECDSA over them, DER; empty for records that are not signed.</param>
public readonly record struct LedgerLine(ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> Signature)
{
    /// <summary>The record.</summary>
    /// <exception cref="InvalidDataException">The body is not one that this version knows.</exception>
    public LedgerRecord Record => LedgerJson.Read(Body);

    /// <summary>True when the record is of a kind; looks at its first bytes only.</summary>
    public bool Is(LedgerKind kind)
    {
        // {"n":1,"at":"2026-03-01T00:00:00.000Z","kind":"seal"
        var start = Body.Span[..Math.Min(Body.Length, 128)];
        var at = start.IndexOf("\"kind\":\""u8);
        return at >= 0 && start[(at + 8)..].StartsWith(Encoding.ASCII.GetBytes(kind.Word() + '"'));
    }

    /// <summary>Writes the line of an export: link, space, body, and for a signed record a space and the signature in base64; then a line feed.</summary>
    /// <param name="link">The link of the record; empty to leave it out, as the store does.</param>
    /// <param name="output">Receives the line.</param>
    public void Write(ReadOnlySpan<byte> link, IBufferWriter<byte> output)
    {
        if (!link.IsEmpty)
        {
            output.Write(Encoding.ASCII.GetBytes(LedgerLink.Text(link)));
            output.Write(" "u8);
        }

        output.Write(Body.Span);
        if (!Signature.IsEmpty)
        {
            output.Write(" "u8);
            output.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(Signature.Span)));
        }

        output.Write("\n"u8);
    }

    /// <summary>Reads a line without its line feed and without a link, as the store keeps it.</summary>
    /// <returns>False when it has not that form.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> text, out LedgerLine line)
    {
        line = default;

        // No digit of base64 is a brace: the last one ends the body.
        var end = text.Span.LastIndexOf((byte)'}');
        if (end < 0 || text.Span[0] != (byte)'{')
        {
            return false;
        }

        var body = text[..(end + 1)];
        if (end + 1 == text.Length)
        {
            line = new(body, default);
            return true;
        }

        if (text.Span[end + 1] != (byte)' ')
        {
            return false;
        }

        var base64 = text.Span[(end + 2)..];
        var signature = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
        if (Base64.DecodeFromUtf8(base64, signature, out _, out var length) != OperationStatus.Done)
        {
            return false;
        }

        line = new(body, signature.AsMemory(0, length));

        // Base64 has bits that mean nothing, and the library passes spaces over: only the one form is taken.
        return Encoding.ASCII.GetBytes(Convert.ToBase64String(signature.AsSpan(0, length))).AsSpan().SequenceEqual(base64);
    }

    /// <summary>Reads a line of an export without its line feed.</summary>
    /// <returns>False when it has not that form.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> text, out LedgerLine line, out ReadOnlyMemory<byte> linkText)
    {
        const int Digits = 2 * LedgerLink.Length;
        line = default;
        linkText = text.Length > Digits ? text[..Digits] : default;
        return text.Length > Digits + 1 && text.Span[Digits] == (byte)' ' && TryRead(text[(Digits + 1)..], out line);
    }

    /// <summary>Splits what the store keeps in a row into lines.</summary>
    /// <exception cref="InvalidDataException">It is not made of lines.</exception>
    public static IEnumerable<LedgerLine> Split(ReadOnlyMemory<byte> lines)
    {
        while (!lines.IsEmpty)
        {
            var end = lines.Span.IndexOf((byte)'\n');
            if (end < 0 || !TryRead(lines[..end], out var line))
            {
                throw new InvalidDataException("a row of the ledger is not made of its lines");
            }

            yield return line;
            lines = lines[(end + 1)..];
        }
    }
}
