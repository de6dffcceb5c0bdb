using System.Numerics;
using System.Security.Cryptography;

namespace EdgeGateway.Core.Ledger;

/// <summary>The Merkle tree of RFC 6962, 2.1 over the bodies of records: a leaf is SHA-256 over 0x00 and the body, a node SHA-256 over 0x01 and its two children.</summary>
/// <remarks>It keeps one hash for each bit of the number of leaves, not the leaves: a day of records takes a few hundred bytes.</remarks>
public sealed class MerkleTree
{
    // Roots of whole subtrees, the largest first: one for each bit of the count.
    private readonly List<byte[]> _peaks = [];

    /// <summary>How many leaves it has.</summary>
    public long Count { get; private set; }

    /// <summary>Hash of a leaf.</summary>
    public static byte[] Leaf(ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([0x00]);
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }

    /// <summary>Hash of a node.</summary>
    public static byte[] Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([0x01]);
        hash.AppendData(left);
        hash.AppendData(right);
        return hash.GetHashAndReset();
    }

    /// <summary>Adds a leaf.</summary>
    /// <param name="leaf">Its hash: <see cref="Leaf"/>.</param>
    public void Add(byte[] leaf)
    {
        for (var n = Count; (n & 1) == 1; n >>= 1)
        {
            leaf = Node(_peaks[^1], leaf);
            _peaks.RemoveAt(_peaks.Count - 1);
        }

        _peaks.Add(leaf);
        Count++;
    }

    /// <summary>The root; of no leaves the hash of nothing, as RFC 6962 has it.</summary>
    public byte[] Root()
    {
        if (Count == 0)
        {
            return SHA256.HashData([]);
        }

        var root = _peaks[^1];
        for (var i = _peaks.Count - 2; i >= 0; i--)
        {
            root = Node(_peaks[i], root);
        }

        return root;
    }

    /// <summary>Begins anew, without leaves.</summary>
    public void Clear()
    {
        _peaks.Clear();
        Count = 0;
    }

    /// <summary>The audit path of a leaf (RFC 6962, 2.1.1): what its root is made of beside it, from the leaf up.</summary>
    /// <param name="leaves">Hashes of all leaves.</param>
    /// <param name="index">The leaf, from 0.</param>
    public static IReadOnlyList<byte[]> Path(IReadOnlyList<byte[]> leaves, int index)
    {
        ArgumentNullException.ThrowIfNull(leaves);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, leaves.Count);
        var path = new List<byte[]>();
        var (from, count) = (0, leaves.Count);
        while (count > 1)
        {
            var left = LargestPowerBelow(count);
            var goesLeft = index - from < left;
            path.Add(goesLeft ? RootOf(leaves, from + left, count - left) : RootOf(leaves, from, left));
            (from, count) = goesLeft ? (from, left) : (from + left, count - left);
        }

        path.Reverse();
        return path;
    }

    /// <summary>The root that a leaf and its audit path lead to (RFC 9162, 2.1.3.2); null when the path does not fit the place.</summary>
    /// <param name="leaf">Hash of the leaf.</param>
    /// <param name="index">Its place, from 0.</param>
    /// <param name="count">How many leaves the tree has.</param>
    /// <param name="path">The audit path, from the leaf up.</param>
    public static byte[]? RootOf(byte[] leaf, long index, long count, IReadOnlyList<byte[]> path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (index < 0 || index >= count)
        {
            return null;
        }

        var (place, last, hash) = (index, count - 1, leaf);
        foreach (var other in path)
        {
            if (last == 0)
            {
                return null;
            }

            if ((place & 1) == 1 || place == last)
            {
                hash = Node(other, hash);
                while ((place & 1) == 0 && place != 0)
                {
                    (place, last) = (place >> 1, last >> 1);
                }
            }
            else
            {
                hash = Node(hash, other);
            }

            (place, last) = (place >> 1, last >> 1);
        }

        return last == 0 ? hash : null;
    }

    private static byte[] RootOf(IReadOnlyList<byte[]> leaves, int from, int count)
    {
        var tree = new MerkleTree();
        for (var i = from; i < from + count; i++)
        {
            tree.Add(leaves[i]);
        }

        return tree.Root();
    }

    private static int LargestPowerBelow(int count) => 1 << BitOperations.Log2((uint)count - 1);
}
