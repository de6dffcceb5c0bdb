using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Polling;

/// <summary>What a plan must respect.</summary>
/// <param name="MaxRegistersPerRead">Most registers in one request, at most 125 (MODBUS V1.1b3, 6.3).</param>
/// <param name="MaxGap">
/// Most unused registers that are read to save a request; 0 when undefined addresses may not be touched. A register costs two bytes
/// on the wire; a request costs its frames (some 13 bytes on a line) and the device's turnaround, so that a gap of 16 is about even at 9600 baud.
/// </param>
/// <param name="MaxBitsPerRead">Most coils or discrete inputs in one request, at most 2000 (MODBUS V1.1b3, 6.1).</param>
public readonly record struct ReadLimits(int MaxRegistersPerRead, int MaxGap, int MaxBitsPerRead = 2000)
{
    /// <summary>Gap that is worth bridging where the device allows it.</summary>
    public const int UsualGap = 16;

    /// <summary>The limits that a profile states.</summary>
    public static ReadLimits Of(DeviceProfile profile) => new(profile.MaxRegistersPerRead, profile.MayReadGaps ? UsualGap : 0);
}

/// <summary>Plans which requests bring a set of points: few, within the limits, and never with half a value. A pure function.</summary>
public static class ReadPlanner
{
    /// <summary>Makes the plan.</summary>
    /// <param name="points">Index of each point and where it stands.</param>
    /// <param name="limits">What the device answers.</param>
    /// <returns>Requests by table and address; each point is in exactly one.</returns>
    /// <exception cref="ArgumentException">A point is longer than a request may be.</exception>
    public static IReadOnlyList<PlannedRead> Plan(IEnumerable<(int Index, RegisterEncoding Encoding)> points, ReadLimits limits)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(limits.MaxRegistersPerRead is >= 1 and <= 125, true, nameof(limits));
        ArgumentOutOfRangeException.ThrowIfNotEqual(limits.MaxBitsPerRead is >= 1 and <= 2000, true, nameof(limits));

        var sorted = points
            .OrderBy(p => p.Encoding.Table)
            .ThenBy(p => p.Encoding.Span.First)
            .ThenBy(p => p.Encoding.Span.Length)
            .ThenBy(p => p.Index);
        var plan = new List<PlannedRead>();
        var members = new List<int>();
        var (table, start, end) = (RegisterTable.Coil, 0, 0);
        foreach (var (index, encoding) in sorted)
        {
            var most = encoding.Table is RegisterTable.Coil or RegisterTable.DiscreteInput ? limits.MaxBitsPerRead : limits.MaxRegistersPerRead;
            var (first, next) = ((int)encoding.Span.First, encoding.Span.End);
            if (next - first > most)
            {
                throw new ArgumentException($"The point at {first} needs {next - first} registers at once, a request brings {most} at most.", nameof(points));
            }

            var joins = members.Count > 0
                && encoding.Table == table
                && first - end <= limits.MaxGap
                && Math.Max(end, next) - start <= most;
            if (!joins)
            {
                Close();
                (table, start, end) = (encoding.Table, first, next);
            }

            members.Add(index);
            end = Math.Max(end, next);
        }

        Close();
        return plan;

        void Close()
        {
            if (members.Count > 0)
            {
                plan.Add(new(new(table, (ushort)start, (ushort)(end - start)), [.. members]));
                members.Clear();
            }
        }
    }
}
