using System.Collections.Immutable;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Feed;

/// <summary>How far each stream is numbered: the epoch of the store and the next sequence number of each stream. Immutable.</summary>
public sealed class FeedHeads : IEquatable<FeedHeads>
{
    private readonly long[] _next;

    private FeedHeads(long epoch, long[] next)
    {
        Epoch = epoch;
        _next = next;
    }

    /// <summary>All streams, in the order of their stored numbers.</summary>
    public static ImmutableArray<FeedStream> Streams { get; } =
    [
        FeedStream.Birth, FeedStream.Summary, FeedStream.Emission, FeedStream.Anomaly,
        FeedStream.State, FeedStream.Health, FeedStream.Sample, FeedStream.Range, FeedStream.Cems,
    ];

    /// <summary>Grows only when a store was lost or damaged beyond continuation; at least 1.</summary>
    public long Epoch { get; }

    /// <summary>Sequence number that the next record of the stream will carry; 1 in a new epoch.</summary>
    public long this[FeedStream stream] => _next[(int)stream - 1];

    /// <summary>The heads of an epoch in which nothing has been recorded.</summary>
    public static FeedHeads Start(long epoch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(epoch, 1);
        return From(epoch, static _ => 1);
    }

    /// <summary>Heads from stored numbers.</summary>
    public static FeedHeads From(long epoch, Func<FeedStream, long> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        var numbers = new long[Streams.Length];
        foreach (var stream in Streams)
        {
            numbers[(int)stream - 1] = next(stream);
        }

        return new FeedHeads(epoch, numbers);
    }

    /// <summary>
    /// True for streams whose records follow from the sample log alone: replay of the log must reproduce their numbers. Births, health
    /// and range statements are made by the program itself; after recovery their numbers come from the stored heads.
    /// </summary>
    public static bool IsReplayed(FeedStream stream) =>
        stream is FeedStream.Summary or FeedStream.Emission or FeedStream.Anomaly or FeedStream.State or FeedStream.Sample or FeedStream.Cems;

    /// <summary>
    /// True for streams whose losses are stated in the range stream. Its own are not: a refused statement would make another, which is
    /// refused as well, without end.
    /// </summary>
    public static bool IsSpokenAbout(FeedStream stream) => stream != FeedStream.Range;

    /// <summary>What differs from the stored heads in the streams that replay reproduces, for a person; null when they agree.</summary>
    public string? DifferenceAfterReplay(FeedHeads stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        if (Epoch != stored.Epoch)
        {
            return $"epoch {Epoch}, stored {stored.Epoch}";
        }

        foreach (var stream in Streams)
        {
            if (IsReplayed(stream) && this[stream] != stored[stream])
            {
                return $"{stream.Word()}: next sequence {this[stream]}, stored {stored[stream]}";
            }
        }

        return null;
    }

    /// <summary>Writes the heads into a checkpoint.</summary>
    public void WriteTo(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(Epoch);
        writer.Write(_next.Length);
        foreach (var next in _next)
        {
            writer.Write(next);
        }
    }

    /// <summary>Reads what <see cref="WriteTo"/> wrote; streams that an older program did not know start at 1.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static FeedHeads ReadFrom(ref StateReader reader)
    {
        var epoch = reader.ReadInt64();
        var count = reader.ReadInt32();
        var numbers = new long[Streams.Length];
        Array.Fill(numbers, 1);
        for (var i = 0; i < count; i++)
        {
            var next = reader.ReadInt64();
            if (i < numbers.Length)
            {
                numbers[i] = next;
            }
        }

        return new FeedHeads(epoch, numbers);
    }

    public bool Equals(FeedHeads? other) => other is not null && Epoch == other.Epoch && _next.AsSpan().SequenceEqual(other._next);

    public override bool Equals(object? obj) => Equals(obj as FeedHeads);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Epoch);
        foreach (var next in _next)
        {
            hash.Add(next);
        }

        return hash.ToHashCode();
    }

    public override string ToString() =>
        $"epoch {Epoch}: {string.Join(", ", Streams.Select(s => $"{s.Word()} {this[s]}"))}";
}
