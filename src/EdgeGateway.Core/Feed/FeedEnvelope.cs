using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeGateway.Core.Outbox;

namespace EdgeGateway.Core.Feed;

/// <summary>
/// The message around a stored body:
/// <c>{"v":1,"site":"…","gateway":"…","stream":"summary","epoch":1,"seq":123,"count":7,"lane":"live","records":[…]}</c>.
/// Record i has the sequence number <c>seq + i</c>.
/// </summary>
/// <remarks>It is put around the body when the row is published, because the lane is not known before; the body goes through untouched.</remarks>
public sealed class FeedEnvelope : IFeedFormat
{
    /// <summary>Major version of the feed. Within it fields, words and streams are only added.</summary>
    public const int Version = 1;

    private readonly byte[] _site;
    private readonly byte[] _gateway;

    public FeedEnvelope(string site, string gateway)
    {
        _site = Quoted(site);
        _gateway = Quoted(gateway);
    }

    /// <inheritdoc/>
    public bool Carries(FeedStream stream) => true;

    /// <inheritdoc/>
    public void Write(IBufferWriter<byte> output, OutboxRow row, FeedLane lane)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(row);
        output.Write("{\"v\":1,\"site\":"u8);
        output.Write(_site);
        output.Write(",\"gateway\":"u8);
        output.Write(_gateway);
        output.Write(",\"stream\":\""u8);
        Text(output, row.Stream.Word());
        output.Write("\",\"epoch\":"u8);
        Number(output, row.Epoch);
        output.Write(",\"seq\":"u8);
        Number(output, row.FirstSequence);
        output.Write(",\"count\":"u8);
        Number(output, row.Count);
        output.Write(",\"lane\":\""u8);
        Text(output, lane.Word());
        output.Write("\",\"records\":"u8);
        output.Write(row.Body.Span);
        output.Write("}"u8);
    }

    private static byte[] Quoted(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [(byte)'"', .. JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes, (byte)'"'];
    }

    private static void Text(IBufferWriter<byte> output, string ascii) =>
        output.Advance(System.Text.Encoding.ASCII.GetBytes(ascii, output.GetSpan(ascii.Length)));

    private static void Number(IBufferWriter<byte> output, long value)
    {
        value.TryFormat(output.GetSpan(20), out var length, provider: System.Globalization.CultureInfo.InvariantCulture);
        output.Advance(length);
    }
}
