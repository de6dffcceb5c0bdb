using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Validation;

/// <summary>The last believed reading of a counter: what growth is counted from.</summary>
/// <param name="Has">False before the first reading.</param>
/// <param name="Reading">In the point's unit.</param>
/// <param name="Raw">The register image.</param>
/// <param name="Time">When it was read, Unix milliseconds.</param>
/// <param name="MovedAt">When the reading last changed, Unix milliseconds.</param>
internal readonly record struct CounterBaseline(bool Has, decimal Reading, ulong Raw, long Time, long MovedAt)
{
    public CounterBaseline Shift(long milliseconds) => this with { Time = Time + milliseconds, MovedAt = MovedAt + milliseconds };

    public void Save(StateWriter writer)
    {
        writer.Write(Has);
        writer.Write(Reading);
        writer.Write(Raw);
        writer.Write(Time);
        writer.Write(MovedAt);
    }

    public static CounterBaseline Load(ref StateReader reader) =>
        new(reader.ReadBoolean(), reader.ReadDecimal(), reader.ReadUInt64(), reader.ReadInt64(), reader.ReadInt64());
}
