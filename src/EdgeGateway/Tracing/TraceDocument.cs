using System.Text.Json.Serialization;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Tracing;

/// <summary>One line of <c>edgegateway trace --json</c>. Additive: members are never renamed.</summary>
public sealed record TraceDocument
{
    /// <summary>When its first byte passed, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary><c>request</c>, <c>reply</c>, <c>exception</c>, <c>echo</c>, <c>damaged</c>, <c>noise</c>, <c>line</c>, or <c>lost</c>: this reader was too slow.</summary>
    public required string Kind { get; init; }

    /// <summary>Whether the gateway sent it.</summary>
    public bool Sent { get; init; }

    /// <summary>The unit id in the frame; null when there is none.</summary>
    public int? Unit { get; init; }

    /// <summary>The unit that was asked.</summary>
    public int? AskedUnit { get; init; }

    /// <summary>The device with this unit id in <c>gateway.yaml</c>, or null.</summary>
    public string? Device { get; init; }

    /// <summary>The function code, 0 when there is none.</summary>
    public int Function { get; init; }

    /// <summary>The first register or bit that is asked for, as on the wire.</summary>
    public int? Address { get; init; }

    /// <summary>How many are asked for.</summary>
    public int? Quantity { get; init; }

    /// <summary>Exception code of a refusal, else null.</summary>
    public int? Exception { get; init; }

    /// <summary><c>good</c>, <c>wrong</c>, or null where there is no check sum.</summary>
    public string? CheckSum { get; init; }

    /// <summary>Time since the request that this answers.</summary>
    public double? LatencyMilliseconds { get; init; }

    /// <summary>What the frame says.</summary>
    public required string Text { get; init; }

    /// <summary>What is odd about it; empty when nothing is.</summary>
    public string Note { get; init; } = "";

    /// <summary>The bytes in hexadecimal.</summary>
    public string Bytes { get; init; } = "";

    /// <summary>Events that passed unseen, for kind <c>lost</c>.</summary>
    public long Lost { get; init; }

    internal static TraceDocument Of(TracedFrame frame, DateTimeOffset time, IReadOnlyList<DeviceModel> devices) => new()
    {
        Time = time,
        Kind = frame.Kind switch
        {
            TraceKind.Request => "request",
            TraceKind.Reply => "reply",
            TraceKind.Exception => "exception",
            TraceKind.Echo => "echo",
            TraceKind.Damaged => "damaged",
            TraceKind.Noise => "noise",
            _ => "line",
        },
        Sent = frame.IsSent,
        Unit = frame.Unit,
        AskedUnit = frame.AskedUnit,
        Device = devices.FirstOrDefault(d => d.Unit == frame.Unit)?.Id,
        Function = frame.Function,
        Address = frame.Address,
        Quantity = frame.Quantity,
        Exception = frame.Kind == TraceKind.Exception ? frame.ExceptionCode : null,
        CheckSum = frame.Check switch { Protocols.Modbus.CheckSum.Good => "good", Protocols.Modbus.CheckSum.Wrong => "wrong", _ => null },
        LatencyMilliseconds = frame.Latency is { } latency ? Math.Round(latency.TotalMilliseconds, 3) : null,
        Text = frame.Text,
        Note = frame.Note,
        Bytes = FrameText.Hex(frame.Bytes),
    };
}

/// <summary>JSON of a trace: one document a line.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TraceDocument))]
internal sealed partial class TraceJson : JsonSerializerContext;
