using System.Security.Cryptography;

namespace EdgeGateway.Core.Ledger;

/// <summary>The hashes of the ledger. SHA-256 (FIPS 180-4) throughout.</summary>
public static class LedgerLink
{
    /// <summary>Bytes of a link.</summary>
    public const int Length = SHA256.HashSizeInBytes;

    /// <summary>What stands for the link before the first record: 32 bytes of zero.</summary>
    public static ReadOnlySpan<byte> Start => new byte[Length];

    /// <summary>Link of a record: SHA-256 over the link before it (32 bytes) and its body.</summary>
    public static byte[] Of(ReadOnlySpan<byte> before, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(before);
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }

    /// <summary>The same as it stands in a line: 64 lower-case hexadecimal digits.</summary>
    public static string Text(ReadOnlySpan<byte> link) => Convert.ToHexStringLower(link);
}
