using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.Writing;

namespace EdgeGateway.Buses;

/// <summary>What a register showed.</summary>
/// <param name="Answered">Whether the device answered; a register that says "not available" is an answer.</param>
/// <param name="Value">The value in the point's unit; null when there is none.</param>
/// <param name="Problem">Why there is none, in words; empty otherwise.</param>
internal readonly record struct Look(bool Answered, double? Value, string Problem);

/// <summary>How a write ended.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="ReadBack">What the device showed afterwards, or null.</param>
/// <param name="Detail">What a person should know; empty when all is well.</param>
internal sealed record WriteResult(WriteOutcome Outcome, double? ReadBack, string Detail);

/// <summary>The one place that writes to devices: it sends what <see cref="WriteRules"/> allowed, once, and looks what became of it.</summary>
internal static class DeviceWriter
{
    /// <summary>Reads where the effect of a write shows.</summary>
    public static async ValueTask<Look> LookAsync(IBus bus, DeviceModel device, WritablePoint point, TimeProvider time)
    {
        var encoding = point.ReadBack;
        var span = encoding.Span;
        var words = new ushort[span.Length];
        await RestAsync(device, time).ConfigureAwait(false);
        var reply = await bus.ReadAsync(
            device.Unit, new ReadRequest(encoding.Table, span.First, (ushort)span.Length), words, device.Timeout, CancellationToken.None).ConfigureAwait(false);
        if (!reply.IsGood)
        {
            return new Look(false, null, Describe(reply));
        }

        return RegisterCodec.Decode(encoding, words, out var value, out _) == DecodeStatus.Ok
            ? new Look(true, value, "")
            : new Look(true, null, "the device says 'not available'");
    }

    /// <summary>Writes once and reads back. What has begun is finished, also when the gateway stops: the time limits bound it.</summary>
    /// <param name="bus">The bus, while nobody else uses it.</param>
    /// <param name="plan">What to write.</param>
    /// <param name="before">What the device showed before; null when that is not known.</param>
    /// <param name="time">Clock of waits.</param>
    public static async ValueTask<WriteResult> WriteAsync(IBus bus, WritePlan plan, double? before, TimeProvider time)
    {
        var (device, point) = (plan.Device, plan.Point);
        await RestAsync(device, time).ConfigureAwait(false);
        var reply = await bus.WriteAsync(
            device.Unit, point.Encoding.Table, point.Encoding.Address, plan.Words.ToArray(), point.Single, device.Timeout, CancellationToken.None).ConfigureAwait(false);
        if (IsRefusal(reply))
        {
            return new WriteResult(WriteOutcome.RefusedByDevice, null, Describe(reply));
        }

        if (point.ReadBackAfter > TimeSpan.Zero)
        {
            await Task.Delay(point.ReadBackAfter, time, CancellationToken.None).ConfigureAwait(false);
        }

        var look = await LookAsync(bus, device, point, time).ConfigureAwait(false);

        // The next poll of this device must find it rested as well.
        await RestAsync(device, time).ConfigureAwait(false);
        var silent = reply.IsGood ? "" : $"no reply to the write ({Describe(reply)})";
        return look switch
        {
            { Value: { } shown } when plan.IsConfirmedBy(shown, before, reply.IsGood) =>
                new WriteResult(WriteOutcome.Confirmed, shown, silent.Length == 0 ? "" : $"{silent}, but the device shows the value"),
            { Value: { } shown } =>
                new WriteResult(WriteOutcome.NotConfirmed, shown, $"{(silent.Length == 0 ? "" : $"{silent}; ")}the device shows {point.Describe(shown)}{(shown == before ? ", as before" : "")}"),
            _ when reply.IsGood => new WriteResult(WriteOutcome.NotConfirmed, null, $"the device took it, and it could not be read back: {look.Problem}"),
            _ => new WriteResult(WriteOutcome.Unknown, null, $"{silent}, and it could not be read back ({look.Problem}): it may have happened"),
        };
    }

    // MODBUS V1.1b3, 7: 05 says that the device is at work on it; 0A and 0B come from a gateway in front of it, which may have passed it on.
    private static bool IsRefusal(BusReply reply) => reply.Reason == QualityReason.DeviceException && reply.Detail is not (0x05 or 0x0A or 0x0B);

    private static string Describe(BusReply reply) => Reasons.Describe(Quality.Bad(reply.Reason, reply.Detail));

    // Other requests may just have been sent; how long ago is the poller's business.
    private static Task RestAsync(DeviceModel device, TimeProvider time) =>
        device.Profile.MinGap > TimeSpan.Zero ? Task.Delay(device.Profile.MinGap, time, CancellationToken.None) : Task.CompletedTask;
}
