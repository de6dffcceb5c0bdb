using EdgeGateway.Core;
using EdgeGateway.Core.Writing;

namespace EdgeGateway.Hosting;

/// <summary>Both clocks of the computer, comparable between processes of one boot. <see cref="GatewayClock"/> counts from the start of the process.</summary>
internal sealed class BootClock(TimeProvider time, Guid boot, Func<bool> wallIsTrusted)
{
    /// <summary>The computer's clocks.</summary>
    public static BootClock System(TimeProvider time) => System(time, new KernelClock());

    /// <summary>The computer's clocks; the wall clock is trusted while <paramref name="source"/> says that it is kept.</summary>
    public static BootClock System(TimeProvider time, IClockSource source) => new(time, BootId.Current(), () => source.Read().IsSynchronised);

    public ClockReading Read() => new(
        boot,
        (long)(time.GetTimestamp() / (double)time.TimestampFrequency * 1000),
        Instant.From(time.GetUtcNow()),
        wallIsTrusted());
}
