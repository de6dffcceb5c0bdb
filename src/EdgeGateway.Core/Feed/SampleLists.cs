using System.Buffers;
using System.Text.Json;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Core.Feed;

/// <summary>
/// Rows of the sample stream as plain lists, for receivers that want values and nothing else:
/// <c>[{"device":"d1","seq":17,"value":2.5,"ts":"2026-07-02T08:00:00.000Z","historical":false}]</c>. The points that one poll of a
/// device read stand in one object, each under its id.
/// </summary>
/// <remarks>
/// What has no value is left out, and a poll without any makes no object: why something is missing stands in the numbered feed only. A
/// point that is called like a field of the object itself gets an underscore behind its name. Values are the digits of the stored record.
/// </remarks>
public sealed class SampleLists : IFeedFormat
{
    /// <inheritdoc/>
    public bool Carries(FeedStream stream) => stream == FeedStream.Sample;

    /// <inheritdoc/>
    public void Write(IBufferWriter<byte> output, OutboxRow row, FeedLane lane)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(row);
        var json = new Utf8JsonReader(row.Body.Span);
        json.Read();
        output.Write("["u8);
        ReadOnlySpan<byte> device = default, time = default;
        var (count, isDoubtful) = (0, false);
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            var sample = Record.Read(ref json);
            if (sample.Value.IsEmpty)
            {
                continue;
            }

            if (count == 0 || !sample.Device.SequenceEqual(device) || !sample.Time.SequenceEqual(time))
            {
                if (count > 0)
                {
                    End(output, time, lane, isDoubtful);
                    output.Write(","u8);
                }

                device = sample.Device;
                time = sample.Time;
                isDoubtful = false;
                output.Write("{\"device\":\""u8);
                output.Write(device);
                output.Write("\""u8);
            }

            output.Write(",\""u8);
            output.Write(sample.Point);
            output.Write(IsTaken(sample.Point) ? "_\":"u8 : "\":"u8);
            output.Write(sample.Value);
            isDoubtful |= sample.IsDoubtful;
            count++;
        }

        if (count > 0)
        {
            End(output, time, lane, isDoubtful);
        }

        output.Write("]"u8);
    }

    private static void End(IBufferWriter<byte> output, ReadOnlySpan<byte> time, FeedLane lane, bool isDoubtful)
    {
        output.Write(",\"ts\":\""u8);
        output.Write(time);
        output.Write(lane == FeedLane.History ? "\",\"historical\":true"u8 : "\",\"historical\":false"u8);
        output.Write(isDoubtful ? ",\"quality\":\"uncertain\"}"u8 : "}"u8);
    }

    private static bool IsTaken(ReadOnlySpan<byte> point) =>
        point.SequenceEqual("device"u8) || point.SequenceEqual("ts"u8) || point.SequenceEqual("historical"u8) || point.SequenceEqual("quality"u8);

    /// <summary>The fields of a stored sample, as they stand in the row.</summary>
    private ref struct Record
    {
        public ReadOnlySpan<byte> Device;
        public ReadOnlySpan<byte> Point;
        public ReadOnlySpan<byte> Time;

        /// <summary>The digits; empty when there is no value.</summary>
        public ReadOnlySpan<byte> Value;
        public bool IsDoubtful;

        public static Record Read(scoped ref Utf8JsonReader json)
        {
            var record = default(Record);
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var field = json.ValueSpan;
                json.Read();
                if (field.SequenceEqual("device"u8))
                {
                    record.Device = json.ValueSpan;
                }
                else if (field.SequenceEqual("point"u8))
                {
                    record.Point = json.ValueSpan;
                }
                else if (field.SequenceEqual("time"u8))
                {
                    record.Time = json.ValueSpan;
                }
                else if (field.SequenceEqual("value"u8) && json.TokenType == JsonTokenType.Number)
                {
                    record.Value = json.ValueSpan;
                }
                else if (field.SequenceEqual("quality"u8))
                {
                    record.IsDoubtful = !json.ValueSpan.SequenceEqual("good"u8);
                }
                else
                {
                    json.Skip();
                }
            }

            return record;
        }
    }
}
