using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>What one account has seen in one open interval. Amounts in the point's unit (m3 for a flow), times in Unix milliseconds.</summary>
internal struct IntervalActivity
{
    public long Start;
    public decimal Amount;
    public long Covered;
    public decimal? StartReading;
    public decimal? EndReading;
    public ulong? StartRaw;
    public ulong? EndRaw;
    public bool Allocated;
    public bool Touched;

    /// <summary>An interval that begins with the register where the one before left it.</summary>
    public static IntervalActivity After(long start, in IntervalActivity previous) => new()
    {
        Start = start,
        StartReading = previous.EndReading,
        EndReading = previous.EndReading,
        StartRaw = previous.EndRaw,
        EndRaw = previous.EndRaw,
    };

    public readonly void Save(StateWriter writer)
    {
        writer.Write(Start);
        writer.Write(Amount);
        writer.Write(Covered);
        writer.Write(StartReading);
        writer.Write(EndReading);
        writer.Write(StartRaw.HasValue);
        writer.Write(StartRaw.GetValueOrDefault());
        writer.Write(EndRaw.HasValue);
        writer.Write(EndRaw.GetValueOrDefault());
        writer.Write(Allocated);
        writer.Write(Touched);
    }

    public void Load(ref StateReader reader)
    {
        Start = reader.ReadInt64();
        Amount = reader.ReadDecimal();
        Covered = reader.ReadInt64();
        StartReading = reader.ReadNullableDecimal();
        EndReading = reader.ReadNullableDecimal();
        StartRaw = ReadRaw(ref reader);
        EndRaw = ReadRaw(ref reader);
        Allocated = reader.ReadBoolean();
        Touched = reader.ReadBoolean();
    }

    private static ulong? ReadRaw(ref StateReader reader)
    {
        var has = reader.ReadBoolean();
        var raw = reader.ReadUInt64();
        return has ? raw : null;
    }
}
