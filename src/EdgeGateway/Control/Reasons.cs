using EdgeGateway.Core;

namespace EdgeGateway.Control;

/// <summary>Quality reasons in words for people.</summary>
public static class Reasons
{
    /// <summary>What the quality means; empty when it is good.</summary>
    public static string Describe(Quality quality) => quality.Reason switch
    {
        QualityReason.None => "",
        QualityReason.NotConnected => "no connection",
        QualityReason.Timeout => "no answer",
        QualityReason.CorruptFrame => "damaged frame (wrong check sum)",
        QualityReason.ShortReply => "reply too short",
        QualityReason.WrongReply => "reply to another request",
        QualityReason.DeviceException => $"device refuses: exception {quality.Detail} ({Exception(quality.Detail)})",
        QualityReason.BusStopped => "bus stopped",
        QualityReason.InvalidCode => "device says 'not available'",
        QualityReason.NotANumber => quality.Detail switch
        {
            Quality.NotDecimal => "digits that are not decimal",
            Quality.NotADate => "no date (clock not set?)",
            Quality.NotAScale => "scale register without a power of ten",
            _ => "not a number",
        },
        QualityReason.OutOfRange => "out of the plausible range",
        QualityReason.RateOfChange => "changes faster than possible",
        QualityReason.Stuck => "frozen",
        QualityReason.Spike => "single spike",
        QualityReason.Stale => "stale",
        QualityReason.CounterReset => "counter was reset or the meter replaced",
        QualityReason.CounterJump => "counter jumped further than possible",
        QualityReason.CounterRollback => "counter ran back",
        QualityReason.ClockUnset => "clock not set",
        QualityReason.ClockStepped => "clock stepped",
        QualityReason.Calibrating => "calibrating",
        QualityReason.Maintenance => "maintenance",
        QualityReason.Substituted => "substituted",
        _ => quality.Reason.ToString(),
    };

    // MODBUS Application Protocol V1.1b3, 7.
    private static string Exception(byte code) => code switch
    {
        1 => "function not supported",
        2 => "no such register",
        3 => "illegal quantity or value",
        4 => "device failure",
        5 => "acknowledged, busy",
        6 => "device busy",
        8 => "memory parity error",
        10 => "gateway path unavailable",
        11 => "device behind the gateway does not answer",
        _ => "unknown code",
    };
}
