using System.Globalization;
using System.Text;

namespace EdgeGateway.Protocols.Hj212;

/// <summary>Data that do not fit one packet: several, numbered by PNUM and PNO. HJ 212-2017, table 3 and C.47 to C.50.</summary>
public static class Hj212Split
{
    /// <summary>Splits what does not fit; each part repeats the first group when that is the time of the data.</summary>
    /// <param name="packet">What is to be sent.</param>
    /// <param name="numbers">Gives a new QN for each part behind the first: no two are the same.</param>
    /// <param name="maxSegment">Most bytes of a data segment.</param>
    /// <returns>The packet itself when it fits.</returns>
    /// <exception cref="ArgumentException">One group alone does not fit.</exception>
    public static IReadOnlyList<Hj212Packet> Split(Hj212Packet packet, Func<string> numbers, int maxSegment = Hj212Frame.MaxSegment)
    {
        ArgumentNullException.ThrowIfNull(packet);
        ArgumentNullException.ThrowIfNull(numbers);
        if (LengthOf(packet) <= maxSegment)
        {
            return [packet];
        }

        IReadOnlyList<Hj212Field>? time = packet.Groups.Count > 0 && packet.Groups[0] is [{ Key: "DataTime" }] ? packet.Groups[0] : null;

        // The longest header that a part can have: as many digits as there are groups.
        var count = packet.Groups.Count.ToString(CultureInfo.InvariantCulture).Length;
        var room = maxSegment - LengthOf(Part(packet, packet.Number, new string('9', count), new string('9', count), time is null ? [] : [time]));
        List<List<IReadOnlyList<Hj212Field>>> parts = [];
        var used = int.MaxValue;
        foreach (var group in packet.Groups.Skip(time is null ? 0 : 1))
        {
            var length = Encoding.UTF8.GetByteCount(string.Join(',', group)) + 1;
            if (length > room)
            {
                throw new ArgumentException($"the group of {group[0].Key} has {length} bytes, and a packet of {maxSegment} has room for {room}", nameof(packet));
            }

            if (parts.Count == 0 || used + length > room)
            {
                parts.Add(time is null ? [] : [time]);
                used = 0;
            }

            parts[^1].Add(group);
            used += length;
        }

        var total = parts.Count.ToString(CultureInfo.InvariantCulture);
        return [.. parts.Select((groups, i) => Part(packet, i == 0 ? packet.Number : numbers(), total, (i + 1).ToString(CultureInfo.InvariantCulture), groups))];
    }

    private static int LengthOf(Hj212Packet packet) => Encoding.UTF8.GetByteCount(packet.ToString());

    private static Hj212Packet Part(Hj212Packet packet, string number, string parts, string part, IReadOnlyList<IReadOnlyList<Hj212Field>> groups)
    {
        var flag = new Hj212Flag((byte)(packet.Flag.Value | 2));
        return new(
            [
                .. packet.Header.Select(f => f.Key switch { "QN" => new("QN", number), "Flag" => new("Flag", flag.ToString()), _ => f }),
                new("PNUM", parts),
                new("PNO", part),
            ],
            groups);
    }
}

/// <summary>Puts packets of one set together again, as they come. HJ 212-2017, C.50: they belong together by MN, CN and DataTime.</summary>
/// <param name="time">The clock: sets that are not complete after a minute are forgotten, and counted.</param>
public sealed class Hj212Assembly(TimeProvider time)
{
    private const int MostSets = 16;
    private const int MostParts = 64;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<Set> _sets = [];

    /// <summary>Sets that were given up because parts were missing.</summary>
    public long Incomplete { get; private set; }

    /// <summary>Takes a packet.</summary>
    /// <returns>The whole: the packet itself when it is alone, all groups in the order of the parts when it was the last one missing; null while parts are missing.</returns>
    public Hj212Packet? Take(Hj212Packet packet)
    {
        ArgumentNullException.ThrowIfNull(packet);
        Incomplete += _sets.RemoveAll(s => time.GetElapsedTime(s.Begun) >= Patience);
        var (parts, part) = (packet.Parts, packet.Part);
        if (!packet.Flag.IsSplit || parts <= 1 || parts > MostParts || part < 1 || part > parts)
        {
            return packet;
        }

        var key = (packet.Device, packet.Command, packet.Value("DataTime") ?? "", parts);
        var set = _sets.Find(s => s.Key == key);
        if (set is null)
        {
            if (_sets.Count == MostSets)
            {
                _sets.RemoveAt(0);
                Incomplete++;
            }

            set = new(key, new Hj212Packet?[parts], time.GetTimestamp());
            _sets.Add(set);
        }

        set.Parts[part - 1] = packet;
        if (Array.Exists(set.Parts, p => p is null))
        {
            return null;
        }

        _sets.Remove(set);
        var first = set.Parts[0]!;
        List<IReadOnlyList<Hj212Field>> groups = [.. first.Groups];
        foreach (var next in set.Parts.AsSpan(1))
        {
            // The time of the data, which each part repeats, stands there once.
            groups.AddRange(next!.Groups.Where(g => !(g is [{ Key: "DataTime" }] && groups.Count > 0)));
        }

        return new(first.Header, groups);
    }

    private sealed record Set((string Device, string Command, string Time, int Parts) Key, Hj212Packet?[] Parts, long Begun);
}
